"""One token of each of the rows that decode together, on a GPU. To start a step's thousand small calls takes
the host several times as long as the GPU takes to answer them; a step that comes again is recorded, and then
started as one. Suffixes as in cache.py; R rows of a step, of which B are there; S columns that it sees."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .cache import Cache
from .decoder import Decoder
from .device import device
from .linear import Weights
from .places import lines_of

COLUMNS = 64
"""Steps see a multiple of so many columns, or of an eighth of what they see."""
ROWS = 64
"""Steps are of a power of two of rows, or of a multiple of so many."""


class CapturedSteps:
    """Steps of rows in a cache whose memory stays where it is, with weights that stay where they are."""

    def __init__(self, decoder: Decoder, weights: Weights, cache: Cache) -> None:
        self.decoder, self.weights, self.cache = decoder, weights, cache
        # Its own: the decoder's tables are made anew when a longer sequence comes.
        self.rotation_C = decoder.rotation(weights, torch.arange(cache.columns, device=device()))
        places = np.arange(cache.places)
        self.lines_ML = lines_of(places, np.zeros_like(places), cache.shape).view(len(places), -1)
        """Lines of each place's first column in a layer's memory, of its keys and then its values."""
        self.tokens_M = torch.zeros(len(places), dtype=torch.long, device=device())
        self.column_M = torch.zeros(len(places), dtype=torch.long, device=device())
        self.steps: dict[tuple[int, int], Step | None] = {}
        """By R and S; None for one that was run once."""
        self.pool = torch.cuda.graph_pool_handle() if device().type == "cuda" else None

    def step(self, tokens_B: Tensor, column_B: np.ndarray) -> Tensor:
        """Writes the tokens' keys and values in their columns; returns the hidden states after them, [B, D],
        which are there until the next step."""
        count = len(column_B)
        rows = min(self.cache.places, _round_up(count, min(ROWS, 1 << (count - 1).bit_length())))
        longest = int(column_B.max()) + 1
        seen = min(self.cache.columns, _round_up(longest, max(COLUMNS, longest // 8)))
        self.tokens_M[:count] = tokens_B
        # Rows that are not there write in places that nobody has.
        column_M = np.zeros(rows, dtype=np.int64)
        column_M[:count] = column_B
        self.column_M[:rows] = torch.from_numpy(column_M)
        key = (rows, seen)
        if key not in self.steps or self.pool is None:
            self.steps[key] = None
            return self._run(rows, seen)[:count]
        step = self.steps[key]
        if step is None:
            step = self.steps[key] = Step(lambda: self._run(rows, seen), self.pool)
        return step.replay()[:count]

    def _run(self, rows: int, seen: int) -> Tensor:
        config, width = self.cache.config, self.cache.config.head_width
        keys, column_R = config.key_value_heads, self.column_M[:rows]
        lines = (self.lines_ML[:rows] + column_R[:, None]).view(-1)
        # A kernel takes masks whose lines begin at multiples of 16 bytes.
        column_S = torch.arange(_round_up(seen, 8), device=device())
        bias_RS = torch.zeros(rows, len(column_S), dtype=self.cache.dtype, device=device())
        bias_RS.masked_fill_(column_S > column_R[:, None], -torch.inf)
        bias = bias_RS[:, None, None, :seen].expand(-1, keys, config.heads // keys, -1)

        def attend(layer: int, heads_RHd: Tensor) -> Tensor:
            memory = self.cache.layers[layer]
            fresh = heads_RHd[:, config.heads :].reshape(-1, width)
            memory.view(-1, width).index_copy_(0, lines, fresh)
            # The queries of a key's group are rows.
            queries = heads_RHd[:, : config.heads].unflatten(1, (keys, -1))
            both = memory[:, : rows * keys, :seen].unflatten(1, (rows, keys))
            return F.scaled_dot_product_attention(queries, both[0], both[1], attn_mask=bias).flatten(1)

        tokens_R, rotation_R = self.tokens_M[:rows], None
        if self.rotation_C is not None:
            cosine_C, sine_C = self.rotation_C
            rotation_R = cosine_C.index_select(0, column_R), sine_C.index_select(0, column_R)
        return self.decoder.run(self.weights, tokens_R, column_R, attend, rotation=rotation_R)


class Step:
    """A recorded one."""

    def __init__(self, run: Callable[[], Tensor], pool: tuple[int, int]) -> None:
        self.graph, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        # PyTorch's own context would wait for the GPU and collect garbage first: longer than the step takes.
        with torch.cuda.stream(stream):
            self.graph.capture_begin(pool=pool, capture_error_mode="thread_local")
            try:
                self.out = run()
            finally:
                self.graph.capture_end()

    def replay(self) -> Tensor:
        self.graph.replay()
        return self.out


def _round_up(count: int, unit: int) -> int:
    return -(-count // unit) * unit
