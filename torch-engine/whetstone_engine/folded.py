"""A small model's weights for decoding, where a pass over a few rows costs less than the calls it is made of:
what need not be a step of its own is part of a matrix. Suffixes as in linear.py."""

from __future__ import annotations

import torch
from torch import Tensor

from .config import ModelConfig
from .linear import Linear, Weights
from .straight import Straight, is_straight

NORMED = {"qkv": "norm1", "gate_up": "norm2"}
"""Which norm's weight is part of which matrix."""


class Folded(dict[str, Tensor | Linear]):
    """Copies in fp32, transposed. A norm's weight and the square root of the width are in the matrix that
    follows it (`kernels.unit`), and of a query's and a key's head the numbers that a rotation turns together
    are neighbours (`kernels.turn_neighbours`): products of the two are what they were."""

    def __init__(self, weights: dict[str, Tensor], config: ModelConfig) -> None:
        super().__init__()
        width, turned = config.head_width, config.heads + config.key_value_heads
        pairs = torch.arange(width)
        if config.positions == "rotary":
            pairs = pairs.view(2, -1).t().reshape(-1)
        order = torch.arange((turned + config.key_value_heads) * width).view(-1, width)
        order[:turned] = order[:turned, pairs]
        for key, weight in weights.items():
            layer, _, name = key.rpartition(".")
            if name in NORMED.values():
                continue
            weight = weight.float()
            if name in NORMED:
                weight = weight * weights[f"{layer}.{NORMED[name]}"].float().mul(config.width**0.5)
            if name in ("qkv", "qkv_bias"):
                weight = weight[order.view(-1)]
            elif name in ("q_norm", "k_norm"):
                weight = weight[pairs]
            multiplies = weight.dim() == 2 and name not in ("embed", "positions")
            self[key] = weight.t().contiguous().t() if multiplies else weight.clone()
        self.straight = Straight(self, config) if is_straight(config) else None


def straight_of(weights: Weights) -> Straight | None:
    """How passes over these weights are written out; None where they are not."""
    return weights.straight if isinstance(weights, Folded) else None
