"""Weights as they were, to sample from."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from .linear import Weights
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
        self.laid_out = False
        self.share(buffer)

    def share(self, buffer: Tensor) -> None:
        self._leaves: dict[str, Tensor] = self.frame.leaves(buffer)
        self.weights: Weights = self.frame.weights(self._leaves)

    def lay_out(self) -> None:
        """Lays the weights out to be sampled from and read, where that is worth a copy."""
        if self.laid_out:
            return
        # A base keeps what is laid out, and another trainer may take its weights from there: through tensors
        # that are made in inference mode, as logprobs are, there is no gradient.
        with torch.inference_mode(False), torch.no_grad():
            laid_out = self.frame.laid_out(self._leaves)
        if laid_out is not None:
            self.weights, self.laid_out, self._leaves = laid_out, True, {}
