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
from .lora import Adapted

PRODUCTS = ("qkv", "o", "gate_up", "down")


@dataclass(frozen=True)
class Product:
    """A weight [C, L, I], and its adapters where it has some."""

    weight_CLI: Tensor
    adapted: Adapted | None


@dataclass(frozen=True)
class Layer:
    """Norms [D], and products."""

    norm1: Tensor
    qkv: Product
    o: Product
    norm2: Tensor
    gate_up: Product
    down: Product


class Making:
    """Of a product of so many rows: what it takes, [I, N], and makes, [C, L, N]. Adapters lie on the same
    parts of a product in all layers."""

    def __init__(self, product: Product, x_IN: Tensor) -> None:
        steps, rows = len(product.weight_CLI), x_IN.shape[1]
        self.x_IN, self.x_CIN = x_IN, x_IN.expand(steps, -1, -1)
        self.out_CLN = torch.empty(steps, LANES, rows)
        self.by_rows = self.out_CLN.permute(2, 1, 0)
        adapted = product.adapted
        if adapted is not None:
            self.low_RN = torch.empty(len(adapted.down_RI), rows)
            self.lows = self.low_RN.split(adapted.ups[0].shape[1])
            # Outputs that have no adapter stay 0.
            added_ON = torch.zeros(LANES * steps, rows)
            self.added = [added_ON[place] for place in adapted.places]
            self.added_CLN = added_ON.view(LANES, steps, rows).transpose(0, 1)

    def make(self, product: Product) -> None:
        torch.bmm(product.weight_CLI, self.x_CIN, out=self.out_CLN)
        adapted = product.adapted
        if adapted is None:
            return
        torch.mm(adapted.down_RI, self.x_IN, out=self.low_RN)
        for up, low, added in zip(adapted.ups, self.lows, self.added, strict=True):
            torch.addmm(added, up, low, beta=0, alpha=adapted.scale, out=added)
        self.out_CLN.add_(self.added_CLN)


class Memory:
    """Of a pass over so many rows: what one layer used is the next one's."""

    def __init__(self, rows: int, config: ModelConfig, layer: Layer) -> None:
        def empty(*shape: int) -> Tensor:
            return torch.empty(shape, dtype=torch.float32)

        heads = config.heads + 2 * config.key_value_heads
        self.x_ND, self.inverse_N1 = empty(rows, config.width), empty(rows, 1)
        self.normal_ND = empty(rows, config.width)
        normal_DN = empty(config.width, rows)
        self.normal_by_rows = normal_DN.t()
        self.qkv, self.gate_up = Making(layer.qkv, normal_DN), Making(layer.gate_up, normal_DN)
        self.raw_NHd = empty(rows, heads, config.head_width)
        self.heads_NHd = torch.empty_like(self.raw_NHd)
        self.raw_by_lanes = self.raw_NHd.view(rows, LANES, -1)
        attended_IN = empty(layer.o.weight_CLI.shape[2], rows)
        self.attended_by_rows, self.o = attended_IN.t(), Making(layer.o, attended_IN)
        self.x_by_lanes = self.x_ND.view(rows, LANES, -1)
        # One half of the lanes has the gates, the other what they let through.
        self.gate_CLN, self.up_CLN = self.gate_up.out_CLN.chunk(2, 1)
        lit_IN = empty(config.hidden, rows)
        self.lit_by_lanes = lit_IN.view(LANES // 2, -1, rows).transpose(0, 1)
        self.down = Making(layer.down, lit_IN)

    def normalise(self, weight_D: Tensor, epsilon: float) -> None:
        """What the next product takes."""
        rms_norm_into(self.x_ND, weight_D, epsilon, self.inverse_N1, self.normal_ND, self.normal_by_rows)


class FewRows:
    """Computes what `Decoder.heads` and `Decoder.finish` do, layer after layer."""

    def __init__(self, weights: Weights, config: ModelConfig) -> None:
        self.config = config
        self.layers = [
            Layer(
                **{name: cast(Tensor, weights[f"{layer}.{name}"]) for name in ("norm1", "norm2")},
                **{name: _product(weights[f"{layer}.{name}"]) for name in PRODUCTS},
            )
            for layer in range(config.layers)
        ]
        self.norm = cast(Tensor, weights["norm"])
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
            memory.qkv.make(layer.qkv)
            heads_NHd = memory.raw_NHd
            memory.raw_by_lanes.copy_(memory.qkv.by_rows)
            if rotation is not None and index not in config.unrotated:
                heads_NHd = turn_into(memory.raw_NHd, cosine, sine, turned, memory.heads_NHd)
            attended_NI = attend(index, heads_NHd)
            if wanted_N is not None and index == config.layers - 1:
                memory = self._memory(memory.x_ND.index_select(0, wanted_N))
            memory.attended_by_rows.copy_(attended_NI)
            memory.o.make(layer.o)
            memory.x_by_lanes.add_(memory.o.by_rows)
            memory.normalise(layer.norm2, config.epsilon)
            memory.gate_up.make(layer.gate_up)
            torch.mul(F.silu(memory.gate_CLN, inplace=True), memory.up_CLN, out=memory.lit_by_lanes)
            memory.down.make(layer.down)
            memory.x_by_lanes.add_(memory.down.by_rows)
        return rms_norm(memory.x_ND, self.norm, config.epsilon, torch.float32)

    def _memory(self, x_ND: Tensor) -> Memory:
        if self.memory is None or len(self.memory.x_ND) != len(x_ND):
            self.memory = Memory(len(x_ND), self.config, self.layers[0])
        self.memory.x_ND.copy_(x_ND)
        return self.memory


def is_even(weight: Tensor | Linear) -> bool:
    """Whether a layer, or what is under its adapters, lies in lanes of equal length."""
    under = weight.base if isinstance(weight, Adapted) else weight
    return isinstance(under, Lanes) and len(under.rest_RI) == 0


def _product(weight: Tensor | Linear) -> Product:
    adapted = weight if isinstance(weight, Adapted) else None
    return Product(cast(Lanes, weight if adapted is None else adapted.base).lanes_CLI, adapted)
