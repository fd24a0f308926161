"""Products that two threads of a processor with tiles share."""

import pytest
import torch

from whetstone_engine import kernels


@pytest.mark.parametrize("rows", [320, 639, 1279])
@pytest.mark.parametrize("across", [False, True])
def test_a_product_in_pieces_is_the_product(monkeypatch: pytest.MonkeyPatch, rows: int, across: bool):
    generator = torch.Generator().manual_seed(rows)
    x = torch.randn(rows, 48, generator=generator).bfloat16()
    weight = torch.randn(24, 48, generator=generator).bfloat16()
    if across:
        x, weight = x.t().contiguous().t(), weight.t().contiguous().t()
    exact = x.double() @ weight.double().t()
    pieces = []
    monkeypatch.setattr(kernels, "two_with_tiles", lambda: True)
    in_pieces = kernels._in_pieces
    monkeypatch.setattr(kernels, "_in_pieces", lambda *given: pieces.append(in_pieces(*given)) or pieces[-1])
    torch.testing.assert_close(kernels.product(x, weight).double(), exact, rtol=2**-8, atol=2**-8)
    assert len(pieces) == 1
    kernels.product(x[:319], weight)
    kernels.product(x.float(), weight.float())
    assert len(pieces) == 1
