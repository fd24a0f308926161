"""What weights are kept in, and what passes compute in.

fp32: both are fp32. mixed: weights that are trained, gradients and moments are kept in fp32, and passes
compute with weights rounded to bf16. bf16: weights, gradients and moments are kept in bf16, 8 bytes a
parameter in place of 16; steps are computed in fp32 and rounded at random, up or down in proportion to what
lies between (arXiv 2010.06192), without which steps smaller than half of a weight's last bit would leave it
as it is for ever.

What our decoder's layers hand on is fp32 on the CPU, whatever passes compute in (`Decoder.stream`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from .device import device, on_host, placed
from .errors import bad_request

PRECISIONS = ("fp32", "mixed", "bf16")
ROUNDED_AT_ONCE = 2**16
"""Weights that are rounded together: their copy stays in the cache."""
ROUNDED_ON_GPU = 256
"""So many times as many at once on a GPU, which each call keeps waiting."""


def check_precision(precision: str) -> None:
    if precision not in PRECISIONS:
        raise bad_request(f"there is no precision {precision!r}; there are {', '.join(PRECISIONS)}")


def native_bf16() -> bool:
    """Whether matrices are multiplied faster in bf16 than in fp32. On Intel's processors that takes tiles
    (AMX): their vector instructions for bf16 are half as fast, and weights rounded to it are computed with in
    fp32. AMD's, of Zen 4 and after, are twice as fast. On a GPU it takes compute capability 8 (Ampere) or
    more."""
    if device().type == "cuda":
        return torch.cuda.get_device_capability(device())[0] >= 8
    if torch.cpu._is_amx_tile_supported():
        return True
    return torch.cpu._is_avx512_bf16_supported() and _made_by_amd()


def with_tiles() -> bool:
    """Whether bf16 is multiplied by Intel's tiles."""
    return on_host() and torch.cpu._is_amx_tile_supported()


def two_with_tiles() -> bool:
    """Whether two threads do so."""
    return torch.get_num_threads() == 2 and with_tiles()


def onednn_in_fp32() -> bool:
    """Whether oneDNN multiplies faster in fp32 than MKL, as on AMD's processors: on Zen 4 by 1.1 for many
    rows, and of weights in blocks by 1.7 for 16 rows and by 4 for 3."""
    return on_host() and torch.cpu._is_avx512_supported() and _made_by_amd()


@cache
def _made_by_amd() -> bool:
    try:
        return "AuthenticAMD" in Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return False


def name_of(dtype: torch.dtype) -> str:
    """What passes compute in, as it is told."""
    return "bf16" if dtype == torch.bfloat16 else "fp32"


def rounded_at_once() -> int:
    """Weights that are rounded together."""
    return ROUNDED_AT_ONCE if on_host() else ROUNDED_ON_GPU * ROUNDED_AT_ONCE


def round_weights(flat: Tensor, out: Tensor) -> Tensor:
    """Weights rounded to bf16, in a buffer of bf16, or of fp32, which may be the same."""
    if out.dtype == torch.bfloat16:
        return out.copy_(flat)
    at_once = rounded_at_once()
    for target, source in zip(out.split(at_once), flat.split(at_once), strict=True):
        target.copy_(source.bfloat16())
    return out


def add_rounded(sums: Tensor, rounded: Tensor, scale: float = 1) -> None:
    """Adds scaled bf16 numbers to fp32 ones that lie in one piece, in place: brought into fp32 as a whole
    they would be written to memory and read again."""
    at_once = rounded_at_once()
    for some, others in zip(sums.view(-1).split(at_once), rounded.view(-1).split(at_once), strict=True):
        some.add_(others, alpha=scale)


class Rounding:
    """Rounds to bf16 at random. Equal for equal steps: a training that goes on rounds as it would have. All
    pieces of a buffer take the same random numbers, each buffer its own: what counts is that none of a
    weight's roundings is related to the ones before it."""

    def __init__(self, step: int, buffers: int) -> None:
        generator = torch.Generator().manual_seed(step)
        self.noise = torch.empty(buffers, ROUNDED_AT_ONCE, dtype=torch.int32)
        self.noise.random_(0, 2**16, generator=generator)
        if not on_host():
            self.noise = placed(self.noise).repeat(1, ROUNDED_ON_GPU)

    def store(self, buffer: int, values: Tensor, out: Tensor) -> None:
        """Writes at most `rounded_at_once` fp32 values to bf16 ones; changes the values."""
        bits = values.view(torch.int32)
        # The mantissa's lower half carries over in proportion to its size.
        bits.add_(self.noise[buffer, : len(values)]).bitwise_and_(-(2**16))
        out.copy_(values)
