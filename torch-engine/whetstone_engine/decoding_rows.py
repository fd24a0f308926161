"""One token of each of the rows that decode together, in a small model: the memory that its layers share, and
their views of it and of the cache, made once for as long as the rows stay where they are. Suffixes as in
cache.py; L layers' lines, M·K of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .cache import Cache
from .device import moved
from .first_layer import FirstLayer
from .kernels import for_each_head
from .places import Target


class DecodingRows:
    """Rows side by side. A layer puts its queries, keys and values into `heads_BO`, and attends."""

    def __init__(
        self,
        cache: Cache,
        rotation_C1p: Tensor | None,
        first_layer: FirstLayer | None,
        texts: list[np.ndarray],
    ) -> None:
        """`texts` are what the cache has of each row, where the first layer is looked up."""
        config, rows = cache.config, len(cache.lengths)
        keys, width = config.key_value_heads, config.head_width
        self.cache, self.rows = cache, rows
        self.heads_BO = torch.empty(rows, (config.heads + 2 * keys) * width)
        heads_BHd = self.heads_BO.view(rows, -1, width)
        self.rotation_CHp: Tensor | None = None
        if rotation_C1p is not None:
            self.rotation_CHp = for_each_head(rotation_C1p, config.heads + keys)
            pairs = torch.view_as_complex(self.heads_BO.view(rows, -1, width // 2, 2))
            self.turned = pairs[:, : config.heads + keys]
            """Queries and keys as complex numbers, neighbours that are turned together."""
        self.asked_BHd = heads_BHd[:, : config.heads]
        self.queries_BHd = torch.empty(rows, config.heads, width)
        self.queries_LGd = self.queries_BHd.view(rows * keys, -1, width)
        self.fresh_BHd = heads_BHd[:, config.heads :]
        self.fresh_2BKd = self.heads_BO.view(rows, -1, keys, width)[:, -2:].transpose(0, 1)
        self.lit_BO = torch.empty(rows, 2 * config.hidden)
        self.gate_BO, self.up_BO = self.lit_BO.chunk(2, dim=1)
        self.own = [layer[:, : rows * keys] for layer in cache.layers]
        self.columns_2BKCd = [layer.view(2, rows, keys, -1, width) for layer in self.own]
        self.memory = [layer.view(-1, width) for layer in cache.layers]
        self.first_layer = first_layer
        if first_layer is not None:
            texts_BC = np.zeros((rows, cache.columns), dtype=np.int64)
            texts_BC[np.arange(cache.columns) < cache.lengths[:, None]] = np.concatenate(texts)
            self.texts_BC = moved(texts_BC)
            self.asked_BC = first_layer.asked(self.texts_BC, torch.arange(cache.columns))

    def rotation(self, column: Target) -> Tensor | None:
        """Of queries and keys in a column: complex numbers, [B, K·G + K, d/2], or of one row for all."""
        table = self.rotation_CHp
        if table is None or isinstance(column.to, slice):
            return None if table is None else table[column.to]
        return table.index_select(0, column.column_N)

    def look(self, tokens_B: Tensor, column: Target) -> Tensor:
        """Writes the column's tokens, and looks up what they attend to in the first layer: the share of each
        token of the vocabulary in each head, [B, H·V]."""
        table, bias, seen = self.first_layer, self.cache.bias, column.seen
        if isinstance(column.to, Tensor):
            column_B1 = column.column_N[:, None]
            self.texts_BC.scatter_(1, column_B1, tokens_B[:, None])
            self.asked_BC.scatter_(1, column_B1, table.asked(tokens_B, column.column_N)[:, None])
        else:
            self.texts_BC.select(1, column.to.start).copy_(tokens_B)
            self.asked_BC.select(1, column.to.start).copy_(table.asked(tokens_B, column.column_N))
        own_B = table.asking(tokens_B, column.column_N)
        if bias is not None:
            bias = bias.view(-1, self.cache.config.key_value_heads, bias.shape[2])[: self.rows, 0, :seen]
        index_BC = own_B[:, None] + self.asked_BC.narrow(1, 0, seen)
        if bias is not None or isinstance(column.to, Tensor):
            # What comes after, which a row that is done sees too, is at no distance.
            index_BC.clamp_(min=0)
        return table.shares(index_BC, self.texts_BC.narrow(1, 0, seen), bias)

    def attend(self, layer: int, column: Target) -> Tensor:
        """As `Cache.attend`, of what `heads_BO` holds, [B, K·G·d]."""
        if isinstance(column.to, Tensor):
            memory = self.memory[layer]
            memory.index_copy_(0, column.to, self.fresh_BHd.reshape(-1, memory.shape[1]))
        else:
            self.columns_2BKCd[layer].select(3, column.to.start).copy_(self.fresh_2BKd)
        self.queries_BHd.copy_(self.asked_BHd)
        keys, values = self.own[layer].narrow(2, 0, column.seen)
        keys = keys.transpose(1, 2)
        scale, bias = self.queries_BHd.shape[2] ** -0.5, self.cache.bias
        if bias is None:
            scores = torch.baddbmm(self.cache.nothing, self.queries_LGd, keys, beta=0, alpha=scale)
        else:
            hidden = bias[column.lines, :, : column.seen]
            scores = torch.baddbmm(hidden, self.queries_LGd, keys, alpha=scale)
        return torch.bmm(torch.softmax(scores, -1), values).view(self.rows, -1)
