"""Weights laid out for the processor's matrix products. Suffixes as in decoder.py; O outputs, I inputs."""

from __future__ import annotations

import torch
from torch import Tensor

from .kernels import multiply

WIDTH = 384
"""Outputs of a panel. On a few dozen rows, panels of 256 to 768 that are no power of two run at 1.3 to 1.6
times the speed of a whole weight: each is read once, in order, and stays cached while all rows use it."""


class Panels:
    """A weight [O, I], transposed and cut along its outputs: panels [I, ≤ WIDTH], each contiguous."""

    def __init__(self, weight_OI: Tensor) -> None:
        self.panels = [part.t().contiguous() for part in weight_OI.split(WIDTH)]
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


Weights = dict[str, Tensor | Panels]


def linear(x_NI: Tensor, weight: Tensor | Panels, bias_O: Tensor | None = None) -> Tensor:
    """x · weightᵀ + bias."""
    out_NO = weight.apply(x_NI) if isinstance(weight, Panels) else multiply(x_NI, weight)
    if bias_O is None:
        return out_NO
    return out_NO + bias_O if torch.is_grad_enabled() else out_NO.add_(bias_O)


def add_linear(sum_NO: Tensor, x_NI: Tensor, weight: Tensor | Panels, bias_O: Tensor | None = None) -> Tensor:
    """sum + x · weightᵀ + bias. Where no gradient is wanted, the sum is changed in place."""
    if torch.is_grad_enabled():
        return sum_NO + linear(x_NI, weight, bias_O)
    if isinstance(weight, Panels):
        weight.add_to(sum_NO, x_NI)
    else:
        sum_NO.addmm_(x_NI, weight.t())
    return sum_NO if bias_O is None else sum_NO.add_(bias_O)


def packed(weights: dict[str, Tensor]) -> Weights:
    """A copy of the decoder's weights in which those that multiply are panels."""
    multiplies = ("qkv", "o", "gate_up", "down", "head")
    copies: Weights = {
        key: Panels(weight) if key.split(".")[-1] in multiplies else weight.clone()
        for key, weight in weights.items()
    }
    copies.setdefault("head", Panels(weights["embed"]))
    return copies
