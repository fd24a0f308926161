"""The passes of a small model over folded weights, written out: around products this small each call and each
look at where a weight lies costs as much as arithmetic. Suffixes as in decoder.py."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .config import ModelConfig

TABLE = 1024
"""Tokens up to which the first layer's heads are computed for all of a vocabulary, once for all passes."""

vector_norm = torch.linalg.vector_norm


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
        self.least = torch.tensor(math.sqrt(config.width * config.epsilon))
        self.norm = weights["norm"] * math.sqrt(config.width)
        # What a token is in the first layer depends on its place only by its rotation.
        table = config.vocabulary <= TABLE and self.positions is None
        self.first = torch.mm(self._unit(self.embed), self.layers[0][0]) if table else None

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
        shape = len(tokens_N), turned + config.key_value_heads
        x_ND = self.embed.index_select(0, tokens_N)
        if self.positions is not None:
            x_ND += self.positions.index_select(0, positions_N)
        for layer, (qkv, o, gate_up, down) in enumerate(self.layers):
            if layer == 0 and self.first is not None:
                heads_N = self.first.index_select(0, tokens_N)
            else:
                heads_N = torch.mm(self._unit(x_ND), qkv)
            if rotation is not None and layer not in config.unrotated:
                torch.view_as_complex(heads_N.view(*shape, -1, 2))[:, :turned].mul_(rotation)
            attended_N = attend(layer, heads_N.view(*shape, -1))
            if wanted_N is not None and layer == config.layers - 1:
                x_ND = x_ND.index_select(0, wanted_N)
            x_ND.addmm_(attended_N, o)
            gate_N, up_N = torch.mm(self._unit(x_ND), gate_up).chunk(2, 1)
            x_ND.addmm_(F.silu(gate_N).mul_(up_N), down)
        return self._unit(x_ND).mul_(self.norm)

    def _unit(self, x_ND: Tensor) -> Tensor:
        """As `kernels.unit`."""
        return x_ND / vector_norm(x_ND, dim=1, keepdim=True).hypot_(self.least)
