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
    trainer.grad[0] = torch.nan
    with pytest.raises(EngineError) as caught:
        trainer.optim_step({"learningRate": 0.0})
    assert caught.value.code == "non-finite-gradient"
    assert float(trainer.grad.abs().sum()) == 0
    assert trainer.step == 1
