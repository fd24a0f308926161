"""Keys and values of the rows that decode together. Suffixes as in decoder.py; K key-value heads, each read
by G query heads, C columns of room. Prompts are right-aligned, so that every row writes the same column."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .config import ModelConfig
from .packing import NARROWEST, Bucket, spread

ROOM = 64
"""Columns of room for answers at first; doubled when they are used up."""


class Cache:
    """Keys and values [layers, 2, B·K, C, d], written a column at a time."""

    def __init__(self, config: ModelConfig, dtype: torch.dtype, prompts: np.ndarray, most: int) -> None:
        """Room for prompts of these lengths and at most `most` tokens after each."""
        self.config, self.start = config, int(prompts.max())
        self.last = max(self.start + most, NARROWEST)
        capacity = min(self.last, max(self.start + ROOM, NARROWEST))
        rows = len(prompts) * config.key_value_heads
        self.tensor = torch.empty((config.layers, 2, rows, capacity, config.head_width), dtype=dtype)
        # What is hidden weighs nothing, and must still be a number.
        self.tensor[:, :, :, self.start : NARROWEST].zero_()
        self.nothing = torch.zeros(1, 1, 1, dtype=dtype)
        self.bias: Tensor | None = None
        """-∞ where a row has no key, [B·K or 1, 1, C]; None when none lacks any."""
        pads = self.start - prompts if prompts.min() < self.start else np.zeros(1, dtype=np.int64)
        if pads.any() or self.start < NARROWEST:
            column = torch.arange(capacity)[None, :]
            empty = (column < torch.from_numpy(pads)[:, None]) | (column >= self.start)
            bias = torch.zeros(empty.shape, dtype=dtype).masked_fill_(empty, -torch.inf)[:, None, :]
            self.bias = bias if len(bias) == 1 else bias.repeat_interleave(config.key_value_heads, 0)

    def right_aligned(self, lengths: np.ndarray) -> Bucket:
        """Where packed prompts lie in a rectangle as wide as the longest prompt of all."""
        ends = np.cumsum(lengths)
        shifts = np.repeat(np.arange(1, len(lengths) + 1) * self.start - ends, lengths)
        full = bool((lengths == self.start).all())
        place_N = None if full else torch.from_numpy(np.arange(ends[-1]) + shifts)
        return Bucket(int(ends[-1]), len(lengths), self.start, place_N)

    def fill(
        self, layer: int, rows: slice, heads_NHd: Tensor, bucket: Bucket, prompt_B: Tensor | None
    ) -> None:
        """Writes packed prompts into the rows, which name their prompt where several have the same."""
        config = self.config
        both = spread(heads_NHd[:, config.heads :].flatten(1), bucket)
        both = both.view(bucket.rows, self.start, 2, config.key_value_heads, config.head_width)
        both = both if prompt_B is None else both[prompt_B]
        target = self.tensor[layer].unflatten(1, (-1, config.key_value_heads))[:, rows, :, : self.start]
        target.copy_(both.permute(2, 0, 3, 1, 4))

    def open(self, column: int) -> None:
        """Makes a column visible, before it is written; makes room for it."""
        if column == self.tensor.shape[3]:
            more = min(self.last, 2 * column) - column
            self.tensor = F.pad(self.tensor, (0, 0, 0, more))
            self.bias = None if self.bias is None else F.pad(self.bias, (0, more), value=-torch.inf)
        if self.bias is not None:
            self.bias[:, :, column] = 0

    def attend(self, layer: int, column: int, heads_BHd: Tensor) -> Tensor:
        """Writes the column's keys and values, and attends to all up to it: [B, H, d] in, [B, K·G·d] out."""
        config = self.config
        rows, width = len(heads_BHd), config.head_width
        queries, fresh = heads_BHd.split([config.heads, 2 * config.key_value_heads], dim=1)
        fresh = fresh.unflatten(1, (2, config.key_value_heads)).transpose(0, 1)
        self.tensor[layer, :, :, column].unflatten(1, (rows, -1)).copy_(fresh)
        seen = max(column + 1, NARROWEST)
        keys, values = self.tensor[layer, 0, :, :seen], self.tensor[layer, 1, :, :seen]
        if keys.dtype != torch.float32:
            return self._flash(queries, keys, values, seen)
        queries = queries.reshape(rows * config.key_value_heads, -1, width)
        bias, beta = (self.nothing, 0) if self.bias is None else (self.bias[:, :, :seen], 1)
        scores = torch.baddbmm(bias, queries, keys.transpose(1, 2), beta=beta, alpha=width**-0.5)
        return torch.bmm(scores.softmax(-1), values).view(rows, -1)

    def _flash(self, queries_BHd: Tensor, keys: Tensor, values: Tensor, seen: int) -> Tensor:
        """Batched products of small matrices are slow in bf16; a flash kernel takes the queries of a key's
        group as rows."""
        heads = self.config.key_value_heads
        queries = queries_BHd.unflatten(1, (heads, -1))
        keys, values = keys.unflatten(0, (-1, heads)), values.unflatten(0, (-1, heads))
        mask = None
        if self.bias is not None:
            mask = self.bias[:, :, :seen].unflatten(0, (-1, heads if len(self.bias) > 1 else 1))
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask).flatten(1)

    def keep(self, kept_B: Tensor) -> None:
        """Drops the other rows."""
        heads = self.config.key_value_heads
        self.tensor = self.tensor.unflatten(2, (-1, heads)).index_select(2, kept_B).flatten(2, 3)
        if self.bias is not None and len(self.bias) > 1:
            self.bias = self.bias.unflatten(0, (-1, heads)).index_select(0, kept_B).flatten(0, 1)
