"""Where packed positions lie in the memory of a cache. Suffixes as in cache.py."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from .packing import Bucket


@dataclass(frozen=True)
class Column:
    """The next keys and values of each row: which line of a layer's memory each is, [B·2K], or which column
    all are, and how many columns are seen."""

    at: Tensor | int
    seen: int


@dataclass(frozen=True)
class Places:
    """Packed positions that follow what rows have: which line of a layer's memory each key and value is,
    [N·2K], their rectangle, which lines the rows' keys have, and what is seen."""

    at: Tensor
    column_N: Tensor
    """Column of each position."""
    last_R: Tensor
    """The last position of each row."""
    bucket: Bucket
    lines: slice | Tensor
    """Of each row and key-value head, [R·K]: a slice where rows are neighbours."""
    mask: Tensor | None
    """What each position sees, [R, 1, T, seen]; None where rows begin, which see what is before them."""
    seen: int


def rectangle(lengths: np.ndarray) -> Bucket:
    """Packed rows as a rectangle as wide as the longest."""
    columns = int(lengths.max())
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    full = bool((lengths == columns).all())
    place = np.repeat(np.arange(len(lengths)) * columns, lengths) + within
    return Bucket(len(place), len(lengths), columns, None if full else torch.from_numpy(place))


def places_after(
    rows: np.ndarray, starts: np.ndarray, lengths: np.ndarray, shape: tuple[int, int, int]
) -> Places:
    """Of rows that have so many columns and get so many more, in a memory of so many [M, K, C]."""
    row = np.repeat(np.arange(len(lengths)), lengths)
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    column, (_, heads, _) = starts[row] + within, shape
    seen = int((starts + lengths).max())
    lines: slice | Tensor = slice(int(rows[0]) * heads, (int(rows[-1]) + 1) * heads)
    if (np.diff(rows) != 1).any():
        lines = torch.from_numpy((rows[:, None] * heads + np.arange(heads)).reshape(-1))
    ends = torch.from_numpy(starts)[:, None] + torch.arange(int(lengths.max()))
    return Places(
        lines_of(rows[row], column, shape),
        torch.from_numpy(column),
        torch.from_numpy(np.cumsum(lengths) - 1),
        rectangle(lengths),
        lines,
        (torch.arange(seen) <= ends[:, :, None])[:, None] if starts.any() else None,
        seen,
    )


def lines_of(row: np.ndarray, column: np.ndarray, shape: tuple[int, int, int]) -> Tensor:
    """Which line of a layer's memory [2·M·K·C, d] the keys and values of rows' columns are, [N·2K]: all keys
    of a position, then its values."""
    places, heads, columns = shape
    head = np.arange(2)[:, None] * places * heads + np.arange(heads)
    lines = ((row * heads)[:, None] + head.reshape(-1)) * columns + column[:, None]
    return torch.from_numpy(lines.reshape(-1))


@lru_cache(maxsize=64)
def causal(columns: int, group: int, seen: int) -> Tensor:
    """-∞ where a key comes after the query, [G·T, seen]."""
    return torch.full((columns, seen), -torch.inf).triu(1).repeat(group, 1)
