"""Where packed positions lie in the memory of a cache. Suffixes as in cache.py."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from .device import device, moved
from .packing import Bucket, within_rows


@dataclass(frozen=True)
class Target:
    """Where fresh keys and values go."""

    lines: slice | Tensor
    """Which of a layer's M·K the rows' keys have: a slice where rows are neighbours."""
    to: slice | Tensor
    """Columns that all rows write; or where they differ, which line of a layer's memory [2·M·K·C, d] each key
    and value is, position by position, [N·2K]."""
    seen: int
    """Columns that are seen."""
    column_N: Tensor
    """Column of each position; one for all where that is the same."""


@dataclass(frozen=True)
class Places(Target):
    """Packed positions that follow what rows have."""

    last_R: Tensor
    """The last position of each row."""
    bucket: Bucket
    """Their rectangle."""
    mask: Tensor | None
    """What each position sees, [R, 1, T, seen]; None where rows begin, which see what is before them."""


def rectangle(lengths: np.ndarray) -> Bucket:
    """Packed rows as a rectangle as wide as the longest."""
    columns = int(lengths.max())
    full = bool((lengths == columns).all())
    place = np.repeat(np.arange(len(lengths)) * columns, lengths) + within_rows(lengths)
    return Bucket(len(place), len(lengths), columns, None if full else moved(place))


def places_after(
    rows: np.ndarray, starts: np.ndarray, lengths: np.ndarray, shape: tuple[int, int, int]
) -> Places:
    """Of rows that have so many columns and get so many more, in a memory of so many [M, K, C]."""
    row = np.repeat(np.arange(len(lengths)), lengths)
    column, (_, heads, _) = starts[row] + within_rows(lengths), shape
    bucket, longest = rectangle(lengths), int(lengths.max())
    seen = int((starts + lengths).max())
    neighbours = bool((np.diff(rows) == 1).all())
    lines = (rows[:, None] * heads + np.arange(heads)).reshape(-1)
    even = neighbours and bucket.place_N is None and starts.min() == starts.max()
    ends = moved(starts)[:, None] + torch.arange(longest, device=device())
    return Places(
        slice(int(lines[0]), int(lines[-1]) + 1) if neighbours else moved(lines),
        slice(seen - longest, seen) if even else lines_of(rows[row], column, shape),
        seen,
        moved(column),
        moved(np.cumsum(lengths) - 1),
        bucket,
        (torch.arange(seen, device=device()) <= ends[:, :, None])[:, None] if starts.any() else None,
    )


def lines_of(row: np.ndarray, column: np.ndarray, shape: tuple[int, int, int]) -> Tensor:
    """Which line of a layer's memory [2·M·K·C, d] the keys and values of rows' columns are, [N·2K]: all keys
    of a position, then its values."""
    places, heads, columns = shape
    head = np.arange(2)[:, None] * places * heads + np.arange(heads)
    lines = ((row * heads)[:, None] + head.reshape(-1)) * columns + column[:, None]
    return moved(lines.reshape(-1))


@lru_cache(maxsize=64)
def causal(columns: int, group: int, seen: int) -> Tensor:
    """-∞ where a key comes after the query, [G·T, seen]."""
    return torch.full((columns, seen), -torch.inf).triu(1).repeat(group, 1)
