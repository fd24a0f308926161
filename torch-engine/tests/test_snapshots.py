"""Snapshots stay what they were, and share the trainer's memory for as long as that is the same."""

import gc
import weakref

import numpy as np
import pytest
import torch

from support.data import packed, random_sequences, requested
from support.folders import FolderMaker
from support.sampling import everything_is_large, logprobs_of, rows_of, sample
from whetstone_engine.choice import Parameters
from whetstone_engine.scores import certainty, embed, score

ARRAYS = packed(random_sequences(2, [12, 17]), weights=np.ones(27))


def step(trainer):
    trainer.run(ARRAYS, {"name": "cross_entropy"}, "none", backward=True)
    trainer.optim_step({"learningRate": 0.1})


def scores(snapshot):
    return logprobs_of(snapshot, requested([[1, 2, 3, 4, 5]]))[1:]


def memory(snapshot) -> int:
    return snapshot.weights["embed"].data_ptr()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_snapshot_is_immutable(make_folder: FolderMaker, precision):
    trainer = make_folder.trainer(precision=precision)
    first = trainer.snapshot()
    before = scores(first)
    step(trainer)
    second = trainer.snapshot()
    after = scores(second)
    step(trainer)
    assert np.array_equal(scores(first), before)
    assert np.array_equal(scores(second), after)
    assert not np.array_equal(before, after)
    assert (first.step, second.step, trainer.step) == (0, 1, 2)


def test_a_snapshot_is_what_the_trainer_computes(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    step(trainer)
    _, out = trainer.run(
        packed([[1, 2, 3, 4, 5]], weights=[1] * 4), {"name": "cross_entropy"}, "all", backward=False
    )
    assert np.abs(scores(trainer.snapshot()) - out["logprobs"]).max() < 1e-5


def test_nothing_is_copied_before_a_step_and_one_copy_serves_all(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    snapshots = [trainer.snapshot() for _ in range(3)]
    own = trainer.buffer.data_ptr()
    assert [memory(snapshot) for snapshot in snapshots] == [own] * 3
    step(trainer)
    assert trainer.buffer.data_ptr() == own
    assert len({memory(snapshot) for snapshot in snapshots}) == 1
    assert memory(snapshots[0]) != own
    copies = [memory(snapshot) for snapshot in snapshots]
    step(trainer)
    assert [memory(snapshot) for snapshot in snapshots] == copies


def test_the_memory_of_a_copy_serves_again_when_nobody_has_it(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    first = trainer.snapshot()
    step(trainer)
    # What is read is laid out, and no copy of the trainer's any more: this looks at the weights themselves.
    place, before = memory(first), first.weights["embed"].clone()
    second = trainer.snapshot()
    step(trainer)
    assert memory(second) != place
    assert torch.equal(first.weights["embed"], before)
    assert not torch.equal(second.weights["embed"], before)
    place = memory(second)
    del first, second
    third = trainer.snapshot()
    step(trainer)
    assert memory(third) == place
    step(trainer)
    assert trainer.copy is None


def test_a_snapshot_that_is_laid_out_is_a_copy(make_folder: FolderMaker):
    model = make_folder.trainer()
    one, other = model.snapshot(), model.snapshot()
    shared = other.weights["norm"].data_ptr()
    one.lay_out()
    assert one.weights["norm"].data_ptr() != shared
    before = scores(one)
    step(model)
    assert np.array_equal(scores(one), before)
    # What is laid out only after the step is of the weights before it, too.
    assert other.weights["norm"].data_ptr() != shared
    assert np.array_equal(scores(other), before)
    held = one.weights
    model.optim_step({"learningRate": 0.1})
    assert one.weights is held


@pytest.mark.parametrize("precision", ["fp32", "mixed", "bf16"])
@pytest.mark.parametrize("large", [False, True])
def test_what_is_read_has_the_same_bits_before_and_after_sampling(
    make_folder: FolderMaker, monkeypatch, precision, large
):
    if large:
        everything_is_large(monkeypatch)
    trainer = make_folder.trainer(precision=precision)
    read, drawn = trainer.snapshot(), trainer.snapshot()
    rows = requested(random_sequences(1, [3, 9, 20]), samples=3, most=8)
    samples = sample(drawn, rows_of(rows, drawn), Parameters(), None)
    asked = requested([*random_sequences(4, [2, 7, 30]), [1, 2, 3, 4, 5]])
    for ask in (
        lambda snapshot: score(snapshot, asked, 3),
        lambda snapshot: certainty(snapshot, asked),
        lambda snapshot: {"mean": embed(snapshot, asked, "mean")[1]},
    ):
        first, after = ask(read), ask(drawn)
        assert all(np.array_equal(first[name], after[name], equal_nan=True) for name in first)
    again = sample(read, rows_of(rows, read), Parameters(), None)
    assert all(map(np.array_equal, again.logprobs, samples.logprobs))


def test_a_large_snapshot_is_copied_when_a_step_follows(make_folder: FolderMaker, monkeypatch):
    everything_is_large(monkeypatch)
    model = make_folder.trainer()
    snapshot = model.snapshot()
    rows = requested(random_sequences(1, [3, 9, 20]), samples=3, most=20)
    before, expected = scores(snapshot), sample(snapshot, rows_of(rows, snapshot), Parameters(), None)
    assert snapshot.weights["0.qkv"].weight_OI.data_ptr() == model.leaves["0.qkv"].data_ptr()
    step(model)
    assert snapshot.weights["0.qkv"].weight_OI.data_ptr() != model.leaves["0.qkv"].data_ptr()
    assert np.array_equal(scores(snapshot), before)
    again = sample(snapshot, rows_of(rows, snapshot), Parameters(), None)
    assert all(map(np.array_equal, again.tokens, expected.tokens))
    assert not np.allclose(scores(model.snapshot()), before, atol=1e-3)


def test_a_released_snapshot_is_not_copied_and_not_kept(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    snapshot = trainer.snapshot()
    trainer.release(snapshot)
    gone = weakref.ref(snapshot)
    own = memory(snapshot)
    step(trainer)
    assert memory(snapshot) == own
    del snapshot
    gc.collect()
    assert gone() is None


def test_no_old_weights_are_kept_from_step_to_step(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    step(trainer)

    def large_tensors() -> int:
        gc.collect()
        sizes = (one.untyped_storage().data_ptr() for one in gc.get_objects() if type(one) is torch.Tensor)
        return len(set(sizes))

    before = large_tensors()
    for _ in range(20):
        snapshot = trainer.snapshot()
        scores(snapshot)
        step(trainer)
        trainer.release(snapshot)
        del snapshot
    assert large_tensors() <= before + 2


def test_without_memory_for_a_copy_a_step_changes_nothing_and_no_snapshot(make_folder, monkeypatch):
    trainer = make_folder.trainer()
    snapshot = trainer.snapshot()
    trainer.run(ARRAYS, {"name": "cross_entropy"}, "none", backward=True)
    weights, before = trainer.flat.clone(), snapshot.weights["embed"].clone()

    def full(*_):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(torch, "empty_like", full)
        with pytest.raises(MemoryError):
            trainer.optim_step({"learningRate": 0.1})
    assert torch.equal(trainer.flat, weights)
    # It may be asked for again, and then the snapshot still needs its copy.
    assert trainer.optim_step({"learningRate": 0.1})["step"] == 1
    assert not torch.equal(trainer.flat, weights)
    assert torch.equal(snapshot.weights["embed"], before)
