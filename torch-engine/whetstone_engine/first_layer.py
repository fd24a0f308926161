"""The first layer's attention of a small vocabulary, looked up: what a token asks of another that stands so
far before it is one number for each head, whatever the row. Suffixes as in decoder.py; T distances."""

from __future__ import annotations

import torch
from torch import Tensor

from .config import ModelConfig

NUMBERS = 2**18
"""Most scores that are kept, 1 MiB: beyond, to look them up costs what it saves."""

DISTANCES = 64
"""Fewest distances of a table, and how many are computed together."""


class FirstLayer:
    """Scores of all pairs of tokens at all distances, and what each token's values make of a head."""

    def __init__(
        self, heads_VO: Tensor, output_OD: Tensor, config: ModelConfig, rotation_T1p: Tensor | None
    ) -> None:
        """Of each token's queries, keys and values in a row, neighbours turned together; of the rotation of
        all distances, or None where this layer rotates nothing."""
        width, group = config.head_width, config.heads // config.key_value_heads
        parts = [config.heads, config.key_value_heads, config.key_value_heads]
        queries_VHd, keys, values = heads_VO.unflatten(1, (-1, width)).split(parts, 1)
        queries_VTHd = queries_VHd[:, None]
        if rotation_T1p is not None:
            queries_VTHd = _turned(queries_VTHd, rotation_T1p)
            keys = _turned(keys, rotation_T1p[0])
        keys_VHd, values_VHd = (part.repeat_interleave(group, 1) for part in (keys, values))
        # By blocks: how many distances there are changes no bit of a score.
        blocks = [
            torch.einsum("vthd,whd->hvtw", block, keys_VHd) for block in queries_VTHd.split(DISTANCES, 1)
        ]
        scores_HVTV = torch.cat(blocks, 2).mul_(width**-0.5)
        self.vocabulary, self.distances = len(heads_VO), queries_VTHd.shape[1]
        self.scores = [one.flatten() for one in scores_HVTV]
        outputs_HdD = output_OD.unflatten(0, (config.heads, width))
        self.values_OD = torch.einsum("vhd,hdo->hvo", values_VHd, outputs_HdD).flatten(0, 1)
        """Head after head, a line for each token: a share of its attention adds so much to what goes on."""

    def asking(self, tokens: Tensor, columns: Tensor) -> Tensor:
        """Of tokens that ask, in columns: their part of the indices of scores."""
        own = tokens * (self.vocabulary * self.distances)
        return own if self.distances == 1 else own.add_(columns, alpha=self.vocabulary)

    def asked(self, tokens: Tensor, columns: Tensor) -> Tensor:
        """Of tokens that are asked: the farther behind, the nearer to what asks."""
        return tokens if self.distances == 1 else torch.sub(tokens, columns, alpha=self.vocabulary)

    def shares(self, index: Tensor, texts: Tensor, hidden: Tensor | None) -> Tensor:
        """The share of each token of the vocabulary in each head's attention, [M, H·V], by the indices of
        scores […, S], the tokens that are asked, and −∞ where one is hidden."""
        scores = torch.empty(len(self.scores), index.numel())
        for score, of in zip(scores, self.scores, strict=True):
            torch.index_select(of, 0, index.view(-1), out=score)
        scores = scores.view(-1, *index.shape)
        if hidden is not None:
            scores += hidden
        shares = torch.zeros(*index.shape[:-1], len(scores), self.vocabulary)
        shares.movedim(-2, 0).scatter_add_(-1, texts.expand_as(scores), scores.softmax(-1))
        return shares.view(-1, len(self.values_OD))


def distances_of(config: ModelConfig) -> int:
    """How many distances a table must tell apart at most; 0 where that is no table for this model."""
    distances = 1 if config.positions == "none" or 0 in config.unrotated else config.max_positions
    numbers = config.vocabulary**2 * distances * config.heads
    return distances if config.positions != "learned" and numbers <= NUMBERS else 0


def _turned(heads: Tensor, rotation: Tensor) -> Tensor:
    pairs = torch.view_as_complex(heads.unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * rotation).flatten(-2)
