"""The passes of a large model over few rows, written out: what a lane makes is what the next one takes, and
nothing between two products that wait for memory is made anew. Suffixes as in lanes.py; H heads (queries,
then keys, then values), d their width."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from .config import ModelConfig
from .kernels import rms_norm, rms_norm_into, turn_into
from .lanes import LANES, Lanes
from .linear import Linear, Weights

PRODUCTS = ("qkv", "o", "gate_up", "down")


@dataclass(frozen=True)
class Layer:
    """Norms [D], and products [C, L, I]."""

    norm1: Tensor
    qkv: Tensor
    o: Tensor
    norm2: Tensor
    gate_up: Tensor
    down: Tensor


class Memory:
    """Of a pass over so many rows: what one layer used is the next one's."""

    def __init__(self, rows: int, config: ModelConfig, layer: Layer) -> None:
        def empty(*shape: int) -> Tensor:
            return torch.empty(shape, dtype=torch.float32)

        def made(product: Tensor) -> Tensor:
            return empty(len(product), LANES, rows)

        def taken(product: Tensor, x_IN: Tensor) -> Tensor:
            return x_IN.expand(len(product), -1, -1)

        heads = config.heads + 2 * config.key_value_heads
        self.x_ND, self.inverse_N1 = empty(rows, config.width), empty(rows, 1)
        self.normal_ND = empty(rows, config.width)
        self.qkv_CLN, self.o_CLN, self.gate_up_CLN, self.down_CLN = (
            made(product) for product in (layer.qkv, layer.o, layer.gate_up, layer.down)
        )
        normal_DN = empty(config.width, rows)
        self.normal_by_rows = normal_DN.t()
        self.to_qkv, self.to_gate_up = taken(layer.qkv, normal_DN), taken(layer.gate_up, normal_DN)
        self.raw_NHd = empty(rows, heads, config.head_width)
        self.heads_NHd = torch.empty_like(self.raw_NHd)
        self.raw_by_lanes = self.raw_NHd.view(rows, LANES, -1)
        attended_IN = empty(layer.o.shape[2], rows)
        self.attended_by_rows, self.to_o = attended_IN.t(), taken(layer.o, attended_IN)
        self.x_by_lanes = self.x_ND.view(rows, LANES, -1)
        # One half of the lanes has the gates, the other what they let through.
        self.gate_CLN, self.up_CLN = self.gate_up_CLN.chunk(2, 1)
        lit_IN = empty(config.hidden, rows)
        self.lit_by_lanes = lit_IN.view(LANES // 2, -1, rows).transpose(0, 1)
        self.to_down = taken(layer.down, lit_IN)
        self.qkv_by_rows, self.o_by_rows, self.down_by_rows = (
            one.permute(2, 1, 0) for one in (self.qkv_CLN, self.o_CLN, self.down_CLN)
        )

    def normalise(self, weight_D: Tensor, epsilon: float) -> None:
        """What the next product takes."""
        rms_norm_into(self.x_ND, weight_D, epsilon, self.inverse_N1, self.normal_ND, self.normal_by_rows)


class FewRows:
    """Computes what `Decoder.heads` and `Decoder.finish` do, layer after layer."""

    def __init__(self, weights: Weights, config: ModelConfig) -> None:
        self.config = config
        self.layers = [
            Layer(**{name: _lying(weights[f"{layer}.{name}"]) for name in ("norm1", "norm2", *PRODUCTS)})
            for layer in range(config.layers)
        ]
        self.norm = _lying(weights["norm"])
        self.memory: Memory | None = None

    def run(
        self,
        x_ND: Tensor,
        rotation: tuple[Tensor, Tensor] | None,
        attend: Callable[[int, Tensor], Tensor],
        wanted_N: Tensor | None,
    ) -> Tensor:
        """As `Decoder.run`, of embedded tokens."""
        config = self.config
        turned = config.heads + config.key_value_heads
        memory = self._memory(x_ND)
        if rotation is not None:
            cosine, sine = rotation
            cosine = cosine.repeat(1, turned + config.key_value_heads, 1)
            cosine[:, turned:] = 1
        for index, layer in enumerate(self.layers):
            memory.normalise(layer.norm1, config.epsilon)
            torch.bmm(layer.qkv, memory.to_qkv, out=memory.qkv_CLN)
            heads_NHd = memory.raw_NHd
            memory.raw_by_lanes.copy_(memory.qkv_by_rows)
            if rotation is not None and index not in config.unrotated:
                heads_NHd = turn_into(memory.raw_NHd, cosine, sine, turned, memory.heads_NHd)
            attended_NI = attend(index, heads_NHd)
            if wanted_N is not None and index == config.layers - 1:
                memory = self._memory(memory.x_ND.index_select(0, wanted_N))
            memory.attended_by_rows.copy_(attended_NI)
            torch.bmm(layer.o, memory.to_o, out=memory.o_CLN)
            memory.x_by_lanes.add_(memory.o_by_rows)
            memory.normalise(layer.norm2, config.epsilon)
            torch.bmm(layer.gate_up, memory.to_gate_up, out=memory.gate_up_CLN)
            torch.mul(F.silu(memory.gate_CLN, inplace=True), memory.up_CLN, out=memory.lit_by_lanes)
            torch.bmm(layer.down, memory.to_down, out=memory.down_CLN)
            memory.x_by_lanes.add_(memory.down_by_rows)
        return rms_norm(memory.x_ND, self.norm, config.epsilon)

    def _memory(self, x_ND: Tensor) -> Memory:
        if self.memory is None or len(self.memory.x_ND) != len(x_ND):
            self.memory = Memory(len(x_ND), self.config, self.layers[0])
        self.memory.x_ND.copy_(x_ND)
        return self.memory


def _lying(weight: Tensor | Linear) -> Tensor:
    return weight.lanes_CLI if isinstance(weight, Lanes) else cast(Tensor, weight)
