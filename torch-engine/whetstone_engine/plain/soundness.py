"""Whether a module of transformers is what an engine promises, measured on the module itself: each token
predicted from those before it alone, and by the same numbers however it is computed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..config import ModelShape
from ..device import device, placed
from ..errors import EngineError
from ..linear import Weights
from ..packing import Packing
from .decoder import PlainDecoder

PROBE = 12
"""Tokens of the probe."""
EXACT, ROUGH = 1e-3, 0.1
"""How far equal logits may differ, relative to the largest, with passes in fp32 and in bf16."""


@torch.no_grad()
def check_soundness(decoder: PlainDecoder, weights: Weights, shape: ModelShape, name: str) -> None:
    """Raises unsupported-architecture; finds out whether the module's cache can be decoded with."""
    length = min(PROBE, shape.max_positions or PROBE)
    if length < 2:
        return
    draw = torch.Generator().manual_seed(0)
    tokens = placed(torch.randint(shape.vocabulary, (length,), generator=draw))
    decoder.bind(weights)
    whole = decoder.module(input_ids=tokens[None], use_cache=False).logits[0].float()
    if not torch.isfinite(whole).all():
        # What is wrong with the weights is said where they are used.
        decoder.unbind()
        return

    def same(one: Tensor, other: Tensor) -> bool:
        tolerance = EXACT if decoder.dtype == torch.float32 else ROUGH
        return bool((one - other).abs().max() <= tolerance * max(1.0, float(whole.abs().max())))

    other = tokens.clone()
    other[-1] = (other[-1] + 1) % shape.vocabulary
    changed = decoder.module(input_ids=other[None], use_cache=False).logits[0].float()
    if not same(whole[:-1], changed[:-1]):
        raise _unsupported(name, "its predictions look at tokens that come later")
    # The shorter row is padded, as the longer one's beginning.
    both, lengths = torch.cat((tokens[: length // 2], tokens)), np.array([length // 2, length])
    allowed, decoder.suppressed = decoder.suppressed, None
    try:
        packed = decoder.logits(weights, decoder.hidden(weights, both, Packing(lengths)))
        if not same(packed[-length:], whole) or not same(packed[: length // 2], whole[: length // 2]):
            raise _unsupported(name, "neither its head nor rows of other lengths can be computed apart")
        decoder.caches = _cache_is_sound(decoder, weights, tokens, whole, same)
    finally:
        decoder.suppressed = allowed


def _cache_is_sound(
    decoder: PlainDecoder,
    weights: Weights,
    tokens: Tensor,
    whole: Tensor,
    same: Callable[[Tensor, Tensor], bool],
) -> bool:
    """Whether two rows that go on from a cache, exchanged on the way, predict what they predict at once."""
    rows = torch.stack((tokens, tokens.flip(0)))
    middle = len(tokens) // 2
    try:
        decoder.bind(weights)
        _, cache = decoder.step(rows[:, :middle])
        exchanged = torch.tensor([1, 0, 0], device=device())
        cache.reorder_cache(exchanged)
        for place in range(middle, len(tokens)):
            hidden, cache = decoder.step(rows[exchanged, place : place + 1], cache)
    except (AttributeError, TypeError, ValueError, NotImplementedError, IndexError, RuntimeError):
        decoder.unbind()
        return False
    return same(decoder.logits(weights, hidden)[1], whole[-1])


def _unsupported(name: str, reason: str) -> EngineError:
    return EngineError(
        "unsupported-architecture",
        "user",
        f"{name} cannot be trained here as a causal language model: {reason}",
    )
