"""One token of each of the rows that decode together, in a small model: the memory that its layers share, and
their views of it and of the cache, made once for as long as the rows stay where they are. Suffixes as in
cache.py; L layers' lines, M·K of them."""

from __future__ import annotations

import torch
from torch import Tensor

from .cache import Cache
from .places import Target


class Rank:
    """Rows side by side. A layer puts its queries, keys and values into `heads_BO`, and attends."""

    def __init__(self, cache: Cache) -> None:
        config, rows = cache.config, len(cache.lengths)
        keys, width = config.key_value_heads, config.head_width
        self.cache, self.rows, self.first = cache, rows, cache.layers[0]
        self.heads_BO = torch.empty(rows, (config.heads + 2 * keys) * width)
        heads_BHd = self.heads_BO.view(rows, -1, width)
        turned = heads_BHd[:, : config.heads + keys]
        self.turned = torch.view_as_complex(turned.unflatten(2, (-1, 2))) if width % 2 == 0 else turned
        """Queries and keys as complex numbers, neighbours that are turned together."""
        self.asked_BHd = heads_BHd[:, : config.heads]
        self.queries_BHd = torch.empty(rows, config.heads, width)
        self.queries_LGd = self.queries_BHd.view(rows * keys, -1, width)
        self.fresh_BHd = heads_BHd[:, config.heads :]
        self.fresh_2BKd = self.fresh_BHd.unflatten(1, (2, keys)).transpose(0, 1)
        self.lit_BO = torch.empty(rows, 2 * config.hidden)
        self.gate_BO, self.up_BO = self.lit_BO.chunk(2, dim=1)
        own = [layer[:, : rows * keys] for layer in cache.layers]
        self.keys_LdC = [layer[0].transpose(1, 2) for layer in own]
        self.values_LCd = [layer[1] for layer in own]
        self.columns_2BKCd = [layer.unflatten(1, (rows, keys)) for layer in own]
        self.memory = [layer.view(-1, width) for layer in cache.layers]

    def fits(self, cache: Cache) -> bool:
        """Whether the cache's rows are these, where they were."""
        return self.first is cache.layers[0] and self.rows == len(cache.lengths)

    def attend(self, layer: int, column: Target) -> Tensor:
        """As `Cache.attend`, of what `heads_BO` holds, [B, K·G·d]."""
        if isinstance(column.to, Tensor):
            memory = self.memory[layer]
            memory.index_copy_(0, column.to, self.fresh_BHd.reshape(-1, memory.shape[1]))
        else:
            self.columns_2BKCd[layer].select(3, column.to.start).copy_(self.fresh_2BKd)
        self.queries_BHd.copy_(self.asked_BHd)
        keys = self.keys_LdC[layer].narrow(2, 0, column.seen)
        scale, bias = self.queries_BHd.shape[2] ** -0.5, self.cache.bias
        if bias is None:
            scores = torch.baddbmm(self.cache.nothing, self.queries_LGd, keys, beta=0, alpha=scale)
        else:
            hidden = bias[column.lines, :, : column.seen]
            scores = torch.baddbmm(hidden, self.queries_LGd, keys, alpha=scale)
        values = self.values_LCd[layer].narrow(1, 0, column.seen)
        return torch.bmm(torch.softmax(scores, -1), values).view(self.rows, -1)
