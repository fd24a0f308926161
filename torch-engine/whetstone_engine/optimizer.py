"""Optimiser steps on flat buffers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from .errors import bad_request
from .precision import Rounding, rounded_at_once
from .request import number

OPTIMIZERS = ("adamw", "sgd")
LINE = 2**16
"""Numbers of a gradient whose squares are summed by one thread."""


@dataclass(frozen=True)
class OptimizerStep:
    """The numbers of one step."""

    optimizer: str
    rate: float
    beta1: float
    beta2: float
    epsilon: float
    decay: float
    clip: float

    @staticmethod
    def read(head: dict[str, Any]) -> OptimizerStep:
        """Raises bad-request where one is missing or makes no step."""
        optimizer = head.get("optimizer") or "adamw"
        if optimizer not in OPTIMIZERS:
            raise bad_request(f"there is no optimizer {optimizer!r}; there are {', '.join(OPTIMIZERS)}")
        step = OptimizerStep(
            optimizer,
            rate=number(head, "learningRate", least=0),
            beta1=number(head, "beta1", 0.9, least=0),
            beta2=number(head, "beta2", 0.999, least=0),
            epsilon=number(head, "epsilon", 1e-8, least=0),
            decay=number(head, "weightDecay", 0.01, least=0),
            clip=number(head, "gradientClipNorm", 0, least=0),
        )
        if step.beta1 >= 1 or step.beta2 >= 1:
            raise bad_request("beta1 and beta2 must be below 1")
        if step.epsilon == 0 and optimizer == "adamw":
            raise bad_request("epsilon must be above 0: a weight without a gradient would become 0/0")
        return step

    def excess(self, norm: float) -> float:
        """What the gradient is divided by, as PyTorch's clip_grad_norm_ does."""
        return (norm + 1e-6) / self.clip if self.clip > 0 and norm + 1e-6 > self.clip else 1.0


@dataclass
class Moments:
    """AdamW's running means of the gradient and of its square, and how many steps they have seen."""

    first: Tensor
    second: Tensor
    steps: Tensor


@torch.no_grad()
def apply_step(
    flat: Tensor, grad: Tensor, moments: Moments, step: OptimizerStep, norm: float, number: int
) -> None:
    """Changes weights and moments. `number` counts the steps of the weights: what is kept in bf16 is rounded
    by it."""
    excess = step.excess(norm)
    if flat.dtype == torch.float32:
        _apply(flat, grad, moments, step, excess)
        return
    rounding, before = Rounding(number, 3), moments.steps.clone()
    buffers, at_once = (flat, moments.first, moments.second), rounded_at_once()
    for pieces in zip(grad.split(at_once), *(one.split(at_once) for one in buffers), strict=True):
        grad_piece, *kept = pieces
        exact, first, second = (one.float() for one in kept)
        moments.steps.copy_(before)
        _apply(exact, grad_piece.float(), Moments(first, second, moments.steps), step, excess)
        for index, (values, target) in enumerate(zip((exact, first, second), kept, strict=True)):
            rounding.store(index, values, target)


def _apply(flat: Tensor, grad: Tensor, moments: Moments, step: OptimizerStep, excess: float) -> None:
    if step.optimizer == "sgd":
        flat.mul_(1 - step.rate * step.decay).add_(grad, alpha=-step.rate / excess)
        return
    adamw(
        [flat],
        [grad],
        [moments.first],
        [moments.second],
        [],
        [moments.steps],
        fused=True,
        # Divides the gradient on the way.
        grad_scale=torch.tensor(excess, device=grad.device) if excess > 1 else None,
        amsgrad=False,
        maximize=False,
        lr=step.rate,
        beta1=step.beta1,
        beta2=step.beta2,
        eps=step.epsilon,
        weight_decay=step.decay,
    )


def norm_of(grad: Tensor) -> float:
    """Of a whole gradient, summed in fp32 or wider."""
    if grad.dtype == torch.float32:
        # Lines are shared among threads, which one long line is not.
        whole = len(grad) // LINE * LINE
        norms = torch.linalg.vector_norm(grad[:whole].view(-1, LINE), dim=1)
        return math.hypot(
            float(torch.linalg.vector_norm(norms)), float(torch.linalg.vector_norm(grad[whole:]))
        )
    return sum(float(torch.linalg.vector_norm(part.float())) ** 2 for part in grad.split(2**22)) ** 0.5
