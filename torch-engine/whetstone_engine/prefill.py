"""Prompts that are read into a cache: equal ones once, equal beginnings once, and what an earlier request had
computed not again. Suffixes as in decoder.py."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from .attention import SHORT
from .beginnings import shared_beginnings
from .cache import Cache
from .device import device, moved, on_host
from .first_layer import FirstLayer
from .folded import straight_of
from .packing import NARROWEST, Packing
from .places import Places
from .prefixes import Prefixes
from .snapshot import Snapshot

PREFILL_TOKENS = 2048
"""Positions of one pass over prompts: many for the matrix products, few for the processor's caches."""


class Prefill:
    """Reads prompts with the weights of a snapshot."""

    def __init__(self, snapshot: Snapshot, cache: Cache, prefixes: Prefixes) -> None:
        self.snapshot, self.cache, self.prefixes = snapshot, cache, prefixes
        self.decoder, self.config = snapshot.architecture.decoder, snapshot.architecture.config
        self.weights = snapshot.weights

    @torch.inference_mode()
    def run(self, texts: list[np.ndarray], lengths: np.ndarray) -> tuple[Tensor, list[int]]:
        """Takes the next places of the cache for the texts; returns the last hidden state of each, [B, D],
        and how many tokens of it were there already."""
        index: dict[bytes, int] = {}
        owner = np.array([index.setdefault(text.tobytes(), place) for place, text in enumerate(texts)])
        first = owner
        if len(index) < len(texts):
            first, owner = np.unique(owner, return_inverse=True)
        distinct = [texts[place] for place in first.tolist()]
        places = self.cache.add(lengths)
        starts = self._put(distinct, places[first])
        fresh = distinct
        if starts.any():
            fresh = [text[start:] for text, start in zip(distinct, starts.tolist(), strict=True)]
        hidden_UD = torch.empty(len(distinct), self.config.width, dtype=self.decoder.dtype, device=device())
        for some in (np.flatnonzero(starts == 0), np.flatnonzero(starts > 0)):
            for piece in _pieces([len(fresh[one]) for one in some.tolist()]):
                chosen = some[piece]
                read = [fresh[one] for one in chosen.tolist()]
                hidden_RD = self._read(read, starts[chosen], places[first[chosen]])
                hidden_UD.index_copy_(0, moved(chosen), hidden_RD)
        if len(distinct) == len(texts):
            return hidden_UD, starts.tolist()
        others = np.flatnonzero(first[owner] != np.arange(len(texts)))
        self.cache.share(places[first[owner[others]]], places[others])
        return hidden_UD[moved(owner)], starts[owner].tolist()

    def _put(self, texts: list[np.ndarray], places: np.ndarray) -> np.ndarray:
        """Brings what is kept of texts into their places; returns how many tokens of each that is."""
        starts = np.zeros(len(texts), dtype=np.int64)
        if self.prefixes.bytes == 0:
            return starts
        for one, text in enumerate(texts):
            kept = self.prefixes.find(text)
            if kept is not None:
                starts[one] = kept[0]
                self.cache.put(int(places[one]), kept[1], kept[0])
        return starts

    def _read(self, fresh: list[np.ndarray], starts: np.ndarray, rows: np.ndarray) -> Tensor:
        """What different prompts go on with after what the cache has of them, a row each; their last hidden
        states."""
        lengths = np.array([len(one) for one in fresh])
        tokens = np.concatenate(fresh).astype(np.int64)
        places = self.cache.follow(rows, starts, lengths)
        if starts.any():
            return self._follow(moved(tokens), places)
        shared = shared_beginnings(tokens, lengths)
        short = places.seen <= SHORT and self.cache.dtype == torch.float32 and on_host()
        if shared is None and short:
            return self._follow(moved(tokens), places)
        packing = Packing(lengths, shared)
        computed, which = packing.wanted(places.last_R)

        def see(layer: int, heads_NHd: Tensor) -> None:
            self.cache.write(layer, places, packing.at_places(heads_NHd))

        tokens_N = packing.computed(moved(tokens))
        hidden = self.decoder.hidden(self.weights, tokens_N, packing, computed, see)
        return hidden if which is None else hidden[which]

    def _follow(self, tokens_N: Tensor, places: Places) -> Tensor:
        """Packed tokens, which see what the cache has before them."""
        cache, last = self.cache, self.config.layers - 1
        straight, bucket = straight_of(self.weights), places.bucket
        if (
            straight is not None
            and places.mask is None
            and bucket.place_N is None
            and bucket.columns >= NARROWEST
        ):
            columns_T = places.column_N[: bucket.columns]
            rotation = self.decoder.rotation(self.weights, columns_T)
            first_layer = first_layer_of(self.snapshot, self.prefixes, cache.columns)
            return straight.read(tokens_N, rotation, cache, places, first_layer)

        def attend(layer: int, heads_NHd: Tensor) -> Tensor:
            see = cache.extend if layer < last else cache.end
            return see(layer, places, heads_NHd)

        return self.decoder.run(self.weights, tokens_N, places.column_N, attend, places.last_R)


def first_layer_of(snapshot: Snapshot, prefixes: Prefixes, columns: int) -> FirstLayer | None:
    """What looks up the first layer's attention of rows in so many columns; None where its keys and values
    are wanted: what is kept of rows has those of all layers."""
    straight, decoder = straight_of(snapshot.weights), snapshot.architecture.decoder
    if straight is None or prefixes.most_bytes > 0:
        return None

    def rotation_of(count: int) -> Tensor | None:
        return decoder.rotation(snapshot.weights, torch.arange(count))

    return straight.first_layer(columns, rotation_of)


def _pieces(lengths: list[int]) -> list[list[int]]:
    """Neighbours, about as many in each pass, and no more than it holds."""
    pieces: list[list[int]] = []
    total = sum(lengths)
    each = total / max(1, math.ceil(total / PREFILL_TOKENS))
    tokens = math.inf
    for one, length in enumerate(lengths):
        if tokens + length > PREFILL_TOKENS or tokens >= each:
            pieces.append([])
            tokens = 0
        pieces[-1].append(one)
        tokens += length
    return pieces
