"""The forward pass. Suffixes: N packed positions, B rows, T columns, D width, H heads (queries, then keys,
then values), d their width, V vocabulary."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from .attention import attend
from .config import ModelConfig
from .device import device, on_host, placed
from .folded import Folded, straight_of
from .in_blocks import light
from .in_lanes import few_of
from .kernels import look_up, rms_norm, rotate, turn_neighbours, unit
from .linear import Weights, add_linear, linear
from .packing import Packing, gather
from .rotary import frequencies_of, magnitude_of

Rotation = tuple[Tensor, Tensor] | Tensor


class Decoder:
    """Shapes and tables of an architecture. Weights are passed in: trainer and samplers share the code."""

    def __init__(self, config: ModelConfig, dtype: torch.dtype) -> None:
        """`dtype` is what passes compute in, whatever the weights are kept in."""
        self.config, self.dtype = config, dtype
        self.stream = torch.float32 if on_host() else dtype
        """What one layer hands to the next is kept in. In bf16 each sum of it is rounded, and what a deep
        model says is twice as far off."""
        self.suppressed = (
            torch.tensor(config.suppressed, dtype=torch.long, device=device()) if config.suppressed else None
        )
        self._tables: tuple[Tensor, Tensor, Tensor] | None = None
        """Of positions: cosines, signed sines, complex numbers; set at once, as passes may be abreast."""

    def embed(self, weights: Weights, tokens_N: Tensor, positions_N: Tensor) -> Tensor:
        table = weights["embed"]
        x_ND = look_up(tokens_N, table, self.stream)
        if self.config.positions == "learned":
            x_ND = x_ND + look_up(positions_N, weights["positions"], self.stream)
        return x_ND

    def hidden(
        self,
        weights: Weights,
        tokens_N: Tensor,
        packing: Packing,
        wanted_N: Tensor | None = None,
        see: Callable[[int, Tensor], None] | None = None,
        recompute: bool = False,
    ) -> Tensor:
        """Hidden states before the head, [N, D], of packed rows; of the wanted positions only, where these
        are given: for the others the last layer computes no more than keys and values. `see` gets each
        layer's heads. With `recompute` no more than each layer's input is kept for the gradient."""
        config = self.config
        x_ND = self.embed(weights, tokens_N, packing.positions_N)
        rotation = self.rotation(weights, packing.positions_N)

        def through(layer: int, x_ND: Tensor) -> Tensor:
            heads_NHd = self.heads(weights, layer, x_ND, rotation)
            if see is not None:
                see(layer, heads_NHd)
            attended_N = attend(heads_NHd, packing, config.key_value_heads)
            if layer == config.layers - 1:
                x_ND, attended_N = gather(x_ND, wanted_N), gather(attended_N, wanted_N)
            return self.finish(weights, layer, x_ND, attended_N)

        for layer in range(config.layers):
            if recompute and torch.is_grad_enabled():
                x_ND = checkpoint(through, layer, x_ND, use_reentrant=False, preserve_rng_state=False)
            else:
                x_ND = through(layer, x_ND)
        return self.normalise(weights, x_ND)

    def run(
        self,
        weights: Weights,
        tokens_N: Tensor,
        positions_N: Tensor,
        attend: Callable[[int, Tensor], Tensor],
        wanted_N: Tensor | None = None,
        rotation: Rotation | None = None,
    ) -> Tensor:
        """Hidden states before the head, [N, D], where no gradient is wanted and each layer's attention is
        the caller's: it gets the heads [N, H, d] and returns what they see, [N, K·G·d]; in the last layer of
        the wanted positions only, where these are given. `rotation` is the positions', where the caller has
        it."""
        if rotation is None:
            rotation = self.rotation(weights, positions_N)
        straight, few = straight_of(weights), few_of(weights, len(tokens_N))
        if straight is not None:
            return straight.run(tokens_N, positions_N, rotation, attend, wanted_N)
        x_ND = self.embed(weights, tokens_N, positions_N)
        if few is not None:
            return few.run(x_ND, rotation, attend, wanted_N)
        for layer in range(self.config.layers):
            attended_N = attend(layer, self.heads(weights, layer, x_ND, rotation))
            if wanted_N is not None and layer == self.config.layers - 1:
                x_ND = x_ND.index_select(0, wanted_N)
            x_ND = self.finish(weights, layer, x_ND, attended_N)
        return self.normalise(weights, x_ND)

    def normalise(self, weights: Weights, x_ND: Tensor) -> Tensor:
        return rms_norm(x_ND, weights["norm"], self.config.epsilon, self.dtype)

    def heads(self, weights: Weights, layer: int, x_ND: Tensor, rotation: Rotation | None) -> Tensor:
        """Queries, keys and values [N, H, d], rotated where the architecture rotates."""
        config = self.config
        h_ND = self._normal(weights, f"{layer}.norm1", x_ND)
        qkv_N = linear(h_ND, weights[f"{layer}.qkv"], weights.get(f"{layer}.qkv_bias"))
        heads_NHd = qkv_N.view(len(x_ND), -1, config.head_width)
        if config.head_norm:
            parts = list(
                heads_NHd.split([config.heads, config.key_value_heads, config.key_value_heads], dim=1)
            )
            for index, name in enumerate(("q_norm", "k_norm")):
                parts[index] = rms_norm(parts[index], weights[f"{layer}.{name}"], config.epsilon, self.dtype)
            heads_NHd = torch.cat(parts, dim=1)
        if rotation is not None and layer not in config.unrotated:
            turned = config.heads + config.key_value_heads
            if isinstance(rotation, Tensor):
                return turn_neighbours(heads_NHd, rotation, turned)
            heads_NHd = rotate(heads_NHd, rotation, turned)
        return heads_NHd

    def finish(self, weights: Weights, layer: int, x_ND: Tensor, attended_N: Tensor) -> Tensor:
        """The rest of a layer after attention. Where no gradient is wanted, x is changed in place."""
        x_ND = add_linear(x_ND, attended_N, weights[f"{layer}.o"], weights.get(f"{layer}.o_bias"))
        h_ND = self._normal(weights, f"{layer}.norm2", x_ND)
        return add_linear(x_ND, light(h_ND, weights[f"{layer}.gate_up"]), weights[f"{layer}.down"])

    def _normal(self, weights: Weights, norm: str, x_ND: Tensor) -> Tensor:
        if isinstance(weights, Folded):
            return unit(x_ND, self.config.epsilon)
        return rms_norm(x_ND, weights[norm], self.config.epsilon, self.dtype)

    def logits(self, weights: Weights, hidden_ND: Tensor, *, exact: bool = True) -> Tensor:
        """Logits in fp32, or where they need not be `exact` as they are computed, [N, V]; suppressed tokens
        are impossible."""
        # A tied head is the embedding, except where it is laid out for products.
        logits_NV = linear(hidden_ND, weights["head" if "head" in weights else "embed"])
        logits_NV = logits_NV.float() if exact else logits_NV
        return logits_NV if self.suppressed is None else logits_NV.index_fill_(1, self.suppressed, -torch.inf)

    def rotation(self, weights: Weights, positions_N: Tensor) -> Rotation | None:
        """Cosines and signed sines of positions, [N, 1, d], or where these weights have neighbours turned
        complex numbers, [N, 1, d/2]; None where the architecture rotates nothing."""
        if self.config.positions != "rotary":
            return None
        length = int(positions_N.max()) + 1
        tables = self._tables
        if tables is None or len(tables[0]) < length:
            count = max(256, 2 ** math.ceil(math.log2(length)))
            angles = torch.outer(torch.arange(count, dtype=torch.float32), frequencies_of(self.config))
            magnitude = magnitude_of(self.config)
            cosine, sine = angles.cos() * magnitude, angles.sin() * magnitude
            doubled = torch.cat((cosine, cosine), 1), torch.cat((-sine, sine), 1)
            tables = *map(placed, doubled), placed(torch.complex(cosine, sine))
            self._tables = tables
        if isinstance(weights, Folded):
            return tables[2].index_select(0, positions_N).unsqueeze(1)
        cosine, sine = (table.index_select(0, positions_N).unsqueeze(1) for table in tables[:2])
        return cosine.to(self.dtype), sine.to(self.dtype)
