"""Values and gradients of each loss, against autograd and against finite differences, both on the reference
decoder in double precision."""

import numpy as np
import pytest
import torch

from support import reference
from support.data import packed, positions, random_sequences
from support.folders import FolderMaker
from whetstone_engine.checkpoint import tensors_of
from whetstone_engine.errors import EngineError
from whetstone_engine.trainer import Trainer

LENGTHS = [6, 2, 19, 11]
SEQUENCES = random_sequences(5, LENGTHS)
TOTAL = positions(SEQUENCES)
RANDOM = np.random.default_rng(1)
WEIGHTS = RANDOM.normal(size=TOTAL) * (RANDOM.random(TOTAL) < 0.6)
ADVANTAGES = RANDOM.normal(size=TOTAL)
BEHAVIOUR = -2.4 + 0.6 * RANDOM.normal(size=TOTAL)
MASK = np.where(RANDOM.random(TOTAL) < 0.3, 0, RANDOM.random(TOTAL))


def cross_entropy(logprobs):
    return -(torch.tensor(WEIGHTS) * logprobs).sum()


def importance_sampling(logprobs):
    return -(
        torch.tensor(MASK) * torch.exp(logprobs - torch.tensor(BEHAVIOUR)) * torch.tensor(ADVANTAGES)
    ).sum()


def ppo(logprobs, low=0.8, high=1.2):
    total = 0
    for index in range(TOTAL):
        ratio = torch.exp(logprobs[index] - BEHAVIOUR[index])
        kept = min(ratio, torch.tensor(high)) if ratio > 1 else max(ratio, torch.tensor(low))
        unclipped, clipped = ratio * ADVANTAGES[index], kept * ADVANTAGES[index]
        total = total - MASK[index] * (unclipped if unclipped < clipped else clipped)
    return total


POLICY = {"advantages": ADVANTAGES, "logprobs": BEHAVIOUR, "mask": MASK}
CASES = {
    "cross_entropy": ({"name": "cross_entropy"}, {"weights": WEIGHTS}, cross_entropy),
    "importance_sampling": ({"name": "importance_sampling"}, POLICY, importance_sampling),
    "ppo": ({"name": "ppo"}, POLICY, ppo),
    "ppo, wide": (
        {"name": "ppo", "clipLow": 0.5, "clipHigh": 3.0},
        POLICY,
        lambda logprobs: ppo(logprobs, 0.5, 3.0),
    ),
}


def loss_of(trainer: Trainer, weights: dict[str, torch.Tensor], loss) -> torch.Tensor:
    config = trainer.architecture.config
    return loss(torch.cat([reference.logprobs(config, weights, line[:-1], line[1:]) for line in SEQUENCES]))


@pytest.mark.parametrize("kind", ["rotary", "learned", "none"])
@pytest.mark.parametrize("name", CASES)
def test_gradient(make_folder: FolderMaker, name, kind):
    trainer = make_folder.trainer(position_embedding_type=kind, num_key_value_heads=1)
    head, fields, loss = CASES[name]
    for wanted in ("none", "all"):
        trainer.grad.zero_()
        trainer.accumulated = False
        result, _ = trainer.run(packed(SEQUENCES, **fields), head, wanted, backward=True)
        weights = reference.named(trainer.architecture, trainer.flat)
        for value in weights.values():
            value.requires_grad_()
        value = loss_of(trainer, weights, loss)
        value.backward()
        assert result["lossSum"] == pytest.approx(float(value.detach()), rel=1e-5)
        assert result["positions"] == int((fields.get("mask", WEIGHTS) != 0).sum())
        for key, gradient in tensors_of(trainer.architecture.slots, trainer.grad).items():
            assert torch.allclose(gradient.double(), weights[key].grad, atol=3e-5, rtol=1e-4), key


@pytest.mark.parametrize("name", CASES)
def test_gradient_is_the_slope_that_finite_differences_see(make_folder: FolderMaker, name):
    trainer = make_folder.trainer()
    head, fields, loss = CASES[name]
    trainer.run(packed(SEQUENCES, **fields), head, "none", backward=True)
    weights = reference.named(trainer.architecture, trainer.flat)
    gradients = tensors_of(trainer.architecture.slots, trainer.grad)
    generator = torch.Generator().manual_seed(3)
    step = 1e-6
    with torch.no_grad():
        for key, value in weights.items():
            way = torch.randn(value.shape, generator=generator).double()
            ends = [loss_of(trainer, {**weights, key: value + sign * step * way}, loss) for sign in (1, -1)]
            slope = float(ends[0] - ends[1]) / (2 * step)
            ours = float((gradients[key] * way).sum())
            assert ours == pytest.approx(slope, rel=1e-3, abs=1e-4), key
            # A check that would not notice a wrong sign is none.
            if abs(slope) > 1e-3:
                assert -ours != pytest.approx(slope, rel=1e-3, abs=1e-4), key


def test_a_mask_that_is_not_given_counts_everything(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    fields = {"advantages": ADVANTAGES, "logprobs": BEHAVIOUR}
    head = {"name": "importance_sampling"}
    without, _ = trainer.run(packed(SEQUENCES, **fields), head, "none", backward=False)
    ones, _ = trainer.run(packed(SEQUENCES, **fields, mask=np.ones(TOTAL)), head, "none", backward=False)
    assert without == ones
    assert without["positions"] == TOTAL


def test_nothing_that_counts_is_no_loss_and_no_gradient(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    for wanted, shape in (("all", TOTAL), ("weighted", 0)):
        arrays = packed(SEQUENCES, weights=np.zeros(TOTAL))
        result, out = trainer.run(arrays, {"name": "cross_entropy"}, wanted, backward=True)
        assert result == {"lossSum": 0.0, "positions": 0}
        assert out["logprobs"].shape == (shape,)
        assert np.isfinite(out["logprobs"]).all()
        assert float(trainer.grad.abs().sum()) == 0


def test_a_loss_beyond_all_numbers_is_an_error_and_leaves_the_gradient(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    good = packed(SEQUENCES, weights=WEIGHTS)
    trainer.run(good, {"name": "cross_entropy"}, "none", backward=True)
    before = trainer.grad.clone()
    fields = {"advantages": ADVANTAGES, "logprobs": np.full(TOTAL, -1e4)}
    for head, arrays in (
        ({"name": "importance_sampling"}, packed(SEQUENCES, **fields)),
        ({"name": "cross_entropy"}, packed(SEQUENCES, weights=np.full(TOTAL, np.nan))),
    ):
        with pytest.raises(EngineError) as caught:
            trainer.run(arrays, head, "none", backward=True)
        assert caught.value.code == "non-finite-loss"
        assert torch.equal(trainer.grad, before)
