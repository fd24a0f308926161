"""Rows that begin alike: what a causal model computes there is the same in each, and is computed once.
Suffixes as in decoder.py; U positions that differ in what stands before or at them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from .device import moved

PROBE = 8
"""Tokens that rows are first compared by: where few begin alike, to find that out must cost nothing."""
WORTH = 0.2
"""Share of the positions that must fall away before the copies from shared positions to rows pay."""
MULTIPLIERS = np.random.default_rng(0).integers(1, 2**62, PROBE) | 1


@dataclass(frozen=True)
class Beginnings:
    """Which of the U different positions each of N packed ones is, and where each of the U stands."""

    of_N: Tensor
    at_U: Tensor


def shared_beginnings(tokens_N: np.ndarray, lengths: np.ndarray) -> Beginnings | None:
    """Packed rows as the tree of their beginnings; None where that saves too little. A function of the tokens
    alone."""
    starts = np.cumsum(lengths) - lengths
    long = starts[lengths >= PROBE]
    probes = tokens_N[long[:, None] + np.arange(PROBE)].astype(np.int64) @ MULTIPLIERS
    if len(probes) - len(np.unique(probes)) < WORTH * len(lengths):
        return None
    real = np.arange(lengths.max()) < lengths[:, None]
    table = np.full(real.shape, -1)
    table[real] = tokens_N
    places = np.zeros(real.shape, dtype=np.int64)
    places[real] = np.arange(len(tokens_N))
    order = np.lexsort(table.T[::-1])
    table = table[order]
    new = real[order]
    # In this order a row's longest common beginning is the one with the row before it.
    new[1:] &= ~np.logical_and.accumulate((table[1:] == table[:-1]) & (table[1:] >= 0), axis=1)
    count = int(new.sum())
    if count > (1 - WORTH) * len(tokens_N):
        return None
    numbers = np.zeros(real.shape, dtype=np.int64)
    numbers[new] = np.arange(count)
    sorted_back = np.empty_like(numbers)
    sorted_back[order] = np.maximum.accumulate(numbers, axis=0)
    return Beginnings(moved(sorted_back[real]), moved(places[order][new]))
