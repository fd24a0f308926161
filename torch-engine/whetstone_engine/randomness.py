"""Random numbers that depend only on (seed, sample index, position), so that no batch changes them."""

from __future__ import annotations

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def mix(state: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def uniforms(seeds: np.ndarray, samples: np.ndarray, first: np.ndarray | int, count: int) -> np.ndarray:
    """Uniform numbers in [0, 1), fp32 [rows, count], for positions first … first + count − 1 of each row."""
    with np.errstate(over="ignore"):
        row = mix(seeds.astype(np.uint64) + GOLDEN)
        row = mix(row + samples.astype(np.uint64) * GOLDEN + np.uint64(1))
        position = np.reshape(first, (-1, 1)) + np.arange(1, count + 1)
        mixed = mix(row[:, None] + position.astype(np.uint64) * GOLDEN)
    return ((mixed >> np.uint64(40)).astype(np.float32)) * np.float32(2**-24)
