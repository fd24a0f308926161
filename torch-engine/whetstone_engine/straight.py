"""The passes of a small model over folded weights, written out: around products this small each call and each
look at where a weight lies costs as much as arithmetic. Suffixes as in decoder.py."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from .config import ModelConfig
from .kernels import swiglu, turn_neighbours, unit

TABLE = 1024
"""Tokens up to which the first layer's heads are computed for all of a vocabulary, once for all passes."""


def is_straight(config: ModelConfig) -> bool:
    """Whether an architecture's layers are products and norms alone."""
    return not (config.head_norm or config.qkv_bias or config.output_bias)


class Straight:
    """Computes what `Decoder.heads` and `Decoder.finish` do, layer after layer."""

    def __init__(self, weights: dict[str, Tensor], config: ModelConfig) -> None:
        self.config = config
        self.embed, self.positions = weights["embed"], weights.get("positions")
        self.layers = [
            tuple(weights[f"{layer}.{name}"].t() for name in ("qkv", "o", "gate_up", "down"))
            for layer in range(config.layers)
        ]
        self.norm = weights["norm"] * math.sqrt(config.width)
        # What a token is in the first layer depends on its place only by its rotation.
        table = config.vocabulary <= TABLE and self.positions is None
        self.first = torch.mm(unit(self.embed, config.epsilon), self.layers[0][0]) if table else None

    def run(
        self,
        tokens_N: Tensor,
        positions_N: Tensor,
        rotation: Tensor | None,
        attend: Callable[[int, Tensor], Tensor],
        wanted_N: Tensor | None,
    ) -> Tensor:
        """As `Decoder.run`."""
        config = self.config
        turned = config.heads + config.key_value_heads
        shape = len(tokens_N), turned + config.key_value_heads, config.head_width
        x_ND = self.embed.index_select(0, tokens_N)
        if self.positions is not None:
            x_ND += self.positions.index_select(0, positions_N)
        for layer, (qkv, o, gate_up, down) in enumerate(self.layers):
            if layer == 0 and self.first is not None:
                heads_NHd = self.first.index_select(0, tokens_N).view(shape)
            else:
                heads_NHd = torch.mm(unit(x_ND, config.epsilon), qkv).view(shape)
            if rotation is not None and layer not in config.unrotated:
                turn_neighbours(heads_NHd, rotation, turned)
            attended_N = attend(layer, heads_NHd)
            if wanted_N is not None and layer == config.layers - 1:
                x_ND = x_ND.index_select(0, wanted_N)
            x_ND.addmm_(attended_N, o)
            x_ND.addmm_(swiglu(torch.mm(unit(x_ND, config.epsilon), gate_up)), down)
        return unit(x_ND, config.epsilon).mul_(self.norm)
