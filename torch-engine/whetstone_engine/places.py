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
    if bool((lengths == columns).all()):
        return Bucket(len(lengths) * columns, len(lengths), columns, None)
    place = np.repeat(np.arange(len(lengths)) * columns, lengths) + within_rows(lengths)
    return Bucket(len(place), len(lengths), columns, moved(place))


def places_after(
    rows: np.ndarray, starts: np.ndarray, lengths: np.ndarray, shape: tuple[int, int, int]
) -> Places:
    """Of rows that have so many columns and get so many more, in a memory of so many [M, K, C]."""
    column, (_, heads, _) = np.repeat(starts, lengths) + within_rows(lengths), shape
    bucket, seen = rectangle(lengths), int((starts + lengths).max())
    longest, neighbours = bucket.columns, bool((np.diff(rows) == 1).all())
    lines: slice | Tensor = slice(int(rows[0]) * heads, int(rows[-1] + 1) * heads)
    if not neighbours:
        lines = moved((rows[:, None] * heads + np.arange(heads)).reshape(-1))
    even = neighbours and bucket.place_N is None and starts.min() == starts.max()
    mask = None
    if starts.any():
        ends = moved(starts)[:, None] + torch.arange(longest, device=device())
        mask = (torch.arange(seen, device=device()) <= ends[:, :, None])[:, None]
    return Places(
        lines,
        slice(seen - longest, seen) if even else lines_of(np.repeat(rows, lengths), column, shape),
        seen,
        moved(column),
        moved(np.cumsum(lengths) - 1),
        bucket,
        mask,
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
