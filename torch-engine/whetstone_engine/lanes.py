"""Weights read for the processor's matrix products of few rows. Suffixes as in decoder.py; O outputs, I
inputs, L lanes, C steps along each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from .device import on_host
from .kernels import multiply
from .panels import Panels

PACKED = 4_000_000
"""Parameters from which weights do not stay in the processor's caches: it matters how they are read."""
LANES = 16
"""Places of a weight that are read at once. A product of few rows waits for memory, and a processor fetches
ahead where it is read on and on: where one product after another begins with other rows, it gets half to two
thirds as much. Of 4 to 48 lanes, 8 to 24 are the fastest."""
FEWEST = 3
"""Rows from which lanes are faster than the product as PyTorch makes it."""
FEW = 32
"""Rows up to which lanes are faster than panels, which are a copy and made for rows that decode."""
MOST = 128
"""Rows up to which lanes are faster than the product as PyTorch makes it."""


class Linear(Protocol):
    """A linear layer that is more than one matrix."""

    def in_panels(self) -> Linear:
        """The same for the products of more than a few rows, with a copy where that is worth it."""
        ...

    def apply(self, x_NI: Tensor) -> Tensor:
        """x · weightᵀ."""
        ...

    def add_to(self, sum_NO: Tensor, x_NI: Tensor) -> None:
        """Adds x · weightᵀ in place, where no gradient is wanted."""
        ...


class Lanes:
    """A weight [O, I] in fp32 as it lies. Row l · C + c is step c of lane l: the products, one for each step,
    read on in every lane."""

    def __init__(self, weight_OI: Tensor) -> None:
        self.weight_OI = weight_OI
        steps = len(weight_OI) // LANES
        self.lanes_CLI = weight_OI[: LANES * steps].view(LANES, steps, weight_OI.shape[1]).transpose(0, 1)
        self.rest_RI = weight_OI[LANES * steps :]
        """Rows that no lane has."""
        self.panels: Panels | None = None
        """The copy, once it is needed."""

    def in_panels(self) -> Panels:
        self.panels = self.panels or Panels(self.weight_OI)
        return self.panels

    def apply(self, x_NI: Tensor) -> Tensor:
        steps, count = len(self.lanes_CLI), len(x_NI)
        if steps == 0 or not FEWEST <= count <= MOST:
            return x_NI.mm(self.weight_OI.t())
        out_NO = x_NI.new_empty(count, len(self.weight_OI))
        by_lanes = out_NO[:, : LANES * steps].unflatten(1, (LANES, steps))
        by_lanes.copy_(self.along(x_NI.t().contiguous()).permute(2, 1, 0))
        if len(self.rest_RI) > 0:
            torch.mm(x_NI, self.rest_RI.t(), out=out_NO[:, LANES * steps :])
        return out_NO

    def add_to(self, sum_NO: Tensor, x_NI: Tensor) -> None:
        if FEWEST <= len(x_NI) <= MOST:
            sum_NO.add_(self.apply(x_NI))
        else:
            sum_NO.addmm_(x_NI, self.weight_OI.t())

    def along(self, x_IN: Tensor) -> Tensor:
        """The products of the lanes, [C, L, N]."""
        return torch.bmm(self.lanes_CLI, x_IN.expand(len(self.lanes_CLI), -1, -1))


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


def in_panels(weights: Weights) -> Weights:
    """The same weights for the products of more than a few rows."""
    return {key: one if isinstance(one, Tensor) else one.in_panels() for key, one in weights.items()}


def in_fp32(weights: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor] | None:
    """A copy of weights that passes compute with in fp32; None where they are that, or passes are not."""
    kept = next(iter(weights.values())).dtype
    if dtype != torch.float32 or not on_host() or kept == torch.float32:
        return None
    return {key: weight.float() for key, weight in weights.items()}
