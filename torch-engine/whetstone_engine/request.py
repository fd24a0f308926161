"""Members and arrays of a request, checked: what is missing or of the wrong kind is named as the caller's
fault."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .errors import bad_request
from .frames import LIMIT, NAMES, Arrays, Head


def text(head: Head, name: str) -> str:
    value = head.get(name)
    if not isinstance(value, str) or value == "":
        raise bad_request(f"{name} must be a text, not {value!r}")
    return value


def number(head: Head, name: str, default: float | None = None, *, least: float = -math.inf) -> float:
    """A finite number that is at least `least`."""
    value = head.get(name)
    if value is None:
        value = default
    fits = (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value >= least
    )
    if not fits:
        raise bad_request(
            f"{name} must be a number{'' if least == -math.inf else f' from {least:g} up'}, not {value!r}"
        )
    return float(value)


def whole(head: Head, name: str, default: int | None = None) -> int:
    """An integer that is not negative."""
    value = number(head, name, default, least=0)
    if value != int(value):
        raise bad_request(f"{name} must be a whole number, not {value!r}")
    return int(value)


def members(head: Head, name: str) -> dict[str, Any]:
    value = head.get(name)
    if not isinstance(value, dict):
        raise bad_request(f"{name} must be an object, not {value!r}")
    return value


def listed(head: Head, name: str, kind: type) -> tuple[Any, ...]:
    """A list of texts or integers; empty when absent."""
    value = head.get(name) or []
    if not isinstance(value, list) or not all(type(one) is kind for one in value):
        raise bad_request(f"{name} must be a list of {kind.__name__}, not {value!r}")
    return tuple(value)


def array(arrays: Arrays, name: str, dtype: str, length: int | None = None) -> np.ndarray:
    """An array of the request; raises bad-request where it is missing, or of another type or length."""
    value = arrays.get(name)
    if value is None:
        raise bad_request(f"the array {name} is missing")
    if NAMES[value.dtype] != dtype:
        raise bad_request(f"{name} must be {dtype}, not {NAMES[value.dtype]}")
    if length is not None and len(value) != length:
        raise bad_request(f"{name} has {len(value)} values where {length} belong")
    return value


def sequence_lengths(arrays: Arrays, *names: str) -> np.ndarray:
    """`lengths` as i64, at least one and none below 1; the arrays named hold that many integers in all."""
    lengths = array(arrays, "lengths", "i32").astype(np.int64)
    if len(lengths) == 0 or lengths.min() < 1:
        raise bad_request("lengths must name at least one sequence, each of at least one token")
    for name in names:
        array(arrays, name, "i32", int(lengths.sum()))
    return lengths


def answerable(arrays: Arrays) -> Arrays:
    """Arrays of a reply. Raises bad-request where they are more than a frame holds, which would end the
    worker with all that it has."""
    size = sum(array.nbytes + 8 for array in arrays.values())
    if size >= LIMIT:
        raise bad_request(f"an answer of {size} bytes is more than a frame holds: ask for less at a time")
    return arrays
