"""Rows of different lengths computed together are what each is alone; passes are cut by lengths alone."""

import numpy as np
import pytest
import torch

from support.data import packed, positions, random_sequences
from support.folders import FolderMaker
from whetstone_engine import passes
from whetstone_engine.beginnings import shared_beginnings
from whetstone_engine.packing import Packing
from whetstone_engine.passes import counted_of, micro_batches, micro_limit
from whetstone_engine.trainer import Trainer

LENGTHS = [2, 50, 17, 18, 3, 16, 65, 66, 33, 34, 2, 90]
SHAPES = {
    "rotary, grouped": {"num_key_value_heads": 1},
    "learned": {"position_embedding_type": "learned"},
    "none": {"position_embedding_type": "none"},
}


@pytest.mark.parametrize("members", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("longest", [40, 100])
def test_together_equals_one_by_one(make_folder: FolderMaker, members, longest):
    trainer = make_folder.trainer(**members)
    sequences = random_sequences(1, [length for length in LENGTHS if length <= longest])
    weights = np.random.default_rng(2).normal(size=positions(sequences)).astype(np.float32)
    weights[::3] = 0
    loss = {"name": "cross_entropy"}
    together, out = trainer.run(packed(sequences, weights=weights), loss, "all", backward=True)
    gradient = trainer.grad.clone()
    trainer.grad.zero_()
    start, lost, alone = 0, 0.0, []
    for sequence in sequences:
        end = start + len(sequence) - 1
        one, given = trainer.run(packed([sequence], weights=weights[start:end]), loss, "all", backward=True)
        lost += one["lossSum"]
        alone.append(given["logprobs"])
        start = end
    assert np.abs(out["logprobs"] - np.concatenate(alone)).max() < 1e-5
    assert together["lossSum"] == pytest.approx(lost, abs=1e-4)
    assert torch.allclose(gradient, trainer.grad, atol=2e-5, rtol=1e-4)


def sharing(longest: int) -> list[list[int]]:
    """Rows that begin like others, end within others, or stand alone."""
    begin, other = random_sequences(3, [20, 12])
    ends = random_sequences(4, [1, 7, 7, 13, 30, longest - 20])
    alone = random_sequences(5, [2, 9, 25])
    return [begin + end for end in ends] + [begin[:15], begin, begin, other, other + ends[1], *alone]


@pytest.mark.parametrize("members", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("longest", [60, 100])
@pytest.mark.parametrize("wanted", ["all", "weighted"])
def test_what_rows_share_is_computed_once_and_counts_in_each(
    make_folder: FolderMaker, monkeypatch, members, longest, wanted
):
    trainer = make_folder.trainer(**members)
    sequences = sharing(longest)
    random = np.random.default_rng(6)
    weights = random.normal(size=positions(sequences)).astype(np.float32)
    weights[random.random(len(weights)) < 0.4] = 0
    arrays = packed(sequences, weights=weights)
    seen = []
    hidden = trainer.architecture.decoder.hidden

    def watched(leaves, tokens_N, *rest, **options):
        seen.append(len(tokens_N))
        return hidden(leaves, tokens_N, *rest, **options)

    monkeypatch.setattr(trainer.architecture.decoder, "hidden", watched)
    once, out = trainer.run(arrays, {"name": "cross_entropy"}, wanted, backward=True)
    gradient = trainer.grad.clone()
    trainer.grad.zero_()
    monkeypatch.setattr(passes, "shared_beginnings", lambda *_: None)
    each, expected = trainer.run(arrays, {"name": "cross_entropy"}, wanted, backward=True)
    assert seen[1] == positions(sequences)
    beginnings = {tuple(row[:end]) for row in sequences for end in range(1, len(row))}
    assert seen[0] == len(beginnings) < 0.6 * seen[1]
    assert once["lossSum"] == pytest.approx(each["lossSum"], abs=1e-4)
    assert np.abs(out["logprobs"] - expected["logprobs"]).max() < 1e-5
    assert torch.allclose(gradient, trainer.grad, atol=2e-5, rtol=1e-4)


def test_rows_that_share_little_are_left_as_they_are():
    rows = random_sequences(7, [30] * 20)
    lengths = np.array([30] * 20)
    assert shared_beginnings(np.concatenate(rows), lengths) is None
    rows[1][:9] = rows[0][:9]
    assert shared_beginnings(np.concatenate(rows), lengths) is None
    assert shared_beginnings(np.array([1, 2, 3]), np.array([3])) is None


@pytest.mark.parametrize("wanted", ["weighted", "none"])
def test_the_head_alone_where_it_counts_changes_nothing(make_folder: FolderMaker, wanted):
    trainer = make_folder.trainer()
    sequences = random_sequences(1, LENGTHS)
    weights = np.random.default_rng(2).normal(size=positions(sequences)).astype(np.float32)
    weights[: len(weights) // 2] = 0
    arrays = packed(sequences, weights=weights)
    everywhere, logprobs = trainer.run(arrays, {"name": "cross_entropy"}, "all", backward=True)
    gradient = trainer.grad.clone()
    trainer.grad.zero_()
    some, given = trainer.run(arrays, {"name": "cross_entropy"}, wanted, backward=True)
    assert some["lossSum"] == pytest.approx(everywhere["lossSum"], abs=1e-4)
    assert some["positions"] == int((weights != 0).sum())
    assert torch.allclose(gradient, trainer.grad, atol=2e-5, rtol=1e-4)
    if wanted == "weighted":
        assert np.abs(given["logprobs"] - logprobs["logprobs"][weights != 0]).max() < 1e-5
    else:
        assert given == {}


def test_rectangles_hold_like_lengths_and_every_position_once():
    packing = Packing(np.array([1, 3, 16, 17, 20, 32, 33, 40, 4]))
    shapes = [(bucket.rows, bucket.columns, bucket.positions) for bucket in packing.buckets]
    assert shapes == [(3, 16, 20), (3, 32, 69), (2, 40, 73), (1, 16, 4)]
    assert packing.positions_N.tolist() == [
        position for length in (1, 3, 16, 17, 20, 32, 33, 40, 4) for position in range(length)
    ]
    plan = packing.plan(8, 2)
    slots = plan.give_heads.tolist()
    assert len(set(slots)) == 166 * 8
    assert torch.equal(plan.take_heads[plan.give_heads], torch.arange(166 * 8))
    assert torch.equal(plan.take_queries[plan.give_queries], torch.arange(166 * 4))
    assert not set(plan.unanswered.tolist()) & set(plan.give_queries.tolist())
    assert len(plan.unanswered) == len(plan.take_queries) - 166 * 4


def test_the_longer_rows_are_the_more_alike_are_those_that_share_a_rectangle():
    packing = Packing(np.array([40, 60, 300, 360, 420, 600, 700]))
    assert [bucket.rows for bucket in packing.buckets] == [2, 2, 1, 1, 1]


def test_passes_are_a_function_of_lengths_and_shape(make_folder: FolderMaker, monkeypatch):
    lengths = np.array([1, 2, 2, 5, 7, 9])
    assert micro_batches(lengths, 10) == [
        (slice(0, 4), slice(0, 10)),
        (slice(4, 5), slice(10, 17)),
        (slice(5, 6), slice(17, 26)),
    ]
    assert micro_batches(lengths, 1) == [
        (slice(row, row + 1), slice(int(lengths[:row].sum()), int(lengths[: row + 1].sum())))
        for row in range(6)
    ]
    # No pass more than the limit takes, and none much smaller than the others.
    assert micro_batches(np.array([4, 4, 4, 4]), 12) == [
        (slice(0, 2), slice(0, 8)),
        (slice(2, 4), slice(8, 16)),
    ]
    # The logits of three rows are as many as a pass may have.
    assert micro_batches(np.array([2, 4, 4, 4]), 20, np.array([0, 4, 4, 4]), 8) == [
        (slice(0, 2), slice(0, 6)),
        (slice(2, 4), slice(6, 14)),
    ]
    counts = torch.tensor([True, False, True, True, False, False])
    assert counted_of(counts, np.array([1, 3, 2])).tolist() == [1, 2, 0]
    small = make_folder.trainer().architecture.config
    assert micro_limit(small) == passes.MICRO_TOKENS
    # Cut or not, the sum is the same.
    trainer = make_folder.trainer()
    arrays = packed(random_sequences(4, LENGTHS), weights=np.ones(sum(LENGTHS) - len(LENGTHS)))
    whole, expected = trainer.run(arrays, {"name": "cross_entropy"}, "all", backward=True)
    gradient = trainer.grad.clone()
    trainer.grad.zero_()
    done = []
    unwatched = trainer._pass
    monkeypatch.setattr(trainer, "limit", lambda _longest: 70)
    monkeypatch.setattr(trainer, "_pass", lambda *given: done.append(given) or unwatched(*given))
    cut, out = trainer.run(arrays, {"name": "cross_entropy"}, "all", backward=True)
    assert [given[0].tolist() for given in done] == [
        [1, 1, 2, 15, 16, 17],
        [32, 33],
        [49],
        [64],
        [65],
        [89],
    ]
    assert cut["lossSum"] == pytest.approx(whole["lossSum"], rel=1e-5)
    assert np.abs(out["logprobs"] - expected["logprobs"]).max() < 1e-5
    assert torch.allclose(gradient, trainer.grad, atol=2e-5, rtol=1e-4)


def test_a_large_model_takes_small_passes(make_folder: FolderMaker):
    members = {"hidden_size": 64, "intermediate_size": 4096, "num_hidden_layers": 40}
    config = make_folder.model(**members).architecture.config
    assert micro_limit(config) * 4 * 40 * 3 * 4096 < passes.MICRO_BYTES
    wide = make_folder.model(vocab_size=200_000, hidden_size=2, num_attention_heads=1, num_key_value_heads=1)
    assert Trainer(wide).head_limit * 200_000 * 4 <= passes.LOGIT_BYTES
