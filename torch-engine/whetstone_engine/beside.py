"""Large passes of small models in parts, which helpers compute beside this process: which rows are in which
part is a function of sizes alone, and so the numbers are the same whoever computes them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .config import ModelConfig
from .helpers import Helper, Result, Shared
from .passes import Passes, Rows
from .snapshot import Frame

WORTH = 2**27
"""Positions times weights of the layers from which a part is worth one: what it costs besides is a tenth."""
_numbers = count()


def parts_of(lengths: np.ndarray, config: ModelConfig, most: int) -> np.ndarray:
    """Which part each row belongs to, [n]: neighbours, which may share a beginning, mostly to one, and about
    as many positions in each."""
    total = int(lengths.sum())
    parts = max(1, min(most, total * config.layers * config.layer_weights // WORTH))
    middles = np.cumsum(lengths, dtype=np.int64) - (lengths + 1) // 2
    # A long row may leave one empty.
    return np.unique(middles * parts // total, return_inverse=True)[1]


class Beside:
    """One model's passes in parts: the first is computed here, each of the others by a helper, and here too
    where it cannot."""

    def __init__(self, helpers: Sequence[Helper]) -> None:
        self.helpers, self.most = helpers, 1 + len(helpers)
        self.model = next(_numbers)
        self.shared: Shared | None = None
        self.step = -1
        """Of the weights in shared memory."""

    def parts_of(self, lengths: np.ndarray, config: ModelConfig, *, helped: bool) -> np.ndarray:
        return parts_of(lengths, config, self.most if helped else 1)

    @staticmethod
    def of(frame: Frame, passes: Passes, helpers: Sequence[Helper]) -> Beside | None:
        """None where there is nobody, or what the weights are is not all in one buffer of fp32: adapters over
        a base, bf16, what transformers computes."""
        types = {passes.buffer.dtype, passes.grad.dtype}
        whole = frame is passes.architecture and not passes.architecture.plain
        return Beside(helpers) if helpers and whole and types == {torch.float32} else None

    def over(
        self,
        passes: Passes,
        step: int,
        parts: list[Rows],
        loss: dict[str, Any],
        wanted: str,
        *,
        backward: bool,
    ) -> tuple[float, Tensor]:
        """As `Passes.over`, of weights after so many steps."""
        gradients = self._share(passes, step)
        asked = self.helpers[: len(parts) - 1]
        for helper, rows in zip(asked, parts[1:], strict=False):
            helper.begin(self.model, rows, loss, wanted, backward=backward)
        answers: list[Result | None] = [None] * (len(parts) - 1)
        try:
            results = [passes.over(parts[0], loss, wanted, backward=backward)]
        finally:
            for which, helper in enumerate(asked):
                answers[which] = helper.end()
        for which, answer in enumerate(answers):
            if answer is None:
                answer = _apart(passes, parts[1 + which], loss, wanted, backward=backward)
            elif backward:
                passes.grad.add_(gradients[which])
            results.append(answer)
        return sum(lost for lost, _ in results), torch.cat([out_N for _, out_N in results])

    def _share(self, passes: Passes, step: int) -> list[Tensor]:
        """Shows helpers the weights; returns the gradients that they write."""
        if self.shared is None:
            try:
                self.shared = Shared(passes.buffer.numel(), self.most)
            except OSError:
                self.helpers = ()
                return []
            for which, helper in enumerate(self.helpers):
                helper.meet(self.model, passes, self.shared, which)
            self.shared.close()
        if self.step != step:
            self.shared.weights.copy_(passes.buffer)
            self.step = step
        return self.shared.gradients

    def __del__(self) -> None:
        if self.shared is not None:
            for helper in self.helpers:
                helper.forget(self.model)


def _apart(passes: Passes, rows: Rows, loss: dict[str, Any], wanted: str, *, backward: bool) -> Result:
    """A part computed as a helper does: its gradient is summed by itself."""
    if not backward:
        return passes.over(rows, loss, wanted, backward=False)
    before = passes.grad.clone()
    passes.grad.zero_()
    result = passes.over(rows, loss, wanted, backward=True)
    passes.grad.add_(before)
    return result
