"""Passes over packed rows: their loss, their logprobs, and what they add to the gradient. Suffixes as in
decoder.py."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .attention import SHORT
from .beginnings import shared_beginnings
from .config import ModelConfig
from .device import on_host, placed
from .errors import EngineError
from .kernels import kernels_add_to, target_logprobs
from .linear import Weights
from .loss import loss_terms, not_finite
from .packing import BLOCK, Packing
from .precision import add_rounded
from .snapshot import Frame

MICRO_TOKENS = 16384
"""Most positions of one pass."""
MICRO_BYTES = 9 * 2**28
"""Most bytes that one pass keeps for its gradients, where the machine has them."""
LOGIT_BYTES = 2**28
"""Most bytes of one pass's logits."""
ON_GPU = 4
"""So many times the positions in a pass on a GPU, which waits for each of its calls."""
LOGITS_SHARE = 4
"""There a quarter of what a pass may keep."""


@dataclass(frozen=True)
class Rows:
    """Rows end to end, the shortest first: lengths [n], tokens, targets and what the loss needs [N] each."""

    lengths: np.ndarray
    tokens_N: Tensor
    targets_N: Tensor
    fields: dict[str, Tensor]

    def split(self, counts: np.ndarray) -> list[Rows]:
        """Cut into parts of so many rows each."""
        ends = np.cumsum(counts)
        parts, places = [], np.concatenate(([0], np.cumsum(self.lengths)))
        for start, end in zip((ends - counts).tolist(), ends.tolist(), strict=True):
            span = slice(int(places[start]), int(places[end]))
            fields = {name: values[span] for name, values in self.fields.items()}
            parts.append(Rows(self.lengths[start:end], self.tokens_N[span], self.targets_N[span], fields))
        return parts


class Passes:
    """A buffer of what is trained, and one of the same size for its gradient."""

    def __init__(
        self,
        frame: Frame,
        buffer: Tensor,
        grad: Tensor,
        *,
        recompute: bool = False,
        pass_bytes: int = MICRO_BYTES,
        abreast: int = 1,
    ) -> None:
        """With `recompute` a pass keeps no more than each layer's input; `pass_bytes` is what as many passes
        as are made `abreast` may keep. Of several, each leaves what autograd adds aside, for `collect`, and
        adds the rest within `leaf.turn`. Raises checkpointing-unsupported."""
        self.architecture = frame.architecture
        if recompute and not self.architecture.can_recompute:
            raise EngineError(
                "checkpointing-unsupported",
                "user",
                "the layers of this model cannot be computed again: leave gradientCheckpointing out",
            )
        self.recompute, self.pass_bytes, self.abreast = recompute, pass_bytes // abreast, abreast
        logits = LOGIT_BYTES if on_host() else max(LOGIT_BYTES, pass_bytes // LOGITS_SHARE)
        # A GPU brings all of them into fp32 at once.
        each = self.architecture.config.vocabulary * (self.architecture.dtype.itemsize if on_host() else 4)
        self.head_limit = max(256, logits // each // abreast)
        # Leaves of autograd are views of one buffer, their gradients views of another. Autograd itself adds
        # only in a leaf's own type; where that is another, what it has made is added after each pass.
        self.buffer, self.grad = buffer, grad
        gradients = frame.leaves(grad)
        self.leaves: dict[str, Tensor] = {}
        self.aside: list[tuple[Tensor, Tensor]] = []
        """Parts of the gradient, and what autograd adds to each of them in another type, or aside."""
        for key, view in frame.leaves(buffer).items():
            leaf = self.leaves[key] = view.detach().requires_grad_()
            leaf.gradient, leaf.turn = gradients[key], nullcontext()
            if leaf.dtype == leaf.gradient.dtype and abreast == 1:
                leaf.grad = leaf.gradient
            elif self.architecture.plain or not kernels_add_to(leaf):
                leaf.grad = torch.zeros_like(leaf)
                self.aside.append((leaf.gradient, leaf.grad))
        self.weights: Weights = frame.weights(self.leaves, trained=True)

    def over(self, rows: Rows, loss: dict[str, Any], wanted: str, *, backward: bool) -> tuple[float, Tensor]:
        """The loss, and the logprobs [N]: NaN where none is wanted. With `backward` gradients are added: some
        of them where it raises."""
        lengths = rows.lengths
        out_N = torch.full((len(rows.tokens_N),), math.nan)
        heads = lengths if wanted == "all" else counted_of(rows.fields["counts"], lengths)
        lost = 0.0
        for some, span in micro_batches(lengths, self.limit(int(lengths.max())), heads, self.head_limit):
            part = {name: values[span] for name, values in rows.fields.items()}
            tokens_N, targets_N = rows.tokens_N[span], rows.targets_N[span]
            try:
                with torch.set_grad_enabled(backward):
                    lost += self._pass(lengths[some], tokens_N, targets_N, part, loss, wanted, out_N[span])
            except EngineError as error:
                raise self._own(error, Rows(lengths[some], tokens_N, targets_N, part), loss) from None
        return lost, out_N

    def collect(self) -> None:
        """Adds what autograd has made in another type, or aside."""
        for sums, rounded in self.aside:
            add_rounded(sums, rounded)
        self.drop_aside()

    def drop_aside(self) -> None:
        """Nothing is left to be added of what autograd has made in another type, or aside."""
        for _, rounded in self.aside:
            rounded.zero_()

    def _own(self, error: EngineError, rows: Rows, loss: dict[str, Any]) -> EngineError:
        """Of a loss that is no number, the error of the first row that has it by itself: attention sees a row
        of the pass where rectangles are wider than others, and spreads what is no number over them."""
        first = error.details.get("datum")
        if error.code != "non-finite-loss" or first is None or len(rows.lengths) == 1:
            return error
        alone = rows.split(np.ones(len(rows.lengths), dtype=np.int64))
        for datum, one in sorted((int(one.fields["row"][0]), place) for place, one in enumerate(alone)):
            if datum >= int(first):
                try:
                    self.over(alone[one], loss, "none", backward=False)
                except EngineError as own:
                    return own
        return error

    def limit(self, longest: int) -> int:
        """Positions of one pass over rows that are at most so long."""
        config, decoder = self.architecture.config, self.architecture.decoder
        sizes = self.architecture.dtype.itemsize, decoder.stream.itemsize
        most = MICRO_TOKENS if on_host() else ON_GPU * MICRO_TOKENS
        return micro_limit(config, longest, self.pass_bytes, self.recompute, *sizes, most)

    def _pass(
        self,
        lengths: np.ndarray,
        tokens_N: Tensor,
        targets_N: Tensor,
        fields: dict[str, Tensor],
        loss: dict[str, Any],
        wanted: str,
        out_N: Tensor,
    ) -> float:
        decoder, everywhere = self.architecture.decoder, wanted == "all"
        counted = placed(fields["counts"].nonzero()[:, 0])
        if len(counted) == 0 and not everywhere:
            return 0.0
        some = None if everywhere or len(counted) == len(targets_N) else counted
        packing = Packing(lengths, shared_beginnings(tokens_N.numpy(), lengths))
        computed, which = packing.wanted(some)
        hidden_ND = decoder.hidden(
            self.weights, packing.computed(placed(tokens_N)), packing, computed, recompute=self.recompute
        )
        if which is not None:
            # What several rows share predicts a target in each.
            hidden_ND = hidden_ND.index_select(0, which)
        targets_N = placed(targets_N)
        logprobs_N = target_logprobs(
            decoder.logits(self.weights, hidden_ND, exact=False),
            targets_N if some is None else targets_N[some],
        )
        if some is None:
            out_N.copy_(logprobs_N.detach())
            logprobs_N = logprobs_N[counted]
        else:
            out_N.index_copy_(0, some.cpu(), logprobs_N.detach().cpu())
        fields = {name: placed(values)[counted] for name, values in fields.items()}
        terms = loss_terms(loss, logprobs_N, fields)
        value = terms.sum()
        lost = float(value.detach())
        if not math.isfinite(lost):
            raise not_finite(terms, fields["row"])
        if torch.is_grad_enabled() and len(counted) > 0:
            value.backward()
            if self.abreast == 1:
                self.collect()
        return lost


def counted_of(counts_N: Tensor, lengths: np.ndarray) -> np.ndarray:
    """How many positions of each row count."""
    return np.add.reduceat(counts_N.numpy(), np.cumsum(lengths) - lengths, dtype=np.int64)


def micro_limit(
    config: ModelConfig,
    longest: int = SHORT,
    pass_bytes: int = MICRO_BYTES,
    recompute: bool = False,
    number_bytes: int = 4,
    stream_bytes: int = 4,
    most: int = MICRO_TOKENS,
) -> int:
    """Positions of one pass: a function of the model's shape, of the longest row, of what the machine was
    found to have once, and of what is kept for the gradient, numbers of so many bytes, and others of what
    layers hand on; never of the memory of the moment."""
    heads = (config.heads + 2 * config.key_value_heads) * config.head_width
    # A flash kernel keeps queries, keys and values apart; else the probabilities are kept, of rows of several
    # blocks a little more than half.
    seen = min(longest, SHORT)
    attention = max(3 * heads, heads + config.heads * max(min(seen, BLOCK), (seen + BLOCK) // 2))
    norms = 2 * 4 * config.width  # In fp32.
    layer = norms + number_bytes * (3 * config.width + attention + 3 * config.hidden)
    kept = layer + stream_bytes * config.layers * config.width if recompute else config.layers * layer
    return max(256, min(most, pass_bytes // kept))


def micro_batches(
    lengths: np.ndarray, limit: int, heads: np.ndarray | None = None, head_limit: int = MICRO_TOKENS
) -> list[tuple[slice, slice]]:
    """Sorted rows cut into no more passes than limits take, of like sizes: which rows, and which positions.
    `heads` are the positions of each row whose logits are wanted, no more than `head_limit` in a pass."""
    costs = lengths
    if heads is not None:
        costs = np.maximum(lengths, -(-heads * limit // head_limit))
    batches = _cut(costs, limit)
    least, most = -(-int(costs.sum()) // len(batches)), limit
    while least < most:
        middle = (least + most) // 2
        if len(even := _cut(costs, middle)) > len(batches):
            least = middle + 1
        else:
            batches, most = even, middle
    ends = np.concatenate(([0], np.cumsum(lengths)))
    return [(rows, slice(int(ends[rows.start]), int(ends[rows.stop]))) for rows in batches]


def _cut(costs: np.ndarray, limit: int) -> list[slice]:
    """Cut where a pass would grow beyond the limit."""
    batches: list[slice] = []
    first, total = 0, 0
    for row, cost in enumerate(costs.tolist()):
        if row > first and total + cost > limit:
            batches.append(slice(first, row))
            first, total = row, 0
        total += cost
    return [*batches, slice(first, len(costs))]
