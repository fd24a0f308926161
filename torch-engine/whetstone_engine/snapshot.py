"""Weights as they were, to sample from."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from .lanes import FEW, Weights
from .weights import Architecture


class Frame(Protocol):
    """How a buffer of what is trained becomes the weights that the decoder computes with."""

    @property
    def architecture(self) -> Architecture: ...

    def leaves(self, buffer: Tensor) -> dict[str, Tensor]: ...

    def weights(self, leaves: dict[str, Tensor], *, trained: bool = False) -> Weights: ...

    def laid_out(self, leaves: dict[str, Tensor]) -> Weights | None: ...


class Snapshot:
    """Weights that share their trainer's buffer until it takes a step, or that are laid out anew."""

    def __init__(self, frame: Frame, buffer: Tensor, step: int) -> None:
        self.frame, self.architecture, self.step = frame, frame.architecture, step
        self.packed = False
        self.share(buffer)

    def share(self, buffer: Tensor) -> None:
        self.cut = False
        """Whether the weights are cut into panels too."""
        self._leaves: dict[str, Tensor] = self.frame.leaves(buffer)
        self.weights: Weights = self.frame.weights(self._leaves)

    def pack(self, rows: int = 1) -> None:
        """Lays the weights out for the products of so many rows, where that is worth a copy."""
        laid_out = None if self.packed else self.frame.laid_out(self._leaves)
        if laid_out is not None:
            self.weights, self.packed, self._leaves = laid_out, True, {}
        if rows > FEW and not self.cut:
            self.cut = True
            for weight in self.weights.values():
                if not isinstance(weight, Tensor):
                    weight.cut()
