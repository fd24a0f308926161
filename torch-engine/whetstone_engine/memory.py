"""Large pieces of memory that come and go."""

from __future__ import annotations

import contextlib
import math
import mmap

import numpy as np
import torch
from torch import Tensor

from .device import device, on_host

LARGE = 2**20
"""Bytes from which memory is the system's own."""


def zeros(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Zeros where passes compute. Large ones of the processor's take memory for what is written alone, and
    give all of it back when they go: pieces of an allocator that are a little too small for what comes next
    stay with the process for ever. Raises MemoryError."""
    count = math.prod(shape)
    size = count * dtype.itemsize
    if size < LARGE or not on_host():
        return torch.zeros(shape, dtype=dtype, device=device())
    try:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError as error:
        raise MemoryError(f"{size} bytes") from error
    with contextlib.suppress(AttributeError, OSError):
        # Where the system has them: what is read a row at a time lies in few large pages.
        memory.madvise(mmap.MADV_HUGEPAGE)
    return torch.from_numpy(np.frombuffer(memory, np.uint8)).view(dtype).view(shape)
