"""Prompts that are read into a cache: equal ones once, equal beginnings once, and what an earlier request had
computed not again. Suffixes as in decoder.py."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .beginnings import shared_beginnings
from .cache import Cache, Places, rectangle
from .packing import Packing
from .prefixes import Prefixes
from .snapshot import Snapshot

PREFILL_TOKENS = 2048
"""Positions of one pass over prompts: many for the matrix products, few for the processor's caches."""


class Prefill:
    """Reads prompts with the weights of a snapshot."""

    def __init__(self, snapshot: Snapshot, cache: Cache, prefixes: Prefixes) -> None:
        self.cache, self.prefixes = cache, prefixes
        self.decoder, self.config = snapshot.architecture.decoder, snapshot.architecture.config
        self.weights = snapshot.weights

    @torch.inference_mode()
    def run(self, texts: list[np.ndarray], lengths: np.ndarray) -> tuple[Tensor, list[int]]:
        """Takes the next places of the cache for the texts; returns the last hidden state of each, [B, D],
        and how many tokens of it were there already."""
        index: dict[bytes, int] = {}
        owner = np.array([index.setdefault(text.tobytes(), len(index)) for text in texts])
        distinct = [np.frombuffer(key, np.int32) for key in index]
        found = [self.prefixes.find(text) for text in distinct]
        places = self.cache.add(lengths)
        of = [places[owner == one] for one in range(len(distinct))]
        hidden_UD = torch.empty(len(distinct), self.config.width, dtype=self.decoder.dtype)
        new = [one for one, kept in enumerate(found) if kept is None]
        for piece in _pieces([len(distinct[one]) for one in new]):
            chosen = [new[one] for one in piece]
            hidden_UD[chosen] = self._read([distinct[one] for one in chosen], [of[one] for one in chosen])
        known = [one for one, kept in enumerate(found) if kept is not None]
        for one in known:
            length, kept = found[one]
            self.cache.put(int(of[one][0]), kept, length)
        for piece in _pieces([len(distinct[one]) - found[one][0] for one in known]):
            chosen = [known[one] for one in piece]
            starts = np.array([found[one][0] for one in chosen])
            firsts = np.array([of[one][0] for one in chosen])
            hidden_UD[chosen] = self._continue([distinct[one] for one in chosen], starts, firsts)
        for one in known:
            if len(of[one]) > 1:
                self.cache.share(int(of[one][0]), of[one][1:])
        cached = [0 if kept is None else kept[0] for kept in found]
        return hidden_UD[torch.from_numpy(owner)], [cached[one] for one in owner.tolist()]

    def _read(self, prompts: list[np.ndarray], places: list[np.ndarray]) -> Tensor:
        """Different prompts in one pass, each for several places; their last hidden states."""
        lengths = np.array([len(prompt) for prompt in prompts])
        tokens_N = torch.from_numpy(np.concatenate(prompts).astype(np.int64))
        bucket, last = rectangle(lengths), torch.from_numpy(np.cumsum(lengths) - 1)
        owners = torch.from_numpy(np.repeat(np.arange(len(prompts)), [len(one) for one in places]))
        rows = torch.from_numpy(np.concatenate(places))
        packing = Packing(lengths, shared_beginnings(tokens_N.numpy(), lengths))
        computed, which = packing.wanted(last)

        def see(layer: int, heads_NHd: Tensor) -> None:
            self.cache.fill(layer, owners, rows, packing.at_places(heads_NHd), bucket)

        hidden = self.decoder.hidden(self.weights, packing.computed(tokens_N), packing, computed, see)
        return hidden if which is None else hidden[which]

    def _continue(self, prompts: list[np.ndarray], starts: np.ndarray, places: np.ndarray) -> Tensor:
        """What prompts go on with after what the cache has of them, one place each; their last hidden
        states."""
        decoder, weights = self.decoder, self.weights
        lengths = np.array([len(prompt) for prompt in prompts]) - starts
        fresh = [prompt[start:] for prompt, start in zip(prompts, starts, strict=True)]
        tokens_N = torch.from_numpy(np.concatenate(fresh).astype(np.int64))
        after, rows = Places.after(starts, lengths), torch.from_numpy(places)
        x_ND = decoder.embed(weights, tokens_N, after.column_N)
        rotation = decoder.rotation(after.column_N, x_ND.dtype)
        for layer in range(self.config.layers):
            heads_NHd = decoder.heads(weights, layer, x_ND, rotation)
            x_ND = decoder.finish(weights, layer, x_ND, self.cache.extend(layer, rows, after, heads_NHd))
        return decoder.normalise(weights, x_ND[torch.from_numpy(np.cumsum(lengths) - 1)])


def _pieces(lengths: list[int]) -> list[list[int]]:
    """Neighbours, as many as one pass holds."""
    pieces: list[list[int]] = []
    tokens = PREFILL_TOKENS
    for one, length in enumerate(lengths):
        if tokens + length > PREFILL_TOKENS:
            pieces.append([])
            tokens = 0
        pieces[-1].append(one)
        tokens += length
    return pieces
