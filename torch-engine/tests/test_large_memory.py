"""Large pieces are zeros, take memory for what is written, and give it back whatever the order they go in."""

from pathlib import Path

import numpy as np
import pytest
import torch

from whetstone_engine import memory
from whetstone_engine.errors import of_exception
from whetstone_engine.memory import zeros


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("large", [0, 2**20])
def test_zeros_of_every_size_and_type(monkeypatch, dtype, large):
    monkeypatch.setattr(memory, "LARGE", large)
    for shape in ((3, 5), (2, 7, 300, 64)):
        made = zeros(shape, dtype)
        assert (made.shape, made.dtype) == (shape, dtype)
        assert made.is_contiguous()
        assert float(made.float().abs().sum()) == 0
        made[0] = 2
        assert float(made.float().sum()) == 2 * made[0].numel()


def test_what_goes_is_given_back():
    before = resident()
    unwritten = zeros((2**28,), torch.float32)
    assert resident() - before < 2**25
    unwritten[: 2**22] = 1
    assert resident() - before > 2**23
    del unwritten
    held: list[torch.Tensor] = []
    for size in np.random.default_rng(1).integers(6_000_000, 6_300_000, 60).tolist():
        held.append(zeros((size,), torch.float32))
        held[-1][:] = 1
        # The oldest goes first, as what is kept of conversations does.
        held = held[-4:]
    assert resident() - before < 6 * 4 * 6_300_000
    held.clear()
    assert resident() - before < 2**25


def test_memory_that_runs_out_is_named():
    with pytest.raises(MemoryError) as caught:
        zeros((2**50,), torch.float32)
    assert of_exception(caught.value).code == "out-of-memory"
