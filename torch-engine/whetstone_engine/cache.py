"""Keys and values of the rows that decode together. Suffixes as in decoder.py; K key-value heads, each read
by G query heads; C columns of room; M places for rows, of which B are taken. A row's position is its
column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .config import ModelConfig
from .memory import zeros
from .packing import NARROWEST, Bucket, spread

ROOM = 64
"""Columns of room for answers at first; doubled when they are used up."""


def column_bytes(config: ModelConfig, dtype: torch.dtype) -> int:
    """What one position of one row takes."""
    return 2 * config.layers * config.key_value_heads * config.head_width * dtype.itemsize


class Cache:
    """Keys and values, per layer [2, M·K, C, d]. What is hidden weighs nothing and must still be a number:
    the memory begins as zeros, and what no row has reached is not taken from the system."""

    def __init__(self, config: ModelConfig, dtype: torch.dtype) -> None:
        self.config, self.dtype = config, dtype
        self.lengths = np.zeros(0, dtype=np.int64)
        """Columns of each row that are written, [B]."""
        self.columns = 0
        self.layers: list[Tensor] = []
        self.nothing = torch.zeros(1, 1, 1, dtype=dtype)
        self.bias: Tensor | None = None
        """-∞ where a row has no key, [M·K, 1, C]; None while all rows have all up to the last column."""

    @property
    def places(self) -> int:
        return self.layers[0].shape[1] // self.config.key_value_heads if self.layers else 0

    @property
    def bytes(self) -> int:
        """What rows have reached, at most."""
        return len(self.lengths) * self.columns * column_bytes(self.config, self.dtype)

    def resize(self, places: int, columns: int, kept_B: np.ndarray | None = None) -> None:
        """Other room, layer by layer, for the rows that are kept (all if None), in this order."""
        config, heads = self.config, self.config.key_value_heads
        kept = np.arange(len(self.lengths)) if kept_B is None else kept_B
        self.lengths = self.lengths[kept]
        seen = int(self.lengths.max(initial=0))
        rows = torch.from_numpy(kept)
        for layer in range(config.layers):
            new = zeros((2, places * heads, columns, config.head_width), self.dtype)
            if len(kept) > 0:
                old = self.layers[layer].unflatten(1, (-1, heads))[:, :, :, :seen]
                new.unflatten(1, (-1, heads))[:, : len(kept), :, :seen] = (
                    old[:, : len(kept)] if kept_B is None else old[:, rows]
                )
            if layer < len(self.layers):
                self.layers[layer] = new
            else:
                self.layers.append(new)
        self.columns = columns
        self._hide()

    def drop(self, gone: np.ndarray) -> np.ndarray:
        """Rows (True where one goes) give their places up: the last of the others move there. Returns which
        row each of the others' places has now."""
        count = int((~gone).sum())
        order = np.arange(count)
        holes = np.flatnonzero(gone[:count])
        moved = count + np.flatnonzero(~gone[count:])
        order[holes] = moved
        if len(holes) > 0:
            heads, seen = self.config.key_value_heads, int(self.lengths[moved].max())
            into, source = torch.from_numpy(holes), torch.from_numpy(moved)
            for layer in self.layers:
                rows = layer.unflatten(1, (-1, heads))[:, :, :, :seen]
                rows[:, into] = rows[:, source]
        self.lengths = self.lengths[order]
        self._hide()
        return order

    def add(self, lengths: np.ndarray) -> np.ndarray:
        """Takes places for rows whose first columns are about to be written; returns them."""
        first = len(self.lengths)
        self.lengths = np.concatenate((self.lengths, lengths))
        self._hide()
        return np.arange(first, len(self.lengths))

    def _hide(self) -> None:
        lengths = self.lengths
        even = len(lengths) == 0 or (lengths.min() == lengths.max() and lengths.min() >= NARROWEST)
        if even:
            self.bias = None
            return
        empty = torch.arange(self.columns)[None, :] >= torch.from_numpy(lengths)[:, None]
        bias = torch.zeros(empty.shape, dtype=self.dtype).masked_fill_(empty, -torch.inf)
        self.bias = bias[:, None, :].repeat_interleave(self.config.key_value_heads, 0)

    def fill(self, layer: int, owners: Tensor, rows: Tensor, heads_NHd: Tensor, bucket: Bucket) -> None:
        """Writes packed prompts into rows, each of which names its prompt."""
        config = self.config
        both = spread(heads_NHd[:, config.heads :].flatten(1), bucket)
        both = both.view(bucket.rows, bucket.columns, 2, config.key_value_heads, config.head_width)
        target = self.layers[layer].unflatten(1, (-1, config.key_value_heads))
        target[:, rows, :, : bucket.columns] = both.permute(2, 0, 3, 1, 4)[:, owners]

    def put(self, row: int, kept: Tensor, columns: int) -> None:
        """Writes keys and values that were kept, [layers, 2, K, ≥ columns, d], into a row's first columns."""
        for layer, one in zip(self.layers, kept, strict=True):
            self._of(layer, row)[:, :, :columns].copy_(one[:, :, :columns])

    def copy(self, row: int) -> Tensor:
        """A row's keys and values, [layers, 2, K, length, d]."""
        config, length = self.config, int(self.lengths[row])
        kept = zeros((config.layers, 2, config.key_value_heads, length, config.head_width), self.dtype)
        for one, layer in zip(kept, self.layers, strict=True):
            one.copy_(self._of(layer, row)[:, :, :length])
        return kept

    def share(self, source: int, rows: np.ndarray) -> None:
        """Rows become as another."""
        length, heads = int(self.lengths[source]), self.config.key_value_heads
        for layer in self.layers:
            of = layer.unflatten(1, (-1, heads))
            of[:, torch.from_numpy(rows), :, :length] = of[:, source : source + 1, :, :length]

    def _of(self, layer: Tensor, row: int) -> Tensor:
        heads = self.config.key_value_heads
        return layer[:, row * heads : (row + 1) * heads]

    def open(self, live_B: np.ndarray) -> Column:
        """The next column of every row, which `attend` writes in each layer; of rows that are done the last
        one again."""
        heads, count = self.config.key_value_heads, len(self.lengths)
        lengths = torch.from_numpy(np.where(live_B, self.lengths, np.maximum(self.lengths - 1, 0)))
        kv, row, head = (
            torch.arange(2)[None, :, None],
            torch.arange(count)[:, None, None],
            torch.arange(heads),
        )
        at = ((kv * self.places + row) * heads + head) * self.columns + lengths[:, None, None]
        if self.bias is not None:
            self.bias.view(count, heads, -1)[torch.arange(count), :, lengths] = 0
        self.lengths = self.lengths + live_B
        if self.bias is not None and self.lengths.min() == self.lengths.max() == NARROWEST:
            self.bias = None
        return Column(at.flatten(1), max(int(self.lengths.max()), NARROWEST))

    def attend(self, layer: int, column: Column, heads_BHd: Tensor) -> Tensor:
        """Writes the column's keys and values, and attends to all up to it: [B, H, d] in, [B, K·G·d] out."""
        config = self.config
        count, width, heads = len(heads_BHd), config.head_width, config.key_value_heads
        tensor, seen = self.layers[layer], column.seen
        tensor.view(-1, width).index_put_((column.at,), heads_BHd[:, config.heads :])
        keys, values = tensor[0, : count * heads, :seen], tensor[1, : count * heads, :seen]
        queries = heads_BHd[:, : config.heads]
        if keys.dtype != torch.float32:
            return self._flash(queries, keys, values, seen)
        queries = queries.reshape(count * heads, -1, width)
        bias, beta = (self.nothing, 0) if self.bias is None else (self.bias[:, :, :seen], 1)
        scores = torch.baddbmm(bias, queries, keys.transpose(1, 2), beta=beta, alpha=width**-0.5)
        return torch.bmm(scores.softmax(-1), values).view(count, -1)

    def _flash(self, queries_BHd: Tensor, keys: Tensor, values: Tensor, seen: int) -> Tensor:
        """Batched products of small matrices are slow in bf16; a flash kernel takes the queries of a key's
        group as rows."""
        heads = self.config.key_value_heads
        queries = queries_BHd.unflatten(1, (heads, -1))
        keys, values = keys.unflatten(0, (-1, heads)), values.unflatten(0, (-1, heads))
        mask = None if self.bias is None else self.bias[:, :, :seen].unflatten(0, (-1, heads))
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask).flatten(1)

    def extend(self, layer: int, rows: Tensor, places: Places, heads_NHd: Tensor) -> Tensor:
        """Writes what follows the first columns of rows, packed, and attends to all before each: [N, H, d]
        in, [N, K·G·d] out."""
        config = self.config
        heads, width = config.key_value_heads, config.head_width
        target = self.layers[layer].unflatten(1, (-1, heads))
        fresh = heads_NHd[:, config.heads :].unflatten(1, (2, heads))
        target[:, rows[places.row_N], :, places.column_N] = fresh
        bucket = places.bucket
        queries = spread(heads_NHd[:, : config.heads].flatten(1), bucket).unflatten(2, (-1, width))
        keys, values = target[:, rows, :, : places.seen]
        attended = F.scaled_dot_product_attention(
            queries.transpose(1, 2), keys, values, attn_mask=places.mask, enable_gqa=config.heads != heads
        )
        attended_N = attended.transpose(1, 2).flatten(2).flatten(0, 1)
        return attended_N if bucket.place_N is None else attended_N.index_select(0, bucket.place_N)


@dataclass(frozen=True)
class Column:
    """Where the next keys and values of each row lie in a layer's memory, [B, 2·K], and how many columns are
    seen."""

    at: Tensor
    seen: int


@dataclass(frozen=True)
class Places:
    """Packed positions that follow what rows have: row and column of each, [N], their rectangle, and what
    each sees, [R, 1, T, seen]."""

    row_N: Tensor
    column_N: Tensor
    bucket: Bucket
    mask: Tensor
    seen: int

    @staticmethod
    def after(starts: np.ndarray, lengths: np.ndarray) -> Places:
        """Of rows that have so many columns and get so many more."""
        row = np.repeat(np.arange(len(lengths)), lengths)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        seen = int((starts + lengths).max())
        column = torch.arange(seen)
        ends = torch.from_numpy(starts)[:, None] + torch.arange(int(lengths.max()))
        return Places(
            torch.from_numpy(row),
            torch.from_numpy(starts[row] + within),
            rectangle(lengths),
            (column <= ends[:, :, None])[:, None],
            seen,
        )


def rectangle(lengths: np.ndarray) -> Bucket:
    """Packed rows as a rectangle as wide as the longest."""
    columns = int(lengths.max())
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    full = bool((lengths == columns).all())
    place = np.repeat(np.arange(len(lengths)) * columns, lengths) + within
    return Bucket(len(place), len(lengths), columns, None if full else torch.from_numpy(place))
