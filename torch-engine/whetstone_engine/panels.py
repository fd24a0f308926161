"""Weights laid out for the processor's matrix products. Suffixes as in decoder.py; O outputs, I inputs."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from .kernels import multiply

PACKED = 4_000_000
"""Parameters from which a sampler's weights do not stay in the processor's caches: their layout matters."""
WIDTH = 384
"""Outputs of a panel. On a few dozen rows, panels of 256 to 768 that are no power of two run at 1.3 to 1.6
times the speed of a whole weight: each is read once, in order, and stays cached while all rows use it."""


class Linear(Protocol):
    """A linear layer that is more than one matrix."""

    def apply(self, x_NI: Tensor) -> Tensor:
        """x · weightᵀ."""
        ...

    def add_to(self, sum_NO: Tensor, x_NI: Tensor) -> None:
        """Adds x · weightᵀ in place, where no gradient is wanted."""
        ...


class Panels:
    """A weight [O, I], transposed and cut along its outputs: panels [I, ≤ WIDTH], each contiguous, in
    fp32."""

    def __init__(self, weight_OI: Tensor) -> None:
        self.panels = [part.t().float().contiguous() for part in weight_OI.split(WIDTH)]
        self.widths = [panel.shape[1] for panel in self.panels]
        self.outputs = len(weight_OI)

    def apply(self, x_NI: Tensor) -> Tensor:
        out_NO = x_NI.new_empty(len(x_NI), self.outputs)
        for panel, out in zip(self.panels, out_NO.split(self.widths, 1), strict=True):
            torch.mm(x_NI, panel, out=out)
        return out_NO

    def add_to(self, sum_NO: Tensor, x_NI: Tensor) -> None:
        for panel, out in zip(self.panels, sum_NO.split(self.widths, 1), strict=True):
            out.addmm_(x_NI, panel)

    def whole(self) -> Tensor:
        """The weight as it was."""
        return torch.cat([panel.t() for panel in self.panels])


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
    as good as they are: few of them, or products in another arithmetic."""
    if dtype != torch.float32:
        return None
    if size < PACKED:
        kept = {key: weight.float() for key, weight in weights.items()}
        return None if all(kept[key] is weight for key, weight in weights.items()) else {**kept}
    multiplies = ("qkv", "o", "gate_up", "down", "head")
    copies: Weights = {
        key: Panels(weight) if key.split(".")[-1] in multiplies else weight.float().clone()
        for key, weight in weights.items()
    }
    copies.setdefault("head", Panels(weights["embed"]))
    return copies
