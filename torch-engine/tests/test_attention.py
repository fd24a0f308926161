"""Attention over packed rows, by blocks of matrix products and by the flash kernel, against PyTorch's own of
each row alone."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import whetstone_engine.attention as attention
from whetstone_engine.packing import Packing

LENGTHS = np.array([1, 17, 63, 64, 65, 97, 128, 200, 340])
"""On both sides of a block's edge, and some that share a rectangle."""
KEYS, GROUP, WIDTH = 2, 3, 8


def alone(heads_NHd: torch.Tensor) -> torch.Tensor:
    parts = []
    for row in heads_NHd.split(LENGTHS.tolist()):
        q, k, v = row.transpose(0, 1).split([KEYS * GROUP, KEYS, KEYS])
        k, v = (one.repeat_interleave(GROUP, 0) for one in (k, v))
        parts.append(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(0, 1).flatten(1))
    return torch.cat(parts)


@pytest.mark.parametrize("short", [512, 0], ids=["by products", "by the flash kernel"])
def test_what_rows_attend_to_and_its_gradient(monkeypatch, short):
    monkeypatch.setattr(attention, "SHORT", short)
    torch.manual_seed(1)
    heads_NHd = torch.randn(int(LENGTHS.sum()), KEYS * (GROUP + 2), WIDTH, requires_grad=True)
    grad = torch.randn(len(heads_NHd), KEYS * GROUP * WIDTH)
    expected = alone(heads_NHd)
    attended = attention.attend(heads_NHd, Packing(LENGTHS), KEYS)
    torch.testing.assert_close(attended, expected, atol=2e-6, rtol=1e-5)
    one, other = (torch.autograd.grad(result, heads_NHd, grad)[0] for result in (attended, expected))
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_no_row_sees_what_comes_after_or_lies_beside_it():
    torch.manual_seed(2)
    heads_NHd = torch.randn(int(LENGTHS.sum()), KEYS * (GROUP + 2), WIDTH)
    changed = heads_NHd.clone()
    last = int(LENGTHS.sum()) - 1
    changed[last - 100] += 1
    one, other = (attention.attend(heads, Packing(LENGTHS), KEYS) for heads in (heads_NHd, changed))
    assert torch.equal(one[: last - 100], other[: last - 100])
    assert not torch.equal(one[last - 100 :], other[last - 100 :])
