"""Gradient features: what one datum alone would change, in few numbers (TRAK, arXiv 2303.14186).

The projection is a matrix [d, P] of ±1/√d. Column p is a column of a Hadamard matrix of 2^m ≥ d rows, cut to
d, picked and signed by a hash of (seed, p). Lengths and angles are kept as by independent signs: an inner
product's expectation is exact, and its variance, at most 2/d of the squared lengths, the same. It costs P
hashes and additions and a transform of 2^m numbers a datum (10 to 20 ns a parameter), where a matrix of
independent signs would cost P·d."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .errors import EngineError, bad_request
from .frames import LIMIT, Arrays
from .randomness import GOLDEN, mix
from .request import sequence_lengths
from .trainer import Trainer

MOST_DIMENSIONS = 2**16
GRADIENT_BYTES = 2**29
"""Most bytes of gradients that are projected together."""
BLOCK = 2**16
"""Parameters whose hashes are computed together: they stay in the processor's cache."""


def gradient_features(
    trainer: Trainer, arrays: Arrays, loss: dict[str, Any], dimensions: int, seed: int
) -> np.ndarray:
    """Of each datum the gradient of the loss, projected, fp32 [n·d]; accumulated gradients stay as they are.
    Raises what forward_backward raises."""
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise bad_request(f"dimensions must be from 1 to {MOST_DIMENSIONS}, not {dimensions}")
    if seed >= 2**53:
        raise bad_request(f"seed must be below 2^53, not {seed}")
    data = _apart(arrays)
    if 4 * len(data) * dimensions >= LIMIT:
        raise bad_request(
            f"{len(data)} times {dimensions} features are more than a reply holds: ask for fewer data"
        )
    together = max(1, GRADIENT_BYTES // trainer.grad.nbytes)
    kept = (trainer.grad.clone(), trainer.norm) if trainer.accumulated else None
    out = []
    try:
        trainer.clear()
        for first in range(0, len(data), together):
            group = data[first : first + together]
            gradients_nP = [_gradient(trainer, one, loss, first + at) for at, one in enumerate(group)]
            out.append(project(gradients_nP, dimensions, seed))
    finally:
        trainer.clear()
        if kept is not None:
            gradient, trainer.norm = kept
            trainer.grad.copy_(gradient)
            trainer.accumulated = True
    return torch.cat(out).reshape(-1).numpy()


def _gradient(trainer: Trainer, datum: Arrays, loss: dict[str, Any], index: int) -> Tensor:
    """One datum's own, copied to the host."""
    try:
        trainer.run(datum, loss, "none", backward=True)
    except EngineError as error:
        if "datum" not in error.details:
            raise
        message = str(error).replace("datum 0", f"datum {index}")
        raise EngineError(error.code, error.category, message, datum=index) from error
    gradient = trainer.grad.float().cpu()
    gradient = gradient.clone() if gradient is trainer.grad else gradient
    trainer.clear()
    return gradient


def _apart(arrays: Arrays) -> list[Arrays]:
    """Packed data, one by one."""
    lengths = sequence_lengths(arrays, "tokens", "targets")
    ends = np.cumsum(lengths)
    for name, values in arrays.items():
        if name != "lengths" and len(values) != ends[-1]:
            raise bad_request(f"{name} has {len(values)} values where {ends[-1]} belong")
    return [
        {
            name: values[one : one + 1] if name == "lengths" else values[end - length : end]
            for name, values in arrays.items()
        }
        for one, (length, end) in enumerate(zip(lengths.tolist(), ends.tolist(), strict=True))
    ]


@torch.no_grad()
def project(gradients_nP: list[Tensor], dimensions: int, seed: int) -> Tensor:
    """Flat gradients [P] each, projected, [n, d]."""
    bits = max(0, dimensions - 1).bit_length()
    sums_nD = torch.zeros(len(gradients_nP), 2**bits)
    salt = mix(np.array([seed], np.uint64) + GOLDEN)
    for begin in range(0, len(gradients_nP[0]), BLOCK):
        end = min(begin + BLOCK, len(gradients_nP[0]))
        hashes = mix(np.arange(begin, end, dtype=np.uint64) ^ salt)
        bucket = torch.from_numpy((hashes >> np.uint64(64 - bits)).astype(np.int64)) if bits else None
        sign = torch.from_numpy((hashes & np.uint64(1)).astype(np.float32)).mul_(2).sub_(1)
        for sums_D, gradient_P in zip(sums_nD, gradients_nP, strict=True):
            signed = gradient_P[begin:end] * sign
            if bucket is None:
                sums_D += signed.sum()
            else:
                sums_D.index_add_(0, bucket, signed)
    return _hadamard(sums_nD)[:, :dimensions].contiguous() / math.sqrt(dimensions)


def _hadamard(x_nD: Tensor) -> Tensor:
    """Each row times the Hadamard matrix, by halves."""
    rows, size, half = x_nD.shape[0], x_nD.shape[1], 1
    while half < size:
        pairs = x_nD.view(rows, -1, 2, half)
        x_nD = torch.stack((pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]), 2)
        x_nD = x_nD.reshape(rows, size)
        half *= 2
    return x_nD
