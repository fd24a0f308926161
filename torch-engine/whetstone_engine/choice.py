"""Choosing the next token. Suffixes: B rows, V vocabulary, K the most probable of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, searchsorted

from .device import device, moved, on_host
from .errors import bad_request
from .frames import Head
from .kernels import exponentials, weights_to_draw_by
from .request import listed, number, whole

BLOCK = 256
"""Tokens that are summed first, where a vocabulary has many: running sums of all of them would cost more than
the rest."""
TOGETHER = 2**18
"""Logits that are looked at together, several times over: they stay in the processor's cache."""
TOGETHER_ON_GPU = 2**26
"""The same on a GPU, whose memory bounds them."""
GREEDY, GREEDY_IN_BF16 = 2**21, 2**19
"""Logits that are looked at together where all rows are greedy: a copy of them is made, in bf16 of what stays
in the cache."""
FEW = 64
"""Most probable tokens that are looked at first, where a filter needs them in order."""
TOP = 64
"""Most probable tokens that may be asked for at a position."""
FP32 = np.finfo(np.float32)
"""What is smaller than its least normal number would be 0, and what is larger than its largest ∞: divided by
either, or a share of it, is nothing to choose by."""


@dataclass(frozen=True)
class Parameters:
    """How the tokens of a request are chosen, and what ends it. Filters apply in the order temperature, topK,
    topP, minP."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    stop_tokens: tuple[int, ...] = ()
    stop_strings: tuple[bytes, ...] = ()
    top: int = 0
    """How many of the most probable tokens are wanted at each position."""

    @staticmethod
    def read(head: Head, vocabulary: int) -> Parameters:
        read = Parameters(
            number(head, "temperature", 1, least=0),
            whole(head, "topK", 0),
            number(head, "topP", 1, least=0),
            number(head, "minP", 0, least=0),
            listed(head, "stopTokens", int),
            tuple(text.encode() for text in listed(head, "stopStrings", str)),
            read_top(head, "topLogprobs", vocabulary),
        )
        if not 0 < read.top_p <= 1 or read.min_p > 1:
            raise bad_request("topP must be above 0 and at most 1, minP at most 1")
        if b"" in read.stop_strings or any(token < 0 for token in read.stop_tokens):
            raise bad_request("a stop string must not be empty, a stop token not negative")
        return read

    @property
    def ordered(self) -> bool:
        """Whether a filter must know which tokens are the most probable."""
        return self.top_k > 0 or self.top_p < 1


def read_top(head: Head, name: str, vocabulary: int) -> int:
    top, most = whole(head, name, 0), min(TOP, vocabulary)
    if top > most:
        raise bad_request(f"{name} is at most {most}, not {top}")
    return top


class Choice:
    """How the rows of a batch choose, each by its own parameters: what one gets depends on no other."""

    def __init__(self, parameters_B: list[Parameters], vocabulary: int) -> None:
        size = max(1, (TOGETHER if on_host() else TOGETHER_ON_GPU) // vocabulary)
        self.parts = [
            _Part(parameters_B[first : first + size]) for first in range(0, len(parameters_B), size)
        ]
        self.size, self.draws = size, any(part.draws for part in self.parts)
        self.top = max(one.top for one in parameters_B)

    def choose(self, logits_BV: Tensor, draw_B: Tensor | None) -> tuple[Tensor, Tensor]:
        """The next token of each row, the likeliest where it is greedy, and its logprob under the model
        itself, in fp32; of logits in any type."""
        if len(self.parts) == 1:
            return self.parts[0].choose(logits_BV, draw_B)
        if not self.draws and logits_BV.is_cpu:
            together = GREEDY if logits_BV.dtype == torch.float32 else GREEDY_IN_BF16
            return _joined(
                [_greedy(part) for part in logits_BV.split(max(1, together // logits_BV.shape[1]))]
            )
        rows = logits_BV.split(self.size)
        draws = [None] * len(rows) if draw_B is None else draw_B.split(self.size)
        return _joined([part.choose(*given) for part, *given in zip(self.parts, rows, draws, strict=True)])


class _Part:
    """Rows whose logits are looked at together."""

    def __init__(self, parameters_B: list[Parameters]) -> None:
        temperature = np.array([one.temperature for one in parameters_B])
        drawn = temperature > 0
        self.draws = bool(drawn.any())
        self.greedy_B = None if drawn.all() else moved(~drawn)
        divided = bool((drawn & (temperature != 1)).any())
        heat = np.where(drawn, temperature, 1).clip(FP32.tiny, FP32.max).astype(np.float32)[:, None]
        self.temperature_B1 = moved(heat) if divided else None
        least = np.array([one.min_p for one in parameters_B], np.float32)[:, None]
        self.least_B1 = moved(least) if least.any() else None
        ordered = [row for row, one in enumerate(parameters_B) if one.ordered and drawn[row]]
        self.ordered = _Ordered([parameters_B[row] for row in ordered], ordered) if ordered else None
        self.plain = bool(drawn.all()) and not (divided or ordered or least.any())
        """Whether every row draws from the model's own distribution."""

    def choose(self, logits_BV: Tensor, draw_B: Tensor | None) -> tuple[Tensor, Tensor]:
        if not self.draws or draw_B is None:
            return _greedy(logits_BV)
        logits_BV = logits_BV.float()
        if self.plain and logits_BV.is_cpu and logits_BV.shape[1] < 4 * BLOCK:
            return _drawn(logits_BV, draw_B)
        top_B1 = logits_BV.amax(1, keepdim=True)
        weights_BV = exponentials(logits_BV - top_B1)
        normaliser_B1 = weights_BV.sum(1, keepdim=True).log_()
        if self.temperature_B1 is not None:
            exponentials(torch.sub(logits_BV, top_B1, out=weights_BV).div_(self.temperature_B1))
        weights_to_draw_by(weights_BV)
        draw_B1 = draw_B[:, None]
        ordered = None if self.ordered is None else weights_BV[self.ordered.rows]
        if self.least_B1 is not None:
            # The most probable weighs 1.
            weights_BV.masked_fill_(weights_BV < self.least_B1, 0)
        tokens_B1 = _invert(weights_BV, draw_B1)
        if self.ordered is not None and ordered is not None:
            rows = self.ordered.rows
            tokens_B1[rows] = self.ordered.draw(ordered, draw_B1[rows])
        if self.greedy_B is not None:
            tokens_B1[self.greedy_B] = _likeliest(logits_BV[self.greedy_B])[0]
        return tokens_B1[:, 0], (logits_BV.gather(1, tokens_B1) - top_B1 - normaliser_B1)[:, 0]


def _joined(chosen: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    tokens, logprobs = zip(*chosen, strict=True)
    return torch.cat(tokens), torch.cat(logprobs)


def _greedy(logits_BV: Tensor) -> tuple[Tensor, Tensor]:
    """The likeliest tokens and their logprobs. Of a large vocabulary PyTorch's softmax is one call that reads
    a row while it is in the cache; of a small one it computes one number at a time."""
    likeliest_B1, top_B1 = _likeliest(logits_BV)
    if logits_BV.dtype != torch.float32:
        sums_B1 = exponentials(logits_BV.float().sub_(top_B1)).sum(1, keepdim=True)
    elif logits_BV.is_cpu and logits_BV.shape[1] >= 4 * BLOCK:
        return likeliest_B1[:, 0], logits_BV.log_softmax(1).amax(1)
    else:
        sums_B1 = _sum_of_exponentials(logits_BV, top_B1)
    return likeliest_B1[:, 0], -sums_B1.log_()[:, 0]


def _drawn(logits_BV: Tensor, draw_B: Tensor) -> tuple[Tensor, Tensor]:
    """Tokens of the model's own distribution and their logprobs, in few calls: with the rows side by side
    PyTorch computes many at once, however few their tokens are."""
    shares_VB = logits_BV.t().softmax(0)
    sums_VB = shares_VB.cumsum(0)
    # A draw is a share of what the sums end with: what weighs nothing is never chosen. Where they are no
    # numbers, any place is as good.
    tokens_1B = (sums_VB <= draw_B * sums_VB[-1]).sum(0, keepdim=True).clamp_(max=len(sums_VB) - 1)
    return tokens_1B[0], shares_VB.gather(0, tokens_1B).log_()[0]


class _Ordered:
    """Rows whose filters need the most probable tokens in order."""

    def __init__(self, parameters_R: list[Parameters], rows: list[int]) -> None:
        self.rows = torch.tensor(rows, device=device())
        self.top_k_R1 = torch.tensor([one.top_k for one in parameters_R], device=device())[:, None]
        top_p_R = [max(one.top_p, float(FP32.tiny)) for one in parameters_R]
        self.top_p_R1 = torch.tensor(top_p_R, device=device())[:, None]
        self.min_p_R1 = torch.tensor([one.min_p for one in parameters_R], device=device())[:, None]

    def draw(self, weights_RV: Tensor, draw_R1: Tensor) -> Tensor:
        """Tokens by a uniform number. Each row is given as many of the most probable as it needs: enough for
        its top-k, or for its top-p to be reached."""
        vocabulary = weights_RV.shape[1]
        tokens_R1 = torch.empty(len(weights_RV), 1, dtype=torch.long, device=device())
        totals_R1 = weights_RV.sum(1, keepdim=True)
        left, few = torch.arange(len(weights_RV), device=device()), FEW
        while len(left) > 0:
            few = min(few, vocabulary)
            weights, order = weights_RV[left].topk(few, dim=1)
            top_k, top_p = self.top_k_R1[left], self.top_p_R1[left]
            limited = top_k > 0
            weights.masked_fill_(limited & (torch.arange(few, device=device()) >= top_k), 0)
            sums = weights.cumsum(1)
            # Of those that top-k leaves, or of all.
            wanted = top_p * torch.where(limited, sums[:, -1:], totals_R1[left])
            enough = torch.where(limited, top_k <= few, sums[:, -1:] >= wanted)[:, 0] | (few == vocabulary)
            weights.masked_fill_((sums - weights >= wanted) & (top_p < 1), 0)
            weights.masked_fill_(weights < self.min_p_R1[left] * weights[:, :1], 0)
            done = left[enough]
            tokens_R1[done] = order[enough].gather(1, _invert(weights[enough], draw_R1[done]))
            left, few = left[~enough], 8 * few
        return tokens_R1


def _likeliest(logits_BV: Tensor) -> tuple[Tensor, Tensor]:
    """The first of the likeliest tokens of each row, and its logit. PyTorch looks for a place one number at a
    time; for a maximum it does not, so that the place is looked for in one block only."""
    count = logits_BV.shape[1]
    if count < 4 * BLOCK or not logits_BV.is_cpu:
        top_B1, place_B1 = logits_BV.max(1, keepdim=True)
        return place_B1, top_B1
    whole = count - count % BLOCK
    tops = logits_BV[:, :whole].unflatten(1, (-1, BLOCK)).amax(2)
    if whole < count:
        tops = torch.cat((tops, logits_BV[:, whole:].amax(1, keepdim=True)), 1)
    top_B1, block_B1 = tops.max(1, keepdim=True)
    index = (block_B1 * BLOCK + torch.arange(BLOCK)).clamp_(max=count - 1)
    return block_B1 * BLOCK + logits_BV.gather(1, index).argmax(1, keepdim=True), top_B1


def _sum_of_exponentials(logits_BV: Tensor, top_B1: Tensor) -> Tensor:
    return exponentials(logits_BV - top_B1).sum(1, keepdim=True)


def most_probable(logits_NV: Tensor, top: int) -> tuple[Tensor, Tensor]:
    """The most probable tokens of each row, the most probable first, [N, K], and their logprobs."""
    logits_NV = logits_NV.float()
    most_NK, tokens_NK = logits_NV.topk(top, dim=1)
    top_N1 = most_NK[:, :1]
    return tokens_NK, most_NK - top_N1 - _sum_of_exponentials(logits_NV, top_N1).log_()


def _invert(weights_BV: Tensor, draw_B1: Tensor) -> Tensor:
    """The first index whose running sum exceeds the draw's share of the whole."""
    count = weights_BV.shape[1]
    if not weights_BV.is_cpu:
        # Many threads make the sums, which rounding may let fall from one token to the next: here by less
        # than a draw can hit.
        sums = weights_BV.cumsum(1, dtype=torch.float64)
        return _place(sums, draw_B1 * sums[:, -1:])
    if count < 4 * BLOCK:
        sums = weights_BV.cumsum(1)
        return _beyond(sums, draw_B1 * sums[:, -1:])
    whole = count - count % BLOCK
    blocks = weights_BV[:, :whole].unflatten(1, (-1, BLOCK)).sum(2)
    if whole < count:
        blocks = torch.cat((blocks, weights_BV[:, whole:].sum(1, keepdim=True)), 1)
    sums = blocks.cumsum(1)
    target_B1 = draw_B1 * sums[:, -1:]
    block_B1 = _place(sums, target_B1)
    index = block_B1 * BLOCK + torch.arange(BLOCK)
    within = weights_BV.gather(1, index.clamp(max=count - 1)).masked_fill_(index >= count, 0)
    # Rounding may put what is before a block above the target: the first that weighs something is meant.
    beyond_B1 = (target_B1 - (sums - blocks).gather(1, block_B1)).clamp_(min=0)
    return block_B1 * BLOCK + _place(within.cumsum(1), beyond_B1)


def _beyond(sums: Tensor, target_B1: Tensor) -> Tensor:
    """Where the running sums first exceed a draw's share of the last of them. A draw is at most 1 − 2⁻²⁴, so
    that its share, rounded, is less than the whole, and what weighs nothing is never chosen; where the sums
    are no numbers, any place is as good."""
    return searchsorted(sums, target_B1, right=True).clamp_(max=sums.shape[1] - 1)


def _place(sums: Tensor, target_B1: Tensor) -> Tensor:
    """Where the running sums first exceed the target; at the latest where they reach their end, which
    rounding may put at the target or below: what weighs nothing is never chosen."""
    last_B1 = searchsorted(sums, sums[:, -1:].contiguous()).clamp_(max=sums.shape[1] - 1)
    return torch.minimum(searchsorted(sums, target_B1, right=True), last_B1)
