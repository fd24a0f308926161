"""Keys and values of the rows that decode together. Suffixes as in decoder.py; K key-value heads, each read
by G query heads; C columns of room; M places for rows, of which B are taken. A row's position is its
column."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .attention import for_queries
from .config import ModelConfig
from .device import device, moved, on_host
from .memory import zeros
from .packing import NARROWEST, spread
from .places import Places, Target, causal, lines_of, places_after
from .precision import with_tiles

ROOM = 64
"""Columns of room for answers at first; doubled when they are used up."""
FEW, FEW_FOR_TILES = 160, 24
"""Columns of keys in bf16 up to which the processor asks faster in fp32 than with a flash kernel; the same
where bf16 is multiplied by tiles."""
MANY = 96
"""Lines of values in bf16 from which the processor adds them up faster as they are than turned into fp32."""
KEPT_BYTES = 2**25
"""Most memory that is kept when no row is left: to take it anew would cost a small model's next rows more
than some of their tokens."""


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
        self.longest, self.even = 0, True
        """The most of these, and whether all are as many."""
        self.columns = 0
        self.layers: list[Tensor] = []
        self.pieces: list[Tensor] = []
        """The memory that layers lie in; without rows, that of those that were here before."""
        self.whole: Tensor | None = None
        """All layers in one, [layers, 2, M·K, C, d], on a GPU, which waits for the calls of each."""
        self.sound = True
        """Whether all that rows have written are numbers; where not, those who wrote it go next."""
        self.few = FEW_FOR_TILES if with_tiles() else FEW
        self.nothing = torch.zeros(1, 1, 1)
        self.bias: Tensor | None = None
        """-∞ where a row has no key, [M·K, 1, C]; None while all rows have all up to the last column."""

    @property
    def places(self) -> int:
        return self.layers[0].shape[1] // self.config.key_value_heads if self.layers else 0

    @property
    def bytes(self) -> int:
        """What rows have reached, at most."""
        return len(self.lengths) * self.columns * column_bytes(self.config, self.dtype)

    @property
    def shape(self) -> tuple[int, int, int]:
        """[M, K, C]."""
        return self.places, self.config.key_value_heads, self.columns

    def empty(self) -> None:
        """No rows. Their memory serves the next ones, where it is little and holds numbers."""
        if not self.sound or sum(piece.nbytes for piece in self.pieces) > KEPT_BYTES:
            self.pieces = []
        self.sound = True
        self.lengths, self.columns, self.layers, self.bias = np.zeros(0, dtype=np.int64), 0, [], None
        self.whole = None
        self.longest, self.even = 0, True

    def resize(self, places: int, columns: int, kept_B: np.ndarray | None = None) -> None:
        """Other room for the rows that are kept (all if None), in this order."""
        config, heads = self.config, self.config.key_value_heads
        kept = np.arange(len(self.lengths)) if kept_B is None else kept_B
        self.lengths = self.lengths[kept]
        seen = int(self.lengths.max(initial=0))
        rows = moved(kept)
        shape = (2, places * heads, columns, config.head_width)
        self.columns = columns

        def keep(old: Tensor, new: Tensor) -> None:
            """Of one layer, or of all in one."""
            old, new = (one.unflatten(-3, (-1, heads))[..., :seen, :] for one in (old, new))
            rest = old[..., : len(kept), :, :, :] if kept_B is None else old[..., rows, :, :, :]
            new[..., : len(kept), :, :, :] = rest

        if not on_host():
            before, self.whole = self.whole, zeros((config.layers, *shape), self.dtype)
            self.layers = list(self.whole)
            if before is not None and len(kept) > 0:
                keep(before, self.whole)
        else:
            # Layer by layer, so that not all of the old memory and all of the new is there at once.
            for layer in range(config.layers):
                piece = self._piece(layer, math.prod(shape))
                new = piece[: math.prod(shape)].view(shape)
                if len(kept) > 0:
                    keep(self.layers[layer], new)
                self.layers[layer : layer + 1], self.pieces[layer : layer + 1] = [new], [piece]
        self._hide()

    def _piece(self, layer: int, count: int) -> Tensor:
        """Memory for so many numbers, or more."""
        free = self.pieces[layer : layer + 1] if len(self.lengths) == 0 else []
        return free[0] if free and len(free[0]) >= count else zeros((count,), self.dtype)

    def drop(self, gone: np.ndarray) -> np.ndarray:
        """Rows (True where one goes) give their places up: the last of the others move there. Returns which
        row each of the others' places has now."""
        if not self.sound:
            # Whoever comes there next would have it behind its own columns.
            for layer in self.layers:
                for row in np.flatnonzero(gone).tolist():
                    layer[:, self._lines(row), : self.longest] = 0
            self.sound = True
        count = int((~gone).sum())
        order = np.arange(count)
        holes = np.flatnonzero(gone[:count])
        moved = count + np.flatnonzero(~gone[count:])
        order[holes] = moved
        if len(holes) > 0:
            self.share(moved, holes)
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
        self.longest = int(lengths.max(initial=0))
        self.even = len(lengths) == 0 or int(lengths.min()) == self.longest
        if self.even and (self.longest >= NARROWEST or len(lengths) == 0):
            self.bias = None
            return
        empty = torch.arange(self.columns, device=device())[None, :] >= moved(lengths)[:, None]
        bias = torch.zeros(empty.shape, dtype=self.dtype, device=device()).masked_fill_(empty, -torch.inf)
        self.bias = bias[:, None, :].repeat_interleave(self.config.key_value_heads, 0)

    def put(self, row: int, kept: Tensor, columns: int) -> None:
        """Writes keys and values that were kept, [layers, 2, K, ≥ columns, d], into a row's first columns."""
        if self.whole is not None:
            self.whole[:, :, self._lines(row), :columns] = kept[:, :, :, :columns]
            return
        for layer, one in zip(self.layers, kept, strict=True):
            layer[:, self._lines(row), :columns].copy_(one[:, :, :columns])

    def copy(self, row: int) -> Tensor:
        """A row's keys and values, [layers, 2, K, length, d]."""
        config, length = self.config, int(self.lengths[row])
        if self.whole is not None:
            return self.whole[:, :, self._lines(row), :length].clone()
        kept = zeros((config.layers, 2, config.key_value_heads, length, config.head_width), self.dtype)
        for one, layer in zip(kept, self.layers, strict=True):
            one.copy_(layer[:, self._lines(row), :length])
        return kept

    def share(self, sources: np.ndarray, rows: np.ndarray) -> None:
        """Rows become as others are, one each."""
        seen, heads = int(self.lengths[sources].max()), self.config.key_value_heads
        source, into = moved(sources), moved(rows)
        for layer in self.layers if self.whole is None else [self.whole]:
            of = layer.unflatten(-3, (-1, heads))[..., :seen, :]
            of[..., into, :, :, :] = of[..., source, :, :, :]

    def _lines(self, row: int) -> slice:
        heads = self.config.key_value_heads
        return slice(row * heads, (row + 1) * heads)

    def next_columns(self, live_B: np.ndarray | None) -> np.ndarray:
        """The next column of every row, [B]; where only some go on (True), of the others the last one again.
        What is hidden of the others is not kept up to date."""
        if live_B is None:
            column, self.lengths = self.lengths, self.lengths + 1
            self.longest += 1
        else:
            column = np.where(live_B, self.lengths, np.maximum(self.lengths - 1, 0))
            self.lengths = self.lengths + live_B
            self.longest = int(self.lengths.max())
            self.even = int(self.lengths.min()) == self.longest
        return column

    def open(self, live_B: np.ndarray | None) -> Target:
        """The next columns, which `attend` writes in each layer."""
        count, column = len(self.lengths), self.next_columns(live_B)
        if self.bias is not None:
            bias = self.bias.view(count, self.config.key_value_heads, -1)
            bias[torch.arange(count, device=device()), :, moved(column)] = 0
            if self.even and self.longest == NARROWEST:
                self.bias = None
        to: slice | Tensor = slice(self.longest - 1, self.longest)
        if self.even:
            column = column[:1]
        else:
            to = lines_of(np.arange(count), column, self.shape)
        lines = slice(0, count * self.config.key_value_heads)
        return Target(lines, to, max(self.longest, NARROWEST), moved(column))

    def attend(self, layer: int, column: Target, heads_BHd: Tensor) -> Tensor:
        """Writes the column's keys and values, and attends to all up to it: [B, H, d] in, [B, K·G·d] out."""
        self.write(layer, column, heads_BHd)
        return self._ask(layer, column.lines, heads_BHd[:, : self.config.heads], column.seen)

    def follow(self, rows: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> Places:
        """Where positions lie that follow the first columns of rows."""
        return places_after(rows, starts, lengths, self.shape)

    def extend(self, layer: int, places: Places, heads_NHd: Tensor) -> Tensor:
        """Writes what follows the first columns of rows, packed, and attends to all before each: [N, H, d]
        in, [N, K·G·d] out."""
        self.write(layer, places, heads_NHd)
        heads, bucket = self.config.heads, places.bucket
        queries = spread(heads_NHd[:, :heads].flatten(1), bucket).unflatten(2, (heads, -1)).transpose(1, 2)
        attended = self._each(layer, places, queries).transpose(1, 2).flatten(2).flatten(0, 1)
        return attended if bucket.place_N is None else attended.index_select(0, bucket.place_N)

    def _each(self, layer: int, places: Places, queries: Tensor) -> Tensor:
        """What queries [R, K·G, T, d] of rows see of their keys and values, as many."""
        heads, width = self.config.key_value_heads, self.config.head_width
        if places.mask is not None:
            seen = self.layers[layer][:, places.lines, : places.seen].unflatten(1, (-1, heads))
            keys, values = (for_queries(one, self.config.heads // heads) for one in seen)
            grouped = keys.shape[1] != queries.shape[1]
            return F.scaled_dot_product_attention(
                queries, keys, values, attn_mask=places.mask, enable_gqa=grouped
            )
        keys, values = self.layers[layer][:, places.lines, : max(places.seen, NARROWEST)]
        mask = causal(queries.shape[2], self.config.heads // heads, keys.shape[1])
        lines = queries.reshape(len(keys), -1, width)
        scores = torch.baddbmm(mask, lines, keys.transpose(1, 2), alpha=width**-0.5)
        return torch.bmm(scores.softmax(-1), values).view_as(queries)

    def end(self, layer: int, places: Places, heads_NHd: Tensor) -> Tensor:
        """As `extend`, where only what the last position of each row sees is wanted, [R, K·G·d]."""
        self.write(layer, places, heads_NHd)
        queries = heads_NHd[places.last_R, : self.config.heads]
        return self._ask(layer, places.lines, queries, max(places.seen, NARROWEST))

    def write(self, layer: int, target: Target, heads_NHd: Tensor) -> None:
        """Puts keys and values of packed positions where they belong."""
        fresh, memory = heads_NHd[:, self.config.heads :], self.layers[layer]
        heads, width = self.config.key_value_heads, self.config.head_width
        if isinstance(target.to, Tensor):
            memory.view(-1, width).index_copy_(0, target.to, fresh.reshape(-1, width))
            return
        into = memory[:, target.lines, target.to]
        rows, columns = into.shape[1] // heads, into.shape[2]
        from_ = fresh.view(rows, columns, 2, heads, width).permute(2, 0, 3, 1, 4)
        into.view(2, rows, heads, columns, width).copy_(from_)

    def _ask(self, layer: int, lines: slice | Tensor, queries_BHd: Tensor, seen: int) -> Tensor:
        """What one query a head sees of its row's keys and values, [B, K·G·d]."""
        keys, values = self.layers[layer][:, lines, :seen]
        bias = None if self.bias is None else self.bias[lines, :, :seen]
        width, count = self.config.head_width, len(queries_BHd)
        if not keys.is_cpu or (keys.dtype != torch.float32 and seen > self.few):
            return self._flash(queries_BHd, keys, values, bias)
        queries, keys = queries_BHd.float().reshape(len(keys), -1, width), keys.float()
        values = values if len(keys) >= MANY else values.float()
        hidden, weight = (self.nothing, 0) if bias is None else (bias.float(), 1)
        scores = torch.baddbmm(hidden, queries, keys.transpose(1, 2), beta=weight, alpha=width**-0.5)
        shares = torch.softmax(scores, -1).to(values.dtype)
        return torch.bmm(shares, values).view(count, -1).to(self.dtype)

    def _flash(self, queries_BHd: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None) -> Tensor:
        """Batched products of small matrices are slow in bf16, and on a GPU; a flash kernel takes the queries
        of a key's group as rows."""
        heads = self.config.key_value_heads
        queries = queries_BHd.unflatten(1, (heads, -1))
        keys, values = keys.unflatten(0, (-1, heads)), values.unflatten(0, (-1, heads))
        mask = None if bias is None else bias.unflatten(0, (-1, heads))
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask).flatten(1)
