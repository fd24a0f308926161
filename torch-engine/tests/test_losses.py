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
LOW, HIGH = 0.3 + 0.6 * RANDOM.random(TOTAL), 1.1 + 2 * RANDOM.random(TOTAL)
ROWS = np.repeat(np.arange(len(LENGTHS)), [length - 1 for length in LENGTHS])

# Each as a function of the targets' logprobs, and of what they are where the derivative is taken: what
# carries no gradient is computed from the latter.


def cross_entropy(logprobs, _):
    return -(torch.tensor(WEIGHTS) * logprobs).sum()


def importance_sampling(logprobs, _):
    return -(
        torch.tensor(MASK) * torch.exp(logprobs - torch.tensor(BEHAVIOUR)) * torch.tensor(ADVANTAGES)
    ).sum()


def clipped(ratios, low, high):
    total = 0
    for index in range(TOTAL):
        ratio = ratios[index]
        kept = min(max(ratio, torch.tensor(low[index])), torch.tensor(high[index]))
        unclipped, clipped = ratio * ADVANTAGES[index], kept * ADVANTAGES[index]
        total = total - MASK[index] * (unclipped if unclipped < clipped else clipped)
    return total


def ppo(logprobs, _, low=None, high=None):
    low, high = np.full(TOTAL, 0.8) if low is None else low, np.full(TOTAL, 1.2) if high is None else high
    return clipped(torch.exp(logprobs - torch.tensor(BEHAVIOUR)), low, high)


def cispo(logprobs, at, low=None, high=None):
    ratios = np.exp(at.numpy() - BEHAVIOUR)
    weights = np.clip(ratios, 0 if low is None else low, 4 if high is None else high)
    return -(torch.tensor(MASK * weights * ADVANTAGES) * logprobs).sum()


def dro(logprobs, _, beta=0.05):
    away = logprobs - torch.tensor(BEHAVIOUR)
    return -(torch.tensor(MASK) * (torch.tensor(ADVANTAGES) * logprobs - beta / 2 * away**2)).sum()


def gspo(logprobs, at, low=None, high=None):
    ratios = []
    for index in range(TOTAL):
        own = np.equal(ROWS, ROWS[index])
        # A sequence of which nothing counts has no ratio, and needs none.
        mean = (MASK * (at.numpy() - BEHAVIOUR))[own].sum() / (MASK[own].sum() or 1)
        ratios.append(np.exp(mean) * torch.exp(logprobs[index] - at[index]))
    low, high = np.full(TOTAL, 0.8) if low is None else low, np.full(TOTAL, 1.2) if high is None else high
    return clipped(ratios, low, high)


POLICY = {"advantages": ADVANTAGES, "logprobs": BEHAVIOUR, "mask": MASK}
CASES = {
    "cross_entropy": ({"name": "cross_entropy"}, {"weights": WEIGHTS}, cross_entropy),
    "importance_sampling": ({"name": "importance_sampling"}, POLICY, importance_sampling),
    "ppo": ({"name": "ppo"}, POLICY, ppo),
    "ppo, wide": (
        {"name": "ppo", "clipLow": 0.5, "clipHigh": 3.0},
        POLICY,
        lambda *given: ppo(*given, np.full(TOTAL, 0.5), np.full(TOTAL, 3.0)),
    ),
    "ppo, bounds of each position": (
        {"name": "ppo"},
        {**POLICY, "clip_low": LOW, "clip_high": HIGH},
        lambda *given: ppo(*given, LOW, HIGH),
    ),
    "cispo": ({"name": "cispo"}, POLICY, cispo),
    "cispo, narrow": (
        {"name": "cispo", "clipLow": 0.7, "clipHigh": 1.3},
        POLICY,
        lambda *given: cispo(*given, 0.7, 1.3),
    ),
    "cispo, an upper bound of each position": (
        {"name": "cispo"},
        {**POLICY, "clip_high": HIGH},
        lambda *given: cispo(*given, 0, HIGH),
    ),
    "dro": ({"name": "dro"}, POLICY, dro),
    "dro, heavy": ({"name": "dro", "beta": 0.8}, POLICY, lambda *given: dro(*given, 0.8)),
    "gspo": ({"name": "gspo"}, POLICY, gspo),
    "gspo, bounds of each position": (
        {"name": "gspo"},
        {**POLICY, "clip_low": LOW, "clip_high": HIGH},
        lambda *given: gspo(*given, LOW, HIGH),
    ),
}


def logprobs_of(trainer: Trainer, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    config = trainer.architecture.config
    return torch.cat([reference.logprobs(config, weights, line[:-1], line[1:]) for line in SEQUENCES])


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
        logprobs = logprobs_of(trainer, weights)
        value = loss(logprobs, logprobs.detach())
        value.backward()
        assert result["lossSum"] == pytest.approx(float(value.detach()), rel=1e-5, abs=1e-5)
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
        at = logprobs_of(trainer, weights)
        for key, value in weights.items():
            way = torch.randn(value.shape, generator=generator).double()
            moved = [{**weights, key: value + sign * step * way} for sign in (1, -1)]
            ends = [loss(logprobs_of(trainer, one), at) for one in moved]
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
    assert caught.value.details == {"datum": 0}


def test_the_datum_whose_loss_is_no_number_is_named(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    weights = WEIGHTS.copy()
    # In the third sequence, which is the last of those that are sorted by length.
    weights[np.equal(ROWS, 2)] = np.inf
    with pytest.raises(EngineError, match="datum 2") as caught:
        trainer.run(packed(SEQUENCES, weights=weights), {"name": "cross_entropy"}, "none", backward=True)
    assert caught.value.details == {"datum": 2}
    assert float(trainer.grad.abs().sum()) == 0


@pytest.mark.parametrize("limit", [1, 20, 1000])
def test_gspo_moves_along_the_sequences_own_derivative_however_passes_are_cut(make_folder, limit):
    """With one advantage a sequence its gradient is that of the sequence's loss itself, without anything
    stopped."""
    trainer = make_folder.trainer()
    trainer.limit = lambda _longest: limit
    advantages = np.array([1.0, -0.7, 0.4, -1.3])[ROWS]
    fields = {**POLICY, "advantages": advantages, "logprobs": BEHAVIOUR + 0.3 * ROWS - 0.5}
    trainer.run(packed(SEQUENCES, **fields), {"name": "gspo"}, "none", backward=True)
    weights = reference.named(trainer.architecture, trainer.flat)
    for value in weights.values():
        value.requires_grad_()
    logprobs, total, sides = logprobs_of(trainer, weights), 0, set()
    for row in set(ROWS[MASK > 0].tolist()):
        own = torch.tensor(np.equal(ROWS, row))
        mask, away = torch.tensor(MASK)[own], logprobs[own] - torch.tensor(fields["logprobs"])[own]
        ratio = torch.exp((mask * away).sum() / mask.sum())
        advantage = float(advantages[np.equal(ROWS, row)][0])
        gains = ratio * advantage, ratio.clamp(0.8, 1.2) * advantage
        sides.add(bool(gains[1] < gains[0]))
        total = total - (mask * torch.minimum(*gains)).sum()
    assert sides == {True, False}
    total.backward()
    for key, gradient in tensors_of(trainer.architecture.slots, trainer.grad).items():
        assert torch.allclose(gradient.double(), weights[key].grad, atol=3e-5, rtol=1e-4), key


@pytest.mark.parametrize(
    ("head", "fields"),
    [
        ({"name": "grpo"}, POLICY),
        ({"name": "cross_entropy", "clipLow": 0.5}, {"weights": WEIGHTS}),
        ({"name": "importance_sampling", "clipHigh": 0.5}, POLICY),
        ({"name": "ppo", "beta": 0.5}, POLICY),
        ({"name": "dro", "clipLow": 0.5}, POLICY),
        ({"name": "dro", "beta": "much"}, POLICY),
        ({"name": "cispo", "clipLow": 5}, POLICY),
        ({"name": "gspo"}, {**POLICY, "clip_low": np.full(TOTAL, 1.3)}),
        ({"name": "gspo"}, {**POLICY, "clip_low": np.full(TOTAL, np.nan)}),
        ({"name": "importance_sampling"}, {**POLICY, "clip_low": LOW}),
        ({"name": "dro"}, {**POLICY, "clip_high": HIGH}),
        ({"name": "ppo"}, {**POLICY, "clip_high": HIGH[:-1]}),
    ],
    ids=str,
)
def test_what_a_loss_does_not_have_is_refused(make_folder: FolderMaker, head, fields):
    with pytest.raises(EngineError) as caught:
        make_folder.trainer().run(packed(SEQUENCES, **fields), head, "none", backward=True)
    assert caught.value.code == "bad-request"


@pytest.mark.parametrize("name", ["ppo", "gspo"])
@pytest.mark.parametrize("advantage", [1.0, 1e3, 0.0])
def test_a_ratio_beyond_all_numbers_is_clipped_like_any_other(make_folder: FolderMaker, name, advantage):
    trainer = make_folder.trainer()
    fields = {"advantages": np.full(TOTAL, advantage), "logprobs": np.full(TOTAL, -1e4)}
    result, _ = trainer.run(packed(SEQUENCES, **fields), {"name": name}, "none", backward=True)
    assert result["lossSum"] == pytest.approx(-1.2 * advantage * TOTAL, rel=1e-5)
    assert float(trainer.grad.abs().sum()) == 0
    # What nothing clips is no number still.
    for wrong in ({"advantages": np.full(TOTAL, -1.0)}, {"clip_high": np.full(TOTAL, np.inf)}):
        arrays = packed(SEQUENCES, **{**fields, "advantages": np.full(TOTAL, 1.0), **wrong})
        with pytest.raises(EngineError, match="datum 0"):
            trainer.run(arrays, {"name": name}, "none", backward=True)


def test_a_weight_that_is_too_small_to_compute_with_counts_as_whoever_gave_it_counts(
    make_folder: FolderMaker,
):
    """It is not 0, and which positions count decides whose the logprobs in a reply are."""
    trainer = make_folder.trainer()
    weights = np.zeros(TOTAL, np.float32)
    weights[[0, 3, 9]] = [1, 1e-40, -1e-42]
    weights[5] = -0.0
    denormal = torch.set_flush_denormal(True)
    try:
        result, out = trainer.run(
            packed(SEQUENCES, weights=weights), {"name": "cross_entropy"}, "weighted", backward=True
        )
        arrays = packed(SEQUENCES, advantages=np.ones(TOTAL), logprobs=-np.ones(TOTAL), mask=weights)
        masked, _ = trainer.run(arrays, {"name": "ppo"}, "weighted", backward=False)
    finally:
        torch.set_flush_denormal(False)
    assert denormal
    assert (result["positions"], masked["positions"], len(out["logprobs"])) == (3, 3, 3)


@pytest.mark.parametrize("backward", [False, True])
def test_a_datum_is_not_named_for_what_another_in_its_pass_is_broken_by(make_folder: FolderMaker, backward):
    trainer = make_folder.trainer()
    trainer.leaves["embed"].data[7] = torch.nan
    arrays = packed([[1, 2, 3, 4, 5, 6, 8], [2, 3, 4, 5, 6], [7, 1, 2]], weights=np.ones(12))
    with pytest.raises(EngineError, match="datum 2") as caught:
        trainer.run(arrays, {"name": "cross_entropy"}, "none", backward=backward)
    assert (caught.value.code, caught.value.details) == ("non-finite-loss", {"datum": 2})
