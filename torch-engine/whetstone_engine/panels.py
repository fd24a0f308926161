"""Weights laid out for the processor's matrix products of some dozens of rows. Suffixes as in decoder.py; O
outputs, I inputs."""

from __future__ import annotations

import torch
from torch import Tensor

from .memory import zeros

WIDTH = 384
"""Most outputs of a panel. On some dozens of rows, panels of 256 to 768 that are no power of two run at 1.3
to 1.6 times the speed of a whole weight: each is read once, in order, and stays cached while all rows use
it."""
NARROWEST = 96
"""Fewest outputs of a panel that is made narrower so that every thread has one."""


class Panels:
    """A weight [O, I], transposed and cut along its outputs: panels [n, I, W], in fp32, the last filled up
    with zeros."""

    def __init__(self, weight_OI: Tensor) -> None:
        self.outputs, inputs = weight_OI.shape
        count = panels_of(self.outputs, torch.get_num_threads())
        self.width = -(-self.outputs // count)
        self.stack = zeros((count, inputs, self.width), torch.float32)
        for panel, part in zip(self.stack, weight_OI.split(self.width), strict=True):
            panel[:, : len(part)].copy_(part.t())

    def apply(self, x_NI: Tensor) -> Tensor:
        """x · weightᵀ."""
        return self._each(x_NI).transpose(0, 1).flatten(1)[:, : self.outputs].contiguous()

    def add_to(self, sum_NO: Tensor, x_NI: Tensor) -> None:
        """Adds x · weightᵀ in place."""
        if self.outputs == len(self.stack) * self.width:
            sum_NO.unflatten(1, (-1, self.width)).transpose(0, 1).add_(self._each(x_NI))
        else:
            sum_NO.add_(self.apply(x_NI))

    def in_panels(self) -> Panels:
        return self

    def _each(self, x_NI: Tensor) -> Tensor:
        """What each panel makes, [n, N, W]."""
        return torch.bmm(x_NI.expand(len(self.stack), -1, -1), self.stack)


def panels_of(outputs: int, threads: int) -> int:
    """Into how many panels a weight is cut: as many for each thread, where that leaves them wide enough."""
    count = -(-outputs // WIDTH)
    even = -(-count // threads) * threads
    count = even if outputs // even >= min(NARROWEST, WIDTH // 2) else count
    return -(-outputs // -(-outputs // count))
