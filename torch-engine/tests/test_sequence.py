"""Calls on a model are numbered: one that was applied is answered from its record, a gap is an error."""

import numpy as np
import pytest
import torch

from support.data import packed, random_sequences, requested
from support.folders import FolderMaker
from whetstone_engine.held_model import REMEMBERED
from whetstone_engine.worker import Worker

ARRAYS = packed(random_sequences(2, [9, 14]), weights=np.ones(21))
LOSS = {"name": "cross_entropy"}


@pytest.fixture
def call(worker: Worker, make_folder: FolderMaker):
    """Answers to one request; a model `m` is there."""

    def call(verb, arrays=None, **members):
        [(head, out)] = worker.answer([({"id": 1, "verb": verb, **members}, arrays or {})])
        return head, out

    head, _ = call(
        "create_model", model="m", source={"kind": "folder", "path": str(make_folder()), "seed": 1}
    )
    assert head["ok"]
    return call


def code(answer) -> str | None:
    return answer[0].get("error", {}).get("code")


def test_a_repeated_call_is_answered_and_not_run_again(call, worker):
    trainer = worker.models["m"].trainer
    first = call("forward_backward", ARRAYS, model="m", sequence=1, loss=LOSS)
    gradient = trainer.grad.clone()
    again = call("forward_backward", ARRAYS, model="m", sequence=1, loss=LOSS)
    assert torch.equal(trainer.grad, gradient)
    assert again[0]["lossSum"] == first[0]["lossSum"]
    assert np.array_equal(again[1]["logprobs"], first[1]["logprobs"])
    step = call("optim_step", model="m", sequence=2, learningRate=0.1)[0]
    weights = trainer.flat.clone()
    assert call("optim_step", model="m", sequence=2, learningRate=0.1)[0]["step"] == step["step"] == 1
    assert torch.equal(trainer.flat, weights)
    assert worker.counts == {"tokensSampled": 0, "tokensTrained": 21, "optimizerSteps": 1}


def test_a_repeated_snapshot_is_the_one_that_was(call):
    call("snapshot", model="m", sequence=1, sampler="s")
    call("optim_step", model="m", sequence=2, learningRate=0.1)
    before = call("logprobs", requested([[1, 2, 3]]), sampler="s")[1]["logprobs"]
    head, _ = call("snapshot", model="m", sequence=1, sampler="s")
    assert (head["sequence"], head["step"]) == (1, 0)
    after = call("logprobs", requested([[1, 2, 3]]), sampler="s")[1]["logprobs"]
    assert np.array_equal(before, after, equal_nan=True)
    # Another call may not take its name.
    assert code(call("snapshot", model="m", sequence=3, sampler="s")) == "bad-request"


def test_a_gap_and_a_failure_use_up_no_number(call):
    assert code(call("forward", ARRAYS, model="m", sequence=2, loss=LOSS)) == "sequence-gap"
    assert code(
        call("forward", {**ARRAYS, "tokens": ARRAYS["tokens"] + 50}, model="m", sequence=1, loss=LOSS)
    ) == ("token-out-of-range")
    assert code(call("forward", ARRAYS, model="m", sequence=2, loss=LOSS)) == "sequence-gap"
    assert call("forward", ARRAYS, model="m", sequence=1, loss=LOSS)[0]["sequence"] == 1
    assert call("forward", ARRAYS, model="m", sequence=2, loss=LOSS)[0]["sequence"] == 2


def test_what_is_long_past_is_forgotten(call, worker):
    for sequence in range(1, REMEMBERED + 2):
        assert call("optim_step", model="m", sequence=sequence, learningRate=0)[0]["ok"]
    assert code(call("optim_step", model="m", sequence=1, learningRate=0)) == "sequence-forgotten"
    assert call("optim_step", model="m", sequence=2, learningRate=0)[0]["step"] == 2
    assert worker.counts["optimizerSteps"] == REMEMBERED + 1
    assert len(worker.models["m"].replies) == REMEMBERED
