"""Optimiser steps equal PyTorch's own over many steps, clipping included."""

import numpy as np
import pytest
import torch

from support.data import packed, random_sequences
from support.folders import FolderMaker
from whetstone_engine.errors import EngineError

LOSS = {"name": "cross_entropy"}


def run(trainer, head, optimizer_of, steps=40, clip=0.0):
    """The same gradients for the engine and for PyTorch; returns the norms that each saw."""
    theirs = torch.nn.Parameter(trainer.flat.clone())
    optimizer = optimizer_of([theirs])
    norms = []
    for step in range(steps):
        sequences = random_sequences(step, [7, 12, 5])
        trainer.run(packed(sequences, weights=np.full(21, 0.3)), LOSS, "none", backward=True)
        theirs.grad = trainer.grad.clone()
        expected = torch.nn.utils.clip_grad_norm_([theirs], clip if clip else torch.inf)
        # The rate changes from step to step, as a schedule's does.
        rate = head["learningRate"] * (1 + step % 3)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        result = trainer.optim_step({**head, "learningRate": rate})
        assert result["step"] == step + 1
        norms.append((result["gradientNorm"], float(expected)))
        assert torch.allclose(trainer.flat, theirs.detach(), atol=2e-6, rtol=2e-5), step
    return np.array(norms)


@pytest.mark.parametrize("clip", [0.0, 0.4])
def test_adamw(make_folder: FolderMaker, clip):
    head = {
        "learningRate": 1e-3,
        "beta1": 0.9,
        "beta2": 0.98,
        "epsilon": 1e-6,
        "weightDecay": 0.1,
        "gradientClipNorm": clip,
    }
    norms = run(
        make_folder.trainer(),
        head,
        lambda parameters: torch.optim.AdamW(
            parameters, lr=1, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.1, fused=False
        ),
        clip=clip,
    )
    assert np.allclose(norms[:, 0], norms[:, 1], rtol=1e-5)
    assert norms.min() > 0.4


def test_adamw_by_default(make_folder: FolderMaker):
    run(make_folder.trainer(), {"learningRate": 1e-3}, lambda parameters: torch.optim.AdamW(parameters, lr=1))


@pytest.mark.parametrize("clip", [0.0, 0.4])
def test_sgd(make_folder: FolderMaker, clip):
    run(
        make_folder.trainer(),
        {"optimizer": "sgd", "learningRate": 1e-2, "weightDecay": 0, "gradientClipNorm": clip},
        lambda parameters: torch.optim.SGD(parameters, lr=1),
        clip=clip,
    )


def test_the_optimizer_minimises(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    arrays = packed(random_sequences(2, [12, 17, 30]), weights=np.full(56, 1 / 56))
    losses = []
    for _ in range(150):
        result, _ = trainer.run(arrays, LOSS, "none", backward=True)
        trainer.optim_step({"learningRate": 1e-2})
        losses.append(result["lossSum"])
    assert losses[0] > 2
    assert losses[-1] < 0.05


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"learningRate": float("nan")},
        {"learningRate": -1},
        {"learningRate": "0.1"},
        {"learningRate": True},
        {"learningRate": 1, "beta1": 1},
        {"learningRate": 1, "beta2": -0.1},
        {"learningRate": 1, "optimizer": "muon"},
        {"learningRate": 1, "gradientClipNorm": -1},
        {"learningRate": 1, "epsilon": 0},
    ],
)
def test_a_wrong_number_is_refused_before_anything_changes(make_folder: FolderMaker, wrong):
    trainer = make_folder.trainer()
    arrays = packed(random_sequences(2, [12]), weights=np.ones(11))
    trainer.run(arrays, LOSS, "none", backward=True)
    before, gradient = trainer.flat.clone(), trainer.grad.clone()
    with pytest.raises(EngineError) as caught:
        trainer.optim_step(wrong)
    assert caught.value.code == "bad-request"
    assert torch.equal(trainer.flat, before)
    assert torch.equal(trainer.grad, gradient)
    assert trainer.step == 0


def test_plain_descent_divides_by_nothing(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    assert trainer.optim_step({"optimizer": "sgd", "learningRate": 1, "epsilon": 0})["step"] == 1
