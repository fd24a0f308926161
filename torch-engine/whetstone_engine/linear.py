"""Linear layers: of one matrix, or of more. Suffixes as in decoder.py; O outputs, I inputs."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from .kernels import multiply


class Linear(Protocol):
    """A linear layer that is more than one matrix."""

    def apply(self, x_NI: Tensor) -> Tensor:
        """x · weightᵀ."""
        ...

    def add_to(self, sum_NO: Tensor, x_NI: Tensor) -> None:
        """Adds x · weightᵀ in place, where no gradient is wanted."""
        ...


Weights = dict[str, Tensor | Linear]


def linear(x_NI: Tensor, weight: Tensor | Linear, bias_O: Tensor | None = None) -> Tensor:
    """x · weightᵀ + bias."""
    out_NO = multiply(x_NI, weight) if isinstance(weight, Tensor) else weight.apply(x_NI)
    if bias_O is None:
        return out_NO
    return out_NO + bias_O if torch.is_grad_enabled() else out_NO.add_(bias_O)


def add_linear(sum_NO: Tensor, x_NI: Tensor, weight: Tensor | Linear, bias_O: Tensor | None = None) -> Tensor:
    """sum + x · weightᵀ + bias, of the sum's type, which is changed in place where no gradient is wanted."""
    if torch.is_grad_enabled():
        out_NO = linear(x_NI, weight, bias_O)
        # Into new memory PyTorch adds numbers of two types many times as slowly.
        return sum_NO + out_NO if out_NO.dtype == sum_NO.dtype else out_NO.to(sum_NO.dtype).add_(sum_NO)
    if sum_NO.dtype != x_NI.dtype:
        return sum_NO.add_(linear(x_NI, weight, bias_O))
    if isinstance(weight, Tensor):
        sum_NO.addmm_(x_NI, weight.to(x_NI.dtype).t())
    else:
        weight.add_to(sum_NO, x_NI)
    return sum_NO if bias_O is None else sum_NO.add_(bias_O)
