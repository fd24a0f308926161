"""Choosing the next token. Suffixes: B rows, V vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, searchsorted

from .errors import bad_request
from .frames import Head
from .request import listed, number, whole

BLOCK = 256
"""Tokens that are summed first, where a vocabulary has many: running sums of all of them would cost more than
the rest."""


@dataclass(frozen=True)
class Parameters:
    """What a batch of samples has in common. Filters apply in the order temperature, topK, topP, minP."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    stop_tokens: tuple[int, ...] = ()
    stop_strings: tuple[bytes, ...] = ()

    @staticmethod
    def read(head: Head) -> Parameters:
        read = Parameters(
            number(head, "temperature", 1, least=0),
            whole(head, "topK", 0),
            number(head, "topP", 1, least=0),
            number(head, "minP", 0, least=0),
            listed(head, "stopTokens", int),
            tuple(text.encode() for text in listed(head, "stopStrings", str)),
        )
        if not 0 < read.top_p <= 1 or read.min_p > 1:
            raise bad_request("topP must be above 0 and at most 1, minP at most 1")
        if b"" in read.stop_strings or any(token < 0 for token in read.stop_tokens):
            raise bad_request("a stop string must not be empty, a stop token not negative")
        return read


def choose(logits_BV: Tensor, parameters: Parameters, draw_B: Tensor | None) -> tuple[Tensor, Tensor]:
    """The next token of each row, the likeliest without a draw, and its logprob under the model itself."""
    if draw_B is None:
        top_B1, likeliest_B1 = logits_BV.max(1, keepdim=True)
        return likeliest_B1[:, 0], -(logits_BV - top_B1).exp_().sum(1).log_()
    top_B1 = logits_BV.amax(1, keepdim=True)
    weights_BV = (logits_BV - top_B1).exp_()
    normaliser_B1 = weights_BV.sum(1, keepdim=True).log_()
    if parameters.temperature != 1:
        weights_BV = torch.sub(logits_BV, top_B1, out=weights_BV).div_(parameters.temperature).exp_()
    tokens_B1 = _draw(weights_BV, parameters, draw_B[:, None])
    return tokens_B1[:, 0], (logits_BV.gather(1, tokens_B1) - top_B1 - normaliser_B1)[:, 0]


def _draw(weights_BV: Tensor, parameters: Parameters, draw_B1: Tensor) -> Tensor:
    """Inverts the filtered distribution at a uniform number; what weighs nothing is never chosen."""
    vocabulary = weights_BV.shape[1]
    few = 0 < parameters.top_k < vocabulary
    if not few and parameters.top_p == 1 and parameters.min_p == 0:
        return _invert(weights_BV, draw_B1)
    if few:
        weights, order = weights_BV.topk(parameters.top_k, dim=1)
    else:
        weights, order = weights_BV.sort(dim=1, descending=True, stable=True)
    if parameters.top_p < 1:
        before = weights.cumsum(1) - weights
        weights = weights.masked_fill(before >= parameters.top_p * weights.sum(1, keepdim=True), 0)
    if parameters.min_p > 0:
        weights = weights.masked_fill(weights < parameters.min_p * weights[:, :1], 0)
    return order.gather(1, _invert(weights, draw_B1))


def _invert(weights_BV: Tensor, draw_B1: Tensor) -> Tensor:
    """The first index whose running sum exceeds the draw's share of the whole."""
    count = weights_BV.shape[1]
    if count < 4 * BLOCK:
        sums = weights_BV.cumsum(1)
        return _place(sums, draw_B1 * sums[:, -1:])
    whole = count - count % BLOCK
    blocks = weights_BV[:, :whole].unflatten(1, (-1, BLOCK)).sum(2)
    if whole < count:
        blocks = torch.cat((blocks, weights_BV[:, whole:].sum(1, keepdim=True)), 1)
    sums = blocks.cumsum(1)
    target_B1 = draw_B1 * sums[:, -1:]
    block_B1 = _place(sums, target_B1)
    index = block_B1 * BLOCK + torch.arange(BLOCK)
    within = weights_BV.gather(1, index.clamp(max=count - 1)).masked_fill_(index >= count, 0)
    before_B1 = (sums - blocks).gather(1, block_B1)
    return block_B1 * BLOCK + _place(within.cumsum(1), target_B1 - before_B1)


def _place(sums: Tensor, target_B1: Tensor) -> Tensor:
    """Where the running sums first exceed the target; at the latest where they reach their end, which
    rounding may put at the target or below: what weighs nothing is never chosen."""
    last_B1 = searchsorted(sums, sums[:, -1:].contiguous()).clamp_(max=sums.shape[1] - 1)
    return torch.minimum(searchsorted(sums, target_B1, right=True), last_B1)
