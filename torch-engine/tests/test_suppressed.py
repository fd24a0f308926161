"""Tokens that generation_config.json suppresses have probability 0, in trainer and sampler alike."""

import numpy as np
import pytest
import torch

from support import reference
from support.data import packed, requested
from support.folders import FolderMaker
from support.sampling import logprobs_of, rows_of, sample
from whetstone_engine.choice import Parameters
from whetstone_engine.errors import EngineError

SUPPRESSED = [1, 4, 10]
LINE = [1, 0, 2, 3, 1, 5, 6, 4, 0]
LOSS = {"name": "cross_entropy"}


@pytest.fixture
def trainer(make_folder: FolderMaker):
    return make_folder.trainer(generation={"suppress_tokens": SUPPRESSED, "eos_token_id": 2})


def test_they_are_never_sampled_and_the_rest_sums_to_one(trainer):
    snapshot = trainer.snapshot()
    rows = rows_of(requested([[index] for index in range(11)], samples=100), snapshot)
    for temperature in (0.0, 1.0, 50.0):
        samples = sample(snapshot, rows, Parameters(temperature=temperature), None)
        assert not np.isin(np.concatenate(samples.tokens), SUPPRESSED).any()
    every = [[3, token] for token in range(11)]
    logprobs = logprobs_of(snapshot, requested(every))[1::2]
    assert np.exp(logprobs).sum() == pytest.approx(1, abs=1e-5)
    assert np.isneginf(logprobs[SUPPRESSED]).all()


def test_the_trainer_says_the_same(trainer):
    weights = np.array([1, 1, 1, 0, 1, 1, 0, 1])
    result, out = trainer.run(packed([LINE], weights=weights), LOSS, "all", backward=True)
    named = reference.named(trainer.architecture, trainer.flat)
    for value in named.values():
        value.requires_grad_()
    expected = reference.logprobs(trainer.architecture.config, named, LINE[:-1], LINE[1:])
    assert np.isneginf(out["logprobs"][[3, 6]]).all()
    counted = weights != 0
    assert np.abs(out["logprobs"][counted] - expected.detach().numpy()[counted]).max() < 1e-5
    lost = -expected[torch.tensor(counted)].sum()
    lost.backward()
    assert result["lossSum"] == pytest.approx(float(lost.detach()), rel=1e-5)
    head = trainer.architecture.leaves(trainer.grad)["head"]
    assert torch.allclose(head.double(), named["lm_head.weight"].grad, atol=1e-5)
    assert float(head[SUPPRESSED].abs().sum()) == 0


@pytest.mark.parametrize("name", ["cross_entropy", "importance_sampling", "ppo"])
@pytest.mark.parametrize("wanted", ["all", "none"])
def test_a_target_that_is_impossible_is_a_named_error(trainer, name, wanted):
    ones = np.ones(8)
    fields = {"weights": ones} if name == "cross_entropy" else {"advantages": ones, "logprobs": -ones}
    with pytest.raises(EngineError) as caught:
        trainer.run(packed([LINE], **fields), {"name": name}, wanted, backward=True)
    assert caught.value.code == "impossible-target"
    assert float(trainer.grad.abs().sum()) == 0
