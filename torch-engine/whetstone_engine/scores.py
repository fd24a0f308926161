"""What a snapshot says of given sequences: logprobs, most probable tokens, certainty, embeddings. Suffixes as
in decoder.py; K most probable tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from .beginnings import shared_beginnings
from .choice import most_probable
from .device import moved, on_host, placed
from .errors import bad_request
from .frames import Arrays
from .kernels import exponentials, target_logprobs, weights_to_draw_by
from .packing import Packing, reordered
from .request import array, sequence_lengths
from .rows import not_finite
from .snapshot import Snapshot

FORWARD_TOKENS = 16384
"""Most positions of one pass."""
FORWARD_LOGITS = 64 * 2**20
"""Most logits of one pass: 256 MiB in fp32."""
FORWARD_LOGITS_ON_GPU = 8 * FORWARD_LOGITS
"""The same on a GPU, which waits for each of its calls."""
POOLINGS = ("mean", "last")


class _Passes:
    """Sequences in passes over many of like length."""

    def __init__(self, snapshot: Snapshot, arrays: Arrays, shorter: int) -> None:
        """The last `shorter` tokens of each sequence are not fed. Raises bad-request, token-out-of-range and
        too-long."""
        # As for sampling, whichever is asked first: what a sampler says depends on no earlier call.
        snapshot.lay_out()
        self.snapshot, self.architecture, self.shorter = snapshot, snapshot.architecture, shorter
        self.lengths = sequence_lengths(arrays, "tokens")
        self.tokens = torch.from_numpy(array(arrays, "tokens", "i32").astype(np.int64))
        self.architecture.check(self.tokens, int(self.lengths.max()) - shorter)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray, Packing, Tensor]]:
        """Rows, the places of what is fed among all tokens, their packing, and the hidden states of what is
        computed."""
        lengths = self.lengths - self.shorter
        order = np.flatnonzero(lengths > 0)
        order = order[np.argsort(lengths[order], kind="stable")]
        logits = FORWARD_LOGITS if on_host() else FORWARD_LOGITS_ON_GPU
        limit = max(1, min(FORWARD_TOKENS, logits // self.architecture.config.vocabulary))
        begin = 0
        while begin < len(order):
            size = max(1, int(np.searchsorted(np.cumsum(lengths[order[begin:]]), limit, side="right")))
            rows = order[begin : begin + size]
            begin += size
            place_N = reordered(self.lengths, rows)
            inner = np.ones(len(place_N), dtype=bool)
            if self.shorter:
                inner[np.cumsum(self.lengths[rows]) - 1] = False
            fed = place_N[inner]
            packing = Packing(lengths[rows], shared_beginnings(self.tokens[fed].numpy(), lengths[rows]))
            hidden_UD = self.architecture.decoder.hidden(
                self.snapshot.weights, packing.computed(placed(self.tokens[fed])), packing
            )
            yield rows, fed, packing, hidden_UD

    def predictions(self) -> Iterator[tuple[np.ndarray, Tensor]]:
        """The places of tokens that others stand before, and the logits that predict them."""
        for _, fed, packing, hidden_UD in self:
            logits_UV = self.architecture.decoder.logits(self.snapshot.weights, hidden_UD)
            yield fed + 1, packing.at_places(logits_UV)


@torch.inference_mode()
def score(snapshot: Snapshot, arrays: Arrays, top: int = 0) -> Arrays:
    """The logprob of every token given those before it, fp32 [Σ], NaN at each first; with `top` the most
    probable tokens there, [Σ·K]. Raises non-finite-logits."""
    passes = _Passes(snapshot, arrays, 1)
    count = len(passes.tokens)
    out: Arrays = {"logprobs": np.full(count, np.nan, np.float32)}
    top_tokens, top_logprobs = np.zeros((count, top), np.int32), np.full((count, top), np.nan, np.float32)
    for predicted, logits_NV in passes.predictions():
        if top > 0:
            tokens_NK, logprobs_NK = most_probable(logits_NV, top)
            top_tokens[predicted] = tokens_NK.cpu().numpy()
            top_logprobs[predicted] = logprobs_NK.cpu().numpy()
        logprobs_N = target_logprobs(logits_NV, placed(passes.tokens[predicted]))
        out["logprobs"][predicted] = logprobs_N.cpu().numpy()
    _refuse_nan(out["logprobs"], passes.lengths)
    if top > 0:
        out |= {"top_tokens": top_tokens.reshape(-1), "top_logprobs": top_logprobs.reshape(-1)}
    return out


@torch.inference_mode()
def certainty(snapshot: Snapshot, arrays: Arrays) -> Arrays:
    """Of the distribution that predicts each token, fp32 [Σ] in nats, NaN at each first: its entropy, and its
    self-certainty KL(uniform ‖ p) over the possible tokens (arXiv 2502.18581)."""
    passes = _Passes(snapshot, arrays, 1)
    count = len(passes.tokens)
    out: Arrays = {name: np.full(count, np.nan, np.float32) for name in ("entropy", "self_certainty")}
    for predicted, logits_NV in passes.predictions():
        entropy, self_certainty = certainty_of(logits_NV, snapshot.architecture.decoder.suppressed)
        out["entropy"][predicted], out["self_certainty"][predicted] = entropy.cpu(), self_certainty.cpu()
    _refuse_nan(out["entropy"], passes.lengths)
    return out


def certainty_of(logits_NV: Tensor, suppressed: Tensor | None) -> tuple[Tensor, Tensor]:
    """Entropy and self-certainty of rows, [N] each. With z the logits less their logarithm of summed
    exponentials, −Σ p·z and −log V − mean z, the suppressed tokens apart."""
    shifted_NV = logits_NV - logits_NV.amax(1, keepdim=True)
    possible = logits_NV.shape[1]
    if suppressed is not None:
        possible -= len(suppressed)
        # They weigh e^−100, which is nothing, and are taken out of the mean.
        shifted_NV.index_fill_(1, suppressed, -100.0)
    # What weighs 0 makes an infinite logit no number, which is refused.
    exponentials_NV = weights_to_draw_by(exponentials(shifted_NV.clone()))
    sums_N = exponentials_NV.sum(1)
    normaliser_N = sums_N.log()
    means_N = shifted_NV.sum(1)
    if suppressed is not None:
        means_N += 100.0 * len(suppressed)
    entropy_N = normaliser_N - exponentials_NV.mul_(shifted_NV).sum(1) / sums_N
    return entropy_N, normaliser_N - means_N / possible - float(np.log(possible))


@torch.inference_mode()
def embed(snapshot: Snapshot, arrays: Arrays, pooling: str) -> tuple[int, np.ndarray]:
    """The last layer's normed hidden state of each sequence, over all positions or at the last one: its
    width, and fp32 [n·D]. Raises non-finite-logits."""
    if pooling not in POOLINGS:
        raise bad_request(f"pooling must be {' or '.join(POOLINGS)}, not {pooling!r}")
    passes = _Passes(snapshot, arrays, 0)
    order: list[np.ndarray] = []
    parts: list[Tensor] = []
    for rows, _, packing, hidden_UD in passes:
        lengths = moved(passes.lengths[rows])
        order.append(rows)
        parts.append(_POOLS[pooling](packing.at_places(hidden_UD).float(), lengths).cpu())
    out_BD = torch.cat(parts)[torch.from_numpy(np.argsort(np.concatenate(order)))]
    if not bool(torch.isfinite(out_BD).all()):
        raise not_finite()
    return out_BD.shape[1], out_BD.reshape(-1).numpy()


def _mean(hidden_ND: Tensor, lengths_B: Tensor) -> Tensor:
    row_N = torch.repeat_interleave(torch.arange(len(lengths_B), device=lengths_B.device), lengths_B)
    sums_BD = hidden_ND.new_zeros(len(lengths_B), hidden_ND.shape[1]).index_add_(0, row_N, hidden_ND)
    return sums_BD / lengths_B[:, None]


def _last(hidden_ND: Tensor, lengths_B: Tensor) -> Tensor:
    return hidden_ND[lengths_B.cumsum(0) - 1]


_POOLS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mean": _mean, "last": _last}


def _refuse_nan(values: np.ndarray, lengths: np.ndarray) -> None:
    if np.isnan(values).sum() > len(lengths):
        raise not_finite()
