"""Rows of different lengths, laid end to end: only attention knows where one ends. Suffixes as in decoder.py;
K key-value heads, each read by G query heads; S places in the rectangles that attention sees; where rows
share beginnings, U positions are computed and stand at N places."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

from .beginnings import Beginnings
from .device import moved, on_host

NARROWEST = 16
"""Columns of the narrowest rectangle: softmax over fewer than a vector register holds is ten times slower."""

BLOCK = 64
"""Columns of queries that are answered together: no key that comes after all of them is looked at."""

LONG, LONGER = 64, 512
"""Columns from which what is computed for nothing costs more than rectangles of their own; and more than
those."""


def within_rows(lengths: np.ndarray) -> np.ndarray:
    """Place in its row of each packed position."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def reordered(lengths: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Index of each position in packed arrays, when the rows are taken in another order."""
    sizes = lengths[order]
    starts = (np.cumsum(lengths) - lengths)[order]
    return np.repeat(starts, sizes) + within_rows(sizes)


@dataclass(frozen=True)
class Bucket:
    """Neighbouring rows of like length, which attention sees as a rectangle."""

    positions: int
    rows: int
    columns: int
    place_N: Tensor | None
    """Index of each packed position in the rectangle, or None when the rows fill it."""

    @property
    def edges(self) -> list[tuple[int, int]]:
        """The first and the end of each block's columns."""
        return [(first, min(first + BLOCK, self.columns)) for first in range(0, self.columns, BLOCK)]


class Packing:
    """Neighbours share a rectangle while their lengths round up to the same power of two, or where they are
    long of its root, or of its fourth root: sorted rows waste little."""

    def __init__(self, lengths: np.ndarray, shared: Beginnings | None = None) -> None:
        positions = within_rows(lengths)
        self.shared = shared
        self.positions_N = self.computed(moved(positions))
        """Place in its row of each position that is computed."""
        self.buckets: list[Bucket] = []
        # A GPU waits for the calls of each rectangle longer than it computes for nothing.
        finer = np.select([~np.bool_(on_host()) | (lengths <= LONG), lengths <= LONGER], [1, 2], 4)
        powers = np.ceil(finer * np.log2(np.maximum(lengths, NARROWEST))) / finer
        start = 0
        for group in np.split(lengths, np.flatnonzero(np.diff(powers)) + 1):
            columns, count = max(NARROWEST, int(group.max())), int(group.sum())
            place = np.repeat(np.arange(len(group)) * columns, group) + positions[start : start + count]
            full = count == len(group) * columns
            self.buckets.append(Bucket(count, len(group), columns, None if full else moved(place)))
            start += count
        self.columns = max(bucket.columns for bucket in self.buckets)
        self.lengths = lengths
        self._plan: Plan | None = None

    @cached_property
    def ends(self) -> Tensor:
        """Where rows begin and the last one ends, 32 bits, [R + 1]."""
        return moved(np.concatenate(([0], np.cumsum(self.lengths))).astype(np.int32))

    def plan(self, heads: int, key_heads: int) -> Plan:
        """For attention by matrix products, on the processor."""
        self._plan = self._plan or Plan(self.buckets, heads, key_heads, self.shared)
        return self._plan

    def computed(self, values_N: Tensor) -> Tensor:
        """What belongs to packed positions, of those that are computed."""
        return values_N if self.shared is None else values_N[self.shared.at_U]

    def at_places(self, values: Tensor) -> Tensor:
        """What was computed, at each packed position."""
        return values if self.shared is None else values.index_select(0, self.shared.of_N)

    def wanted(self, some_N: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """Which computed positions are those of some packed ones (of all if None), each once, and which of
        these each packed one is; None for all, in order."""
        if self.shared is None:
            return some_N, None
        if some_N is None:
            return None, self.shared.of_N
        different, which = self.shared.of_N[some_N].unique(return_inverse=True)
        return different, which


class Plan:
    """Where each head of each position lies in a buffer [S·H, d] whose blocks are ready for matrix products:
    queries [K, rows, columns, G] of one block of columns after another, bucket after bucket, then keys
    [K, rows, columns] of one bucket after another, then values. A shared position's keys and values stand in
    the place of each row; of its queries one is answered."""

    def __init__(
        self, buckets: list[Bucket], heads: int, key_heads: int, shared: Beginnings | None = None
    ) -> None:
        self.buckets, self.key_heads, self.group = buckets, key_heads, heads // key_heads - 2
        self.places = sum(bucket.rows * bucket.columns for bucket in buckets)
        queries = key_heads * self.group
        key, member = np.arange(key_heads), np.arange(self.group)
        parts, done = [], 0
        for bucket in buckets:
            cells = bucket.rows * bucket.columns
            place = np.arange(cells) if bucket.place_N is None else bucket.place_N.numpy()
            row, column = np.divmod(place, bucket.columns)
            line = key * bucket.rows + row[:, None]
            first = column // BLOCK * BLOCK
            width = np.minimum(BLOCK, bucket.columns - first)
            before = key_heads * bucket.rows * first + column - first
            query = (before[:, None] + line * width[:, None])[:, :, None] * self.group + member
            keys = self.places * queries + key_heads * done + line * bucket.columns + column[:, None]
            query = queries * done + query.reshape(len(place), -1)
            parts.append(np.concatenate((query, keys, keys + self.places * key_heads), axis=1))
            done += cells
        slots_NH = np.concatenate(parts)
        answered_UH = slots_NH[:, :queries] if shared is None else slots_NH[shared.at_U.numpy(), :queries]
        self.count, self.shared = len(answered_UH), shared
        self.give_heads = torch.from_numpy(slots_NH.reshape(-1))
        """Slot of each head of each packed position, [N·H]."""
        self.give_queries = torch.from_numpy(answered_UH.reshape(-1))
        self.take_heads = _inverse(slots_NH, self.places * heads)
        """Which head of which position each slot takes, [S·H]; slots that no position has take any."""
        if shared is not None:
            position, head = self.take_heads // heads, self.take_heads % heads
            self.take_heads = shared.of_N[position] * heads + head
        self.take_queries = _inverse(answered_UH, self.places * queries)

    def collect(self, grads_NHd: Tensor) -> Tensor:
        """What reached the heads of packed positions, [U, H, d]: summed where one stands in several rows."""
        if self.shared is None:
            return grads_NHd
        return grads_NHd.new_zeros(self.count, *grads_NHd.shape[1:]).index_add_(
            0, self.shared.of_N, grads_NHd
        )

    @cached_property
    def unanswered(self) -> Tensor:
        """Slots of queries that nobody asks."""
        asked = torch.zeros(len(self.take_queries), dtype=torch.bool).index_fill_(0, self.give_queries, True)
        return asked.logical_not_().nonzero()[:, 0]

    def parts(self, buffer: Tensor) -> tuple[Tensor, ...]:
        """Queries, keys and values of the buffer."""
        keys = self.places * self.key_heads
        return buffer.split([keys * self.group, keys, keys])

    def in_buckets(self, part: Tensor) -> list[Tensor]:
        """Keys or values, [K·rows, columns, d] of each bucket."""
        sizes = [self.key_heads * bucket.rows * bucket.columns for bucket in self.buckets]
        return [
            one.view(self.key_heads * bucket.rows, bucket.columns, -1)
            for one, bucket in zip(part.split(sizes), self.buckets, strict=True)
        ]

    def in_blocks(self, part: Tensor) -> list[list[Tensor]]:
        """Queries, [K·rows, columns·G, d] of each block of each bucket."""
        found, begin = [], 0
        for bucket in self.buckets:
            lines = self.key_heads * bucket.rows
            sizes = [lines * (end - first) * self.group for first, end in bucket.edges]
            blocks = part[begin : begin + sum(sizes)].split(sizes)
            found.append([block.view(lines, -1, part.shape[1]) for block in blocks])
            begin += sum(sizes)
        return found


def _inverse(slots: np.ndarray, size: int) -> Tensor:
    taken = np.zeros(size, dtype=np.int64)
    taken[slots.reshape(-1)] = np.arange(slots.size)
    return torch.from_numpy(taken)


def spread(x_ND: Tensor, bucket: Bucket) -> Tensor:
    """Packed positions in their rectangle, [B, T, D]; the rest is 0."""
    if bucket.place_N is not None:
        x_ND = _Spread.apply(x_ND, bucket.place_N, bucket.rows * bucket.columns)
    return x_ND.view(bucket.rows, bucket.columns, -1)


def gather(x_ND: Tensor, place_N: Tensor | None) -> Tensor:
    """The rows at places that differ from each other; all of them where no places are given."""
    return x_ND if place_N is None else _Gather.apply(x_ND, place_N)


class _Spread(Function):
    @staticmethod
    def forward(context: FunctionCtx, x_ND: Tensor, place_N: Tensor, size: int) -> Tensor:
        context.save_for_backward(place_N)
        return x_ND.new_zeros(size, x_ND.shape[1]).index_copy_(0, place_N, x_ND)

    @staticmethod
    def backward(context: FunctionCtx, grad: Tensor) -> tuple[Tensor, None, None]:
        return grad.index_select(0, context.saved_tensors[0]), None, None


class _Gather(Function):
    @staticmethod
    def forward(context: FunctionCtx, x_ND: Tensor, place_N: Tensor) -> Tensor:
        context.save_for_backward(place_N)
        context.size = x_ND.shape[0]
        return x_ND.index_select(0, place_N)

    @staticmethod
    def backward(context: FunctionCtx, grad: Tensor) -> tuple[Tensor, None]:
        empty = grad.new_zeros(context.size, grad.shape[1])
        return empty.index_copy_(0, context.saved_tensors[0], grad), None
