"""Two calls and a step are one call on both and a step."""

import numpy as np
import pytest
import torch

from support.data import packed, random_sequences
from support.folders import FolderMaker
from whetstone_engine.errors import EngineError

LOSS = {"name": "cross_entropy"}


def test_two_calls_equal_one(make_folder: FolderMaker):
    sequences = random_sequences(2, [9, 4, 30, 12, 17])
    weights = np.random.default_rng(0).normal(size=67).astype(np.float32)
    one, two = make_folder.trainer(), make_folder.trainer()
    whole, _ = one.run(packed(sequences, weights=weights), LOSS, "none", backward=True)
    first, _ = two.run(packed(sequences[:2], weights=weights[:11]), LOSS, "none", backward=True)
    second, _ = two.run(packed(sequences[2:], weights=weights[11:]), LOSS, "none", backward=True)
    assert first["lossSum"] + second["lossSum"] == pytest.approx(whole["lossSum"], abs=1e-4)
    assert torch.allclose(one.grad, two.grad, atol=1e-5, rtol=1e-4)
    for trainer in (one, two):
        trainer.optim_step({"learningRate": 0.1, "optimizer": "sgd"})
    assert torch.allclose(one.flat, two.flat, atol=1e-5)


def test_forward_adds_nothing(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    arrays = packed(random_sequences(2, [9, 4]), weights=np.ones(11))
    forward, _ = trainer.run(arrays, LOSS, "all", backward=False)
    assert float(trainer.grad.abs().sum()) == 0
    backward, _ = trainer.run(arrays, LOSS, "all", backward=True)
    assert forward == backward
    assert float(trainer.grad.abs().sum()) > 0


def test_a_call_that_fails_half_way_leaves_what_was_there(make_folder: FolderMaker, monkeypatch):
    trainer = make_folder.trainer()
    arrays = packed(random_sequences(2, [9, 4]), weights=np.ones(11))
    unbroken = trainer._pass

    def fail_after(*given):
        unbroken(*given)
        raise MemoryError

    for accumulated in (False, True):
        if accumulated:
            trainer.run(arrays, LOSS, "none", backward=True)
        before = trainer.grad.clone()
        monkeypatch.setattr(trainer, "_pass", fail_after)
        with pytest.raises(MemoryError):
            trainer.run(arrays, LOSS, "none", backward=True)
        monkeypatch.setattr(trainer, "_pass", unbroken)
        assert torch.equal(trainer.grad, before)
        assert trainer.accumulated == accumulated


def test_a_step_clears_the_gradient(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    arrays = packed(random_sequences(2, [9, 4]), weights=np.ones(11))
    trainer.run(arrays, LOSS, "none", backward=True)
    trainer.optim_step({"learningRate": 0.0})
    assert float(trainer.grad.abs().sum()) == 0
    assert trainer.optim_step({"learningRate": 0.0}) == {"step": 2, "gradientNorm": 0.0}


FEW = [[1, 5, 3, 2], [4, 4, 9], [2, 7, 1, 8, 0], [6, 3]]
COUNTS = [3, 2, 4, 1]


def scaled(data, by):
    """Their arrays, each weighed by its own number."""
    weights = np.repeat(np.array(by), [COUNTS[one] for one in data])
    return packed([FEW[one] for one in data], weights=weights)


def norm(trainer, arrays) -> float:
    trainer.run(arrays, LOSS, "none", backward=True)
    return trainer.optim_step({"learningRate": 0.0, "weightDecay": 0})["gradientNorm"]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_gradient_beyond_all_numbers_is_refused_by_name_and_not_added(make_folder: FolderMaker, precision):
    trainer = make_folder.trainer(precision=precision)
    # Squares of such numbers are beyond fp32; the losses are not.
    most = 1.2 * float(np.finfo(np.float32).max) ** 0.5
    half = most / 2 / norm(trainer, scaled([2], [1]))
    good = scaled([0, 1], [1, 1])
    trainer.run(good, LOSS, "none", backward=True)
    for data, weights, said, details in (
        ([0, 1, 2, 3], [1, 1, 2 * half, 1], "gradient of datum 2 is", {"datum": 2}),
        ([2, 0, 2, 3], [0.75 * half, 1, half, 1], "gradients of data 0, .*2.* is", {}),
    ):
        before = trainer.grad.clone()
        with pytest.raises(EngineError, match=said) as caught:
            trainer.run(scaled(data, weights), LOSS, "none", backward=True)
        assert (caught.value.code, caught.value.details) == ("non-finite-gradient", details)
        assert ("fp32" in str(caught.value)) == (precision == "bf16")
        assert torch.equal(trainer.grad, before)
    expected = norm(make_folder.trainer(precision=precision), good)
    assert trainer.optim_step({"learningRate": 0.0, "weightDecay": 0})["gradientNorm"] == expected
    # What is finite alone may not be with what is there.
    trainer.run(scaled([2], [half]), LOSS, "none", backward=True)
    before = trainer.grad.clone()
    with pytest.raises(EngineError, match="accumulated before"):
        trainer.run(scaled([2], [1.2 * half]), LOSS, "none", backward=True)
    assert torch.equal(trainer.grad, before)
