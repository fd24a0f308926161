"""How many threads decode. Threads that share a product meet at its end; where the products are small, that
takes longer than the products themselves: on a busy machine, most of the time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .config import ModelConfig

WORTH = 2**18
"""Weights of a layer from which a thread is worth another."""


def worth_of(config: ModelConfig, threads: int) -> int:
    """So many of the threads that are there."""
    return max(1, min(threads, config.layer_weights // WORTH))


@contextmanager
def decoding_threads(config: ModelConfig) -> Iterator[None]:
    """Computes with as many threads as are worth it."""
    threads = torch.get_num_threads()
    worth = worth_of(config, threads)
    if worth == threads:
        yield
        return
    torch.set_num_threads(worth)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
