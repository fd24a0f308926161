"""Large passes of large models in two halves, a thread each. Two threads that share a product meet at its
end, and one waits where other work has taken the other's processor, which is most of what a busy machine
costs; halves meet once a pass, and while one waits for memory the other multiplies."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from threading import Condition
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .config import ModelConfig
from .device import on_host
from .passes import Passes, Rows
from .snapshot import Frame
from .threads import worth_of

HALVES = 2
WORTH = 2**35
"""Positions times weights of the layers from which halves pay: of few rows a product takes longer."""
EVEN = 1.05
"""So many times as long as it must the longer half may take where neighbours stay together: they may share a
beginning."""
SLOWER = 3
"""A multiplication of attention takes as long as so many of a weight."""
Result = tuple[float, Tensor]
"""The loss of a half, and its logprobs [N]."""


def halves_of(lengths: np.ndarray, config: ModelConfig) -> np.ndarray:
    """Which half each row belongs to, [n]: about as much to compute in each. All to the first where that is
    too little for two. A function of sizes alone."""
    if len(lengths) < HALVES or int(lengths.sum()) * config.layers * config.layer_weights < WORTH:
        return np.zeros(len(lengths), dtype=np.int64)
    attention = SLOWER * config.heads * config.head_width * lengths.astype(np.int64)
    costs = lengths * (config.layer_weights + attention)
    neighbours = np.cumsum(costs) - costs // 2 >= costs.sum() / 2
    neighbours[0], neighbours[-1] = False, True
    spread = _spread(costs.tolist())
    fits = _longer(costs, neighbours) <= EVEN * _longer(costs, spread)
    return (neighbours if fits else spread).astype(np.int64)


def _longer(costs: np.ndarray, second: np.ndarray) -> int:
    return max(int(costs[second].sum()), int(costs[~second].sum()))


def _spread(costs: list[int]) -> np.ndarray:
    """Karmarkar and Karp's differences (1982): of the two largest, one for each half, until one is left."""
    differences = [(-cost, place, [place], []) for place, cost in enumerate(costs)]
    heapq.heapify(differences)
    while len(differences) > 1:
        large, place, more, less = heapq.heappop(differences)
        small, _, others_more, others_less = heapq.heappop(differences)
        heapq.heappush(differences, (large - small, place, more + others_less, less + others_more))
    second = np.zeros(len(costs), dtype=bool)
    second[differences[0][3]] = True
    return second


class Abreast:
    """One model's passes in halves, whose gradients are added where they lie: the first half's to each
    weight, then the second's, and so on, so that equal calls give equal bits."""

    def __init__(self, frame: Frame, passes: Passes) -> None:
        self.order = _Order()
        how = {"recompute": passes.recompute, "pass_bytes": passes.pass_bytes, "abreast": HALVES}
        self.halves = [Passes(frame, passes.buffer, passes.grad, **how) for _ in range(HALVES)]
        for which, half in enumerate(self.halves):
            for key, leaf in half.leaves.items():
                leaf.turn = _Turn(self.order, which, key)

    @staticmethod
    def of(frame: Frame, passes: Passes) -> Abreast | None:
        """None where that is not known to pay, or what the weights are is not all in one buffer of fp32:
        adapters over a base, what is computed in bf16, or what transformers computes."""
        types = {passes.buffer.dtype, passes.grad.dtype, passes.architecture.dtype}
        whole = frame is passes.architecture and not passes.architecture.plain
        large = worth_of(passes.architecture.config, HALVES) == HALVES
        return Abreast(frame, passes) if whole and large and on_host() and types == {torch.float32} else None

    def parts_of(self, lengths: np.ndarray, config: ModelConfig, *, helped: bool) -> np.ndarray:
        """Which half each row belongs to, whoever else is at work: threads are two or are not."""
        two = torch.get_num_threads() == HALVES
        return halves_of(lengths, config) if two else np.zeros(len(lengths), dtype=np.int64)

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
        """As `Passes.over`."""

        def one(which: int) -> Result:
            torch.set_num_threads(1)
            try:
                return self.halves[which].over(parts[which], loss, wanted, backward=backward)
            finally:
                self.order.end(which)

        try:
            results = self._together(one)
        except BaseException:
            for half in self.halves:
                half.drop_aside()
            raise
        if backward:
            for half in self.halves:
                half.collect()
        return sum(lost for lost, _ in results), torch.cat([out_N for _, out_N in results])

    def _together(self, one: Callable[[int], Result]) -> list[Result]:
        """What both halves make of it; raises what the first of them raised."""
        self.order.begin()
        threads, begun = torch.get_num_threads(), []
        try:
            for which in range(HALVES):
                begun.append(_threads().submit(one, which))
            wait(begun)
        finally:
            # Whatever interrupts this one, nothing is added any more once it goes on.
            for which in range(len(begun), HALVES):
                self.order.end(which)
            wait(begun)
            # Threads that begin later have as many as were last set, wherever.
            torch.set_num_threads(threads)
        return [half.result() for half in begun]


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(HALVES)


class _Order:
    """How often each half has added to each gradient, and which of them is at an end."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.begin()

    def begin(self) -> None:
        self.added: list[Counter[str]] = [Counter() for _ in range(HALVES)]
        self.ended = [False] * HALVES

    def end(self, which: int) -> None:
        with self.changed:
            self.ended[which] = True
            self.changed.notify_all()


class _Turn:
    """One half's turn to add to one gradient: the first has as many turns as the second has had, and the
    second one less. A half that is at an end is not waited for."""

    def __init__(self, order: _Order, which: int, key: str) -> None:
        self.order, self.which, self.key = order, which, key

    def __enter__(self) -> None:
        with self.order.changed:
            self.order.changed.wait_for(self._come)

    def __exit__(self, *_: object) -> None:
        with self.order.changed:
            self.order.added[self.which][self.key] += 1
            self.order.changed.notify_all()

    def _come(self) -> bool:
        order, other, key = self.order, 1 - self.which, self.key
        return order.ended[other] or order.added[other][key] >= order.added[self.which][key] + self.which
