"""The passes of a small model over folded weights, written out: around products this small each call and each
look at where a weight lies costs as much as arithmetic. Suffixes as in decoder.py."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .cache import Cache
from .config import ModelConfig
from .decoding_rows import DecodingRows
from .first_layer import DISTANCES, FirstLayer, distances_of
from .kernels import for_each_head, turn_neighbours, unit
from .places import Places, Target, causal

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
        self.parts = [config.heads, config.key_value_heads, config.key_value_heads]
        # What a token is in the first layer depends on its place only by its rotation.
        table = config.vocabulary <= TABLE and self.positions is None
        self.first = torch.mm(unit(self.embed, config.epsilon), self.layers[0][0]) if table else None
        self._first_layer: FirstLayer | None = None

    def run(
        self,
        tokens_N: Tensor,
        positions_N: Tensor,
        rotation: Tensor | None,
        attend: Callable[[int, Tensor], Tensor],
        wanted_N: Tensor | None,
    ) -> Tensor:
        """As `Decoder.run`."""
        x_ND = self._embedded(tokens_N, positions_N)
        for layer, (_, o, gate_up, down) in enumerate(self.layers):
            attended_N = attend(layer, self._heads(layer, tokens_N, x_ND, rotation))
            if wanted_N is not None and layer == self.config.layers - 1:
                x_ND = x_ND.index_select(0, wanted_N)
            x_ND.addmm_(attended_N, o)
            self._light(x_ND, gate_up, down)
        return self._normal(x_ND)

    def read(
        self,
        tokens_N: Tensor,
        rotation: Tensor | None,
        cache: Cache,
        places: Places,
        first_layer: FirstLayer | None,
    ) -> Tensor:
        """Hidden states after rows of one length that begin, [R, D]; `rotation` is of their columns. The
        factors of each head's products are what the layer's product has made, as it lies."""
        config, columns = self.config, places.bucket.columns
        width, group = config.head_width, config.heads // config.key_value_heads
        mask_TT = causal(columns, 1, columns)
        if rotation is not None:
            rotation = for_each_head(rotation, config.heads + config.key_value_heads)
        x_ND = self._embedded(tokens_N, places.column_N)
        for layer, (_, o, gate_up, down) in enumerate(self.layers):
            if layer == 0 and first_layer is not None and layer < config.layers - 1:
                x_ND.addmm_(
                    _looked_up(first_layer, tokens_N.view(-1, columns), mask_TT), first_layer.values_OD
                )
                self._light(x_ND, gate_up, down)
                continue
            heads_NHd = self._heads(layer, tokens_N, x_ND, None)
            heads_RTHd = heads_NHd.unflatten(0, (-1, columns))
            if rotation is not None and layer not in config.unrotated:
                pairs = torch.view_as_complex(heads_RTHd.unflatten(3, (-1, 2)))
                pairs[:, :, : rotation.shape[1]].mul_(rotation)
            cache.write(layer, places, heads_NHd)
            queries, keys, values = heads_RTHd.split(self.parts, 2)
            if layer == config.layers - 1:
                x_ND, queries, mask_TT = x_ND.index_select(0, places.last_R), queries[:, -1:], mask_TT[-1:]
            for head in range(config.heads):
                keys_RdT = keys[:, :, head // group].transpose(1, 2)
                scores = torch.baddbmm(mask_TT, queries[:, :, head], keys_RdT, alpha=width**-0.5)
                attended_RTd = torch.bmm(scores.softmax(-1), values[:, :, head // group])
                x_ND.addmm_(attended_RTd.view(-1, width), o[head * width : (head + 1) * width])
            self._light(x_ND, gate_up, down)
        return self._normal(x_ND)

    def step(self, tokens_B: Tensor, rows: DecodingRows, column: Target) -> Tensor:
        """Hidden states after one token of each row, [B, D]."""
        config, rotation = self.config, rows.rotation(column)
        x_BD = self._embedded(tokens_B, column.column_N)
        for layer, (qkv, o, gate_up, down) in enumerate(self.layers):
            if layer == 0 and rows.first_layer is not None:
                x_BD.addmm_(rows.look(tokens_B, column), rows.first_layer.values_OD)
            else:
                if layer == 0 and self.first is not None:
                    torch.index_select(self.first, 0, tokens_B, out=rows.heads_BO)
                else:
                    torch.mm(unit(x_BD, config.epsilon), qkv, out=rows.heads_BO)
                if rotation is not None and layer not in config.unrotated:
                    rows.turned.mul_(rotation)
                x_BD.addmm_(rows.attend(layer, column), o)
            torch.mm(unit(x_BD, config.epsilon), gate_up, out=rows.lit_BO)
            x_BD.addmm_(F.silu(rows.gate_BO, inplace=True).mul_(rows.up_BO), down)
        return self._normal(x_BD)

    def first_layer(self, columns: int, rotation_of: Callable[[int], Tensor | None]) -> FirstLayer | None:
        """Tables of the first layer's attention in so many columns, made anew where they have become too
        many; None where they are not worth it."""
        most, known = distances_of(self.config), self._first_layer
        if most == 0 or self.first is None:
            return None
        if known is None or known.distances < min(columns, most):
            distances = min(most, 2 ** math.ceil(math.log2(max(columns, DISTANCES))))
            rotation = None if 0 in self.config.unrotated else rotation_of(distances)
            known = self._first_layer = FirstLayer(self.first, self.layers[0][1], self.config, rotation)
        return known

    def _embedded(self, tokens_N: Tensor, positions_N: Tensor) -> Tensor:
        x_ND = self.embed.index_select(0, tokens_N)
        return x_ND if self.positions is None else x_ND.add_(self.positions.index_select(0, positions_N))

    def _heads(self, layer: int, tokens_N: Tensor, x_ND: Tensor, rotation: Tensor | None) -> Tensor:
        """Queries, keys and values [N, H, d]."""
        if layer == 0 and self.first is not None:
            heads_NO = self.first.index_select(0, tokens_N)
        else:
            heads_NO = torch.mm(unit(x_ND, self.config.epsilon), self.layers[layer][0])
        heads_NHd = heads_NO.view(len(heads_NO), -1, self.config.head_width)
        if rotation is not None and layer not in self.config.unrotated:
            turn_neighbours(heads_NHd, rotation, self.config.heads + self.config.key_value_heads)
        return heads_NHd

    def _light(self, x_ND: Tensor, gate_up: Tensor, down: Tensor) -> None:
        """Adds what a layer's gated products make, in place."""
        gate_NO, up_NO = torch.mm(unit(x_ND, self.config.epsilon), gate_up).chunk(2, dim=1)
        x_ND.addmm_(F.silu(gate_NO, inplace=True).mul_(up_NO), down)

    def _normal(self, x_ND: Tensor) -> Tensor:
        return unit(x_ND, self.config.epsilon).mul_(self.norm)


def _looked_up(first_layer: FirstLayer, tokens_RT: Tensor, mask_TT: Tensor) -> Tensor:
    """Shares of attention of rows that begin, [N, H·V]."""
    columns = torch.arange(tokens_RT.shape[1])
    asking_RT1 = first_layer.asking(tokens_RT, columns)[:, :, None]
    asked_R1T = first_layer.asked(tokens_RT, columns)[:, None]
    # What comes after is at no distance.
    index_RTT = (asking_RT1 + asked_R1T).clamp_(min=0)
    return first_layer.shares(index_RTT, tokens_RT[:, None], mask_TT)
