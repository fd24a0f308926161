"""Weights laid out for the processor's matrix products. Suffixes as in decoder.py; O outputs, I inputs."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from .device import on_host
from .kernels import multiply
from .memory import zeros

PACKED = 4_000_000
"""Parameters from which a sampler's weights do not stay in the processor's caches: their layout matters."""
WIDTH = 384
"""Most outputs of a panel. On a few dozen rows, panels of 256 to 768 that are no power of two run at 1.3 to
1.6 times the speed of a whole weight: each is read once, in order, and stays cached while all rows use it."""
NARROWEST = 96
"""Fewest outputs of a panel that is made narrower so that every thread has one."""
FEW = 512
"""Up to so many rows, threads take a panel each, for all rows: the weights are read once, and the threads
meet once a layer. Of more rows each thread takes a part of every panel."""


class Linear(Protocol):
    """A linear layer that is more than one matrix."""

    def apply(self, x_NI: Tensor) -> Tensor:
        """x · weightᵀ."""
        ...

    def add_to(self, sum_NO: Tensor, x_NI: Tensor) -> None:
        """Adds x · weightᵀ in place, where no gradient is wanted."""
        ...


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

    @property
    def panels(self) -> list[Tensor]:
        return [self.stack]

    def apply(self, x_NI: Tensor) -> Tensor:
        if len(x_NI) <= FEW:
            return self._each(x_NI).transpose(0, 1).flatten(1)[:, : self.outputs].contiguous()
        out_NO = x_NI.new_empty(len(x_NI), self.outputs)
        for panel, out in zip(self.stack, out_NO.split(self.width, 1), strict=True):
            torch.mm(x_NI, panel[:, : out.shape[1]], out=out)
        return out_NO

    def add_to(self, sum_NO: Tensor, x_NI: Tensor) -> None:
        if len(x_NI) <= FEW and self.outputs == len(self.stack) * self.width:
            sum_NO.unflatten(1, (-1, self.width)).transpose(0, 1).add_(self._each(x_NI))
            return
        for panel, out in zip(self.stack, sum_NO.split(self.width, 1), strict=True):
            out.addmm_(x_NI, panel[:, : out.shape[1]])

    def _each(self, x_NI: Tensor) -> Tensor:
        """What each panel makes, [n, N, W]."""
        return torch.bmm(x_NI.expand(len(self.stack), -1, -1), self.stack)

    def rows(self, outputs_N: Tensor) -> Tensor:
        """Rows of the weight, [N, I]: what a tied head is as the table of embeddings."""
        return self.stack[outputs_N // self.width, :, outputs_N % self.width]

    def whole(self) -> Tensor:
        """The weight as it was."""
        return self.stack.transpose(1, 2).flatten(0, 1)[: self.outputs].contiguous()


def panels_of(outputs: int, threads: int) -> int:
    """Into how many panels a weight is cut: as many for each thread, where that leaves them wide enough."""
    count = -(-outputs // WIDTH)
    even = -(-count // threads) * threads
    count = even if outputs // even >= min(NARROWEST, WIDTH // 2) else count
    return -(-outputs // -(-outputs // count))


Weights = dict[str, Tensor | Linear]


def linear(x_NI: Tensor, weight: Tensor | Linear, bias_O: Tensor | None = None) -> Tensor:
    """x · weightᵀ + bias."""
    out_NO = multiply(x_NI, weight) if isinstance(weight, Tensor) else weight.apply(x_NI)
    if bias_O is None:
        return out_NO
    return out_NO + bias_O if torch.is_grad_enabled() else out_NO.add_(bias_O)


def add_linear(sum_NO: Tensor, x_NI: Tensor, weight: Tensor | Linear, bias_O: Tensor | None = None) -> Tensor:
    """sum + x · weightᵀ + bias. Where no gradient is wanted, the sum is changed in place."""
    if torch.is_grad_enabled():
        return sum_NO + linear(x_NI, weight, bias_O)
    if isinstance(weight, Tensor):
        sum_NO.addmm_(x_NI, weight.to(x_NI.dtype).t())
    else:
        weight.add_to(sum_NO, x_NI)
    return sum_NO if bias_O is None else sum_NO.add_(bias_O)


def laid_out(weights: dict[str, Tensor], size: int, dtype: torch.dtype) -> Weights | None:
    """A copy of the decoder's weights in fp32, in which those that multiply are panels; None where they are
    as good as they are: few of them, products in another arithmetic, or on a GPU."""
    if dtype != torch.float32 or not on_host():
        return None
    if size < PACKED:
        kept = {key: weight.float() for key, weight in weights.items()}
        return None if all(kept[key] is weight for key, weight in weights.items()) else {**kept}
    multiplies = ("qkv", "o", "gate_up", "down", "head")
    copies: Weights = {
        key: Panels(weight) if key.split(".")[-1] in multiplies else weight.float().clone()
        for key, weight in weights.items()
        if key != "embed" or "head" in weights
    }
    if "head" not in weights:
        # A tied head is the table of embeddings too.
        copies["head"] = copies["embed"] = Panels(weights["embed"])
    return copies
