"""A large model's weights, of which those that multiply are read in lanes. Suffixes as in lanes.py."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from .config import ModelConfig
from .device import on_host
from .few import PRODUCTS, FewRows, is_even
from .lanes import FEWEST, LARGE, MOST, Lanes
from .linear import Linear, Weights
from .straight import is_straight


class Read(dict[str, Tensor | Linear]):
    """Weights, and how passes over few rows of them are written out."""

    few: FewRows | None = None


class InLanes(Read):
    """Nothing is copied: weights, and those under adapters, are read as they lie."""

    def __init__(self, weights: Weights, config: ModelConfig) -> None:
        super().__init__(weights)
        products = (self[f"{layer}.{name}"] for layer in range(config.layers) for name in PRODUCTS)
        even = all(map(is_even, products))
        self.few = FewRows(self, config) if even and is_straight(config) else None


def in_lanes(weights: Mapping[str, Tensor | Linear], config: ModelConfig, size: int) -> Weights:
    """The decoder's weights, those that multiply in lanes where that is faster."""
    table = weights["embed"]
    if size < LARGE or not on_host() or not isinstance(table, Tensor) or table.dtype != torch.float32:
        return {**weights}
    # A tied head is the table of embeddings too.
    return InLanes(
        {
            key: Lanes(weight)
            if isinstance(weight, Tensor) and key.split(".")[-1] in (*PRODUCTS, "head")
            else weight
            for key, weight in {"head": table, **weights}.items()
        },
        config,
    )


def few_of(weights: Weights, rows: int) -> FewRows | None:
    """How passes over so many rows are written out; None where they are not."""
    return weights.few if isinstance(weights, Read) and FEWEST <= rows <= MOST else None
