"""Rows that decode together in a model of transformers: their prompts are of one length, so that none is
padded, and they begin together. Suffixes as in decoder.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..batch import LONG, ROWS, Batch
from ..device import moved
from ..rows import Row
from .decoder import PlainDecoder

PROMPT_TOKENS = 16384
"""Most tokens of different prompts that are read at once."""


class PlainBatch(Batch):
    """Rows in the order of their places in the library's cache. Nothing is kept of rows that ended."""

    decoder: PlainDecoder

    def clear(self) -> None:
        super().clear()
        self.past: Any = None
        self.prompt = 0
        """Tokens of each prompt."""
        self.text_BT = torch.empty(0, 0, dtype=torch.long)
        """Prompts and what is written of each, where there is no cache to go on from."""
        self.decoder.unbind()

    @property
    def bytes(self) -> int:
        return len(self.rows) * (self.prompt + int(self.positions.max(initial=0))) * self.column_bytes

    def fitting(self, waiting: list[Row], most_bytes: int) -> int:
        """None while others write; else those at the front that fit, whose prompts are as long as the
        first's."""
        if self.rows or not waiting:
            return 0
        prompt, longest = len(waiting[0].prompt), 0
        prompts: set[bytes] = set()
        for count, row in enumerate(waiting[:ROWS]):
            longest = max(longest, min(row.limit, LONG))
            prompts.add(row.prompt.tobytes())
            much = (count + 1) * (prompt + longest) * self.column_bytes > most_bytes
            different = len(row.prompt) != prompt
            if different or (count > 0 and (much or len(prompts) * prompt > PROMPT_TOKENS)):
                return count
        return min(len(waiting), ROWS)

    @torch.inference_mode()
    def _read(self, rows: list[Row]) -> tuple[Tensor, list[int]]:
        """Equal prompts are read once."""
        prompts, owners = np.unique([row.prompt for row in rows], axis=0, return_inverse=True)
        owner_B = moved(owners.reshape(-1))
        prompts_UT = moved(prompts.astype(np.int64))
        self.prompt = prompts_UT.shape[1]
        self.decoder.bind(self.snapshot.weights)
        hidden_UD, self.past = self.decoder.step(prompts_UT)
        self._choose(owner_B)
        if self.past is None:
            self.text_BT = prompts_UT[owner_B]
        return hidden_UD[owner_B], [0] * len(rows)

    def _decode(self, tokens_B: Tensor) -> Tensor:
        tokens_BT = tokens_B[:, None]
        if self.past is None:
            tokens_BT = self.text_BT = torch.cat((self.text_BT, tokens_BT), 1)
        # Others computed with their own weights in between.
        self.decoder.bind(self.snapshot.weights)
        hidden_BD, self.past = self.decoder.step(tokens_BT, self.past)
        return hidden_BD

    def _leave(self, gone: np.ndarray) -> np.ndarray:
        kept = np.flatnonzero(~gone)
        self._choose(moved(kept))
        if self.past is None:
            self.text_BT = self.text_BT[moved(kept)]
        return kept

    def _choose(self, order_B: Tensor) -> None:
        """Of the cache's rows, in this order."""
        if self.past is not None:
            self.past.reorder_cache(order_B)

    def _keep(self, place: int, row: Row) -> None:
        """Nothing."""

    def enlarge(self, most_bytes: int) -> list[Row]:
        """The library's cache grows by itself."""
        return []
