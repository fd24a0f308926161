"""Weights, gradients and moments that are kept in bf16, and what rounding them at random is good for."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from support.data import packed, random_sequences, requested
from support.folders import FolderMaker
from support.sampling import everything_is_large, logprobs_of, rows_of, sample
from whetstone_engine.choice import Parameters
from whetstone_engine.optimizer import Moments, OptimizerStep, apply_step
from whetstone_engine.precision import ROUNDED_AT_ONCE, Rounding
from whetstone_engine.trainer import Trainer
from whetstone_engine.weights import read_model

LOSS = {"name": "cross_entropy"}
SEQUENCES = random_sequences(2, [12, 17, 70, 3])
ARRAYS = packed(SEQUENCES, weights=np.full(98, 1 / 98))
SHAPES = [
    {"tie_word_embeddings": True},
    {"model_type": "qwen3", "num_key_value_heads": 1, "head_dim": 16},
    {"model_type": "qwen2"},
    {"position_embedding_type": "learned", "attention_bias": True},
]


@pytest.fixture(params=[True, False], ids=["native", "fp32"])
def native(request, monkeypatch):
    monkeypatch.setattr("whetstone_engine.weights.native_bf16", lambda: request.param)
    if request.param:
        everything_is_large(monkeypatch)
    return request.param


def step(**members) -> OptimizerStep:
    return OptimizerStep.read(members)


def learn(trainer, steps, first=0, rate=1e-2):
    losses = []
    for index in range(first, first + steps):
        data = packed(random_sequences(index % 3, [12, 9]), weights=np.full(19, 1 / 19))
        losses.append(trainer.run(data, LOSS, "none", backward=True)[0]["lossSum"])
        trainer.optim_step({"learningRate": rate})
    return losses


def test_everything_that_is_kept_takes_two_bytes(native, make_folder: FolderMaker):
    trainer = make_folder.trainer(precision="bf16")
    kept = (trainer.flat, trainer.grad, trainer.moments.first, trainer.moments.second)
    learn(trainer, 2)
    assert [one.dtype for one in kept] == [torch.bfloat16] * 4
    # Passes need no copy of the weights, nor of the gradients.
    assert trainer.buffer is trainer.flat
    assert trainer.aside == []
    assert all(leaf.grad.data_ptr() == leaf.gradient.data_ptr() for leaf in trainer.leaves.values())
    storages = {one.untyped_storage().data_ptr(): one.untyped_storage().nbytes() for one in kept}
    assert sum(storages.values()) == 8 * trainer.architecture.size


@pytest.mark.parametrize("members", SHAPES, ids=str)
def test_close_to_fp32(native, make_folder: FolderMaker, members):
    exact, rough = make_folder.trainer(**members), make_folder.trainer(precision="bf16", **members)
    assert torch.equal(exact.flat.bfloat16(), rough.flat)
    one, expected = exact.run(ARRAYS, LOSS, "all", backward=True)
    other, out = rough.run(ARRAYS, LOSS, "all", backward=True)
    assert other["lossSum"] == pytest.approx(one["lossSum"], rel=0.02)
    assert np.abs(out["logprobs"] - expected["logprobs"]).mean() < 0.04
    assert torch.nn.functional.cosine_similarity(exact.grad, rough.grad.float(), dim=0) > 0.998


def test_two_calls_are_one_call_on_both(native, make_folder: FolderMaker):
    one, two = make_folder.trainer(precision="bf16"), make_folder.trainer(precision="bf16")
    one.run(ARRAYS, LOSS, "none", backward=True)
    two.run(packed(SEQUENCES[:2], weights=np.full(27, 1 / 98)), LOSS, "none", backward=True)
    two.run(packed(SEQUENCES[2:], weights=np.full(71, 1 / 98)), LOSS, "none", backward=True)
    difference = (one.grad.float() - two.grad.float()).norm() / one.grad.float().norm()
    assert float(difference) < 0.02


def test_rounding_at_random_is_right_on_average():
    values = torch.tensor([1.0, 1.001, -1.0003, 3.1, 1e-20, -7e30, 0.0, 0.0078125])
    steps, out = 4000, torch.empty(len(values), dtype=torch.bfloat16)
    total, seen = torch.zeros(len(values), dtype=torch.float64), [set() for _ in values]
    for index in range(steps):
        Rounding(index, 1).store(0, values.clone(), out)
        total += out.double()
        for numbers, one in zip(seen, out.tolist(), strict=True):
            numbers.add(one)
    # What bf16 holds stays; anything else becomes one of its two neighbours.
    assert [len(numbers) for numbers in seen] == [1, 2, 2, 2, 2, 2, 1, 1]
    exact = values.double()
    gap = torch.tensor([max(numbers) - min(numbers) for numbers in seen])
    assert bool(((total / steps - exact).abs() <= 4 * gap / (2 * steps**0.5)).all())


def test_buffers_do_not_round_alike():
    rounding = Rounding(1, 3)
    assert not torch.equal(rounding.noise[0], rounding.noise[1])
    assert not torch.equal(rounding.noise[0], Rounding(2, 3).noise[0])
    assert torch.equal(rounding.noise, Rounding(1, 3).noise)


def test_steps_that_plain_rounding_loses_add_up():
    """A step of a thousandth of a weight is a quarter of its last bit in bf16: rounded to the nearest it is
    lost each time, rounded at random they add up."""
    size = ROUNDED_AT_ONCE + 7
    start, steps = torch.ones(size, dtype=torch.bfloat16), 500
    one_step = step(optimizer="sgd", learningRate=1e-3, weightDecay=0)
    ours, nearest = start.clone(), start.clone()
    gradient = torch.ones_like(start)
    moments = Moments(torch.zeros_like(start), torch.zeros_like(start), torch.tensor(0.0))
    for index in range(steps):
        apply_step(ours, gradient, moments, one_step, 1.0, index + 1)
        nearest = (nearest.float() - 1e-3).bfloat16()
    assert torch.equal(nearest, start)
    assert float(ours.float().mean()) == pytest.approx(0.5, abs=2e-3)
    assert float((ours.float() - 0.5).abs().max()) < 0.25


def test_adamw_stays_near_what_it_is_in_fp32():
    """Over steps far smaller than a weight's last bit; the second moment, which would not decay at all if it
    were rounded to the nearest, follows a gradient that shrinks."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(4000, generator=generator)
    exact, kept = weights.clone(), weights.bfloat16()
    ours = Moments(torch.zeros_like(kept), torch.zeros_like(kept), torch.tensor(0.0))
    theirs = Moments(torch.zeros_like(exact), torch.zeros_like(exact), torch.tensor(0.0))
    one_step = step(learningRate=1e-4, weightDecay=0.1)
    for index in range(1500):
        gradient = (torch.randn(4000, generator=generator) + 0.3) * (1 if index < 300 else 0.05)
        apply_step(exact, gradient, theirs, one_step, 1.0, index + 1)
        apply_step(kept, gradient.bfloat16(), ours, one_step, 1.0, index + 1)
    assert int(ours.steps) == int(theirs.steps) == 1500
    moved, expected = kept.float() - weights.bfloat16().float(), exact - weights
    assert float(moved.mean()) == pytest.approx(float(expected.mean()), rel=0.05)
    assert float((ours.second.float() / theirs.second).log().abs().mean()) < 0.1
    assert float(theirs.second.mean()) < 0.5


def test_it_learns(native, make_folder: FolderMaker):
    losses = learn(make_folder.trainer(precision="bf16"), 150)
    assert losses[-1] < losses[0] / 4
    # As far as with weights that are kept in full.
    assert losses[-1] < learn(make_folder.trainer(precision="mixed"), 150)[-1] + 0.3


def test_it_goes_on_as_if_it_had_never_stopped(native, make_folder: FolderMaker, tmp_path):
    trainer = make_folder.trainer(precision="bf16")
    learn(trainer, 4)
    trainer.save(str(tmp_path / "saved"), optimizer=True)
    tensors = load_file(tmp_path / "saved" / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.bfloat16}
    source = {"kind": "checkpoint", "path": str(tmp_path / "saved"), "optimizer": True}
    again = Trainer(read_model(source, "bf16"))
    for one in (trainer, again):
        learn(one, 4, first=4)
    assert torch.equal(trainer.flat, again.flat)
    assert torch.equal(trainer.moments.second, again.moments.second)
    # Another precision goes on from the same numbers.
    wide = Trainer(read_model(source, "fp32"))
    assert torch.equal(wide.flat, load_flat(tensors, wide))


def load_flat(tensors, trainer) -> torch.Tensor:
    return torch.cat([tensors[slot.name].float().flatten() for slot in trainer.architecture.slots])


def test_sampled_logprobs_are_the_recomputed_ones(native, make_folder: FolderMaker):
    trainer = make_folder.trainer(precision="bf16", num_key_value_heads=1)
    learn(trainer, 3)
    snapshot = trainer.snapshot()
    prompts = random_sequences(1, [3, 9, 20])
    samples = sample(snapshot, rows_of(requested(prompts, samples=4, most=30), snapshot), Parameters(), None)
    owners = [prompt for prompt in prompts for _ in range(4)]
    lines = [[*prompt, *tokens] for prompt, tokens in zip(owners, samples.tokens, strict=True)]
    recomputed = logprobs_of(trainer.snapshot(), requested(lines))
    arrays = packed(lines, weights=np.ones(sum(map(len, lines)) - len(lines)))
    _, trained = trainer.run(arrays, LOSS, "all", backward=False)
    kept = recomputed[~np.isnan(recomputed)]
    assert np.abs(kept - trained["logprobs"]).mean() < (0.03 if native else 1e-5)
    start, gaps = 0, []
    for prompt, line, sampled in zip(owners, lines, samples.logprobs, strict=True):
        gaps.append(recomputed[start + len(prompt) : start + len(line)] - sampled)
        start += len(line)
    assert np.abs(np.concatenate(gaps)).mean() < (0.03 if native else 1e-5)


def test_a_snapshot_is_immutable(native, make_folder: FolderMaker):
    trainer = make_folder.trainer(precision="bf16")
    first = trainer.snapshot()
    before = logprobs_of(first, requested([[1, 2, 3, 4]]))
    learn(trainer, 2)
    assert np.array_equal(logprobs_of(first, requested([[1, 2, 3, 4]])), before, equal_nan=True)
    after = logprobs_of(trainer.snapshot(), requested([[1, 2, 3, 4]]))
    assert not np.array_equal(after, before, equal_nan=True)
