"""Choosing the next token. Suffixes: B rows, V vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, searchsorted

from .errors import bad_request
from .frames import Head
from .request import listed, number, whole


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
    top_B1, likeliest_B1 = logits_BV.max(1, keepdim=True)
    shifted_BV = logits_BV - top_B1
    weights_BV = shifted_BV.exp()
    normaliser_B1 = weights_BV.sum(1, keepdim=True).log_()
    if draw_B is None:
        return likeliest_B1[:, 0], -normaliser_B1[:, 0]
    if parameters.temperature != 1:
        weights_BV = (shifted_BV / parameters.temperature).exp_()
    tokens_B1 = _draw(weights_BV, parameters, draw_B[:, None])
    return tokens_B1[:, 0], (shifted_BV.gather(1, tokens_B1) - normaliser_B1)[:, 0]


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


def _invert(weights: Tensor, draw_B1: Tensor) -> Tensor:
    sums = weights.cumsum(1)
    return searchsorted(sums, draw_B1 * sums[:, -1:], right=True).clamp_(max=weights.shape[1] - 1)
