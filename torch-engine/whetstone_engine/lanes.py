"""Rows that decode on a thread each, where a worker has several: threads that share every small product
wait for each other hundreds of times a token, which costs a tenth on an idle machine and most of the time on
a busy one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
import torch

FEWEST = 8
"""Rows that are worth a thread of their own: fewer take as long as so many."""


def divide(prompts: list[np.ndarray], order: np.ndarray, lanes: int) -> list[np.ndarray]:
    """Rows in their order, dealt out by how long they are; neighbours with one prompt stay together, as far
    as that leaves something for every lane."""
    lanes = max(1, min(lanes, len(order) // FEWEST))
    if lanes == 1:
        return [order]
    most = -(-len(order) // lanes)
    parts: list[list[int]] = [[] for _ in range(lanes)]
    costs = [0] * lanes
    group: list[int] = []
    for row in [*order.tolist(), None]:
        if group and (row is None or len(group) == most or not same(prompts[row], prompts[group[0]])):
            lane = costs.index(min(costs))
            parts[lane] += group
            costs[lane] += len(group) * (len(prompts[group[0]]) + 1)
            group = []
        if row is not None:
            group.append(row)
    return [np.array(part) for part in parts if part]


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return one is other or np.array_equal(one, other)


def run(work: Callable[[np.ndarray], None], parts: list[np.ndarray]) -> None:
    """Does the work on each part, all at once. Raises what the first part that fails raises."""
    if len(parts) == 1:
        work(parts[0])
        return
    threads = torch.get_num_threads()
    each = threads // len(parts)

    def alone(part: np.ndarray) -> None:
        # The number is the thread's own for PyTorch, and the process's for MKL.
        torch.set_num_threads(each)
        work(part)

    try:
        waiting = [_pool(threads).submit(alone, part) for part in parts]
        errors = [one.exception() for one in waiting]
    finally:
        torch.set_num_threads(threads)
    for error in errors:
        if error is not None:
            raise error


@lru_cache(maxsize=1)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "lane", lambda: torch.set_flush_denormal(True))
