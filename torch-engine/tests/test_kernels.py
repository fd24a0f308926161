"""Products that two threads of a processor with tiles share, and logprobs of logits in bf16."""

import pytest
import torch

from whetstone_engine import kernels


@pytest.mark.parametrize("rows", [321, 639, 1279])
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
    kernels.product(x[:320], weight)
    kernels.product(x.float(), weight.float())
    assert len(pieces) == 1


def test_logits_in_bf16_have_the_logprobs_and_the_gradient_of_their_fp32(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kernels, "LOGITS_AT_ONCE", 3 * 40)
    generator = torch.Generator().manual_seed(2)
    logits = (torch.randn(7, 40, generator=generator) * 30).bfloat16()
    targets, weights = torch.arange(7), torch.randn(7, generator=generator)
    results = []
    for given in (logits.clone().requires_grad_(), logits.float().requires_grad_()):
        logprobs = kernels.target_logprobs(given * 1, targets)
        (logprobs * weights).sum().backward()
        results.append((logprobs, given.grad))
    (rough, rough_grad), (exact, exact_grad) = results
    assert torch.equal(rough, exact)
    assert torch.equal(rough_grad, exact_grad.bfloat16())
    torch.testing.assert_close(exact, logits.float().log_softmax(1)[targets, targets])
