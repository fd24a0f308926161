"""Large passes in halves by a thread each: the numbers of one pass, and the same bits each time."""

import threading
import time

import numpy as np
import pytest
import torch

from support.folders import FolderMaker
from support.steps import ARRAYS, LOSS, SEQUENCES, WEIGHTS, arrays_for, steps
from whetstone_engine import abreast, passes, threads
from whetstone_engine.abreast import halves_of
from whetstone_engine.adapters import adapter_of
from whetstone_engine.base import Bases
from whetstone_engine.errors import EngineError
from whetstone_engine.trainer import Trainer
from whetstone_engine.weights import read_model


@pytest.fixture
def all_worth(monkeypatch):
    """Every pass is worth two threads, of which there are two."""
    monkeypatch.setattr(abreast, "WORTH", 1)
    monkeypatch.setattr(threads, "WORTH", 1)
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.fixture
def halves(monkeypatch):
    """Of passes that are made: on which thread, and of how many rows."""
    seen, over = [], passes.Passes.over

    def told(self, rows, *given, **named):
        seen.append((threading.get_ident(), len(rows.lengths)))
        return over(self, rows, *given, **named)

    monkeypatch.setattr(passes.Passes, "over", told)
    return seen


def test_halves_are_even(make_folder: FolderMaker, monkeypatch):
    config = make_folder.model().architecture.config
    monkeypatch.setattr(abreast, "WORTH", 1)
    # Neighbours stay together where that is about as good.
    assert halves_of(np.array([9, 9, 9, 9]), config).tolist() == [0, 0, 1, 1]
    assert halves_of(np.array([9, 9, 9, 9, 9]), config).tolist() in ([0, 0, 0, 1, 1], [0, 0, 1, 1, 1])
    assert halves_of(np.array([1000, 1, 1]), config).tolist() == [0, 1, 1]
    assert halves_of(np.array([1, 1, 1000]), config).tolist() == [0, 0, 1]
    assert halves_of(np.array([7]), config).tolist() == [0]
    random = np.random.default_rng(0)
    for count in (2, 3, 8, 30):
        lengths = random.integers(20, 401, count)
        second = halves_of(lengths, config).astype(bool)
        assert second.any() and not second.all()
        if count >= 8:
            attention = abreast.SLOWER * config.heads * config.head_width * lengths
            costs = lengths * (config.layer_weights + attention)
            assert abs(costs[second].sum() / costs.sum() - 0.5) < 0.03
    weights = config.layers * config.layer_weights
    monkeypatch.setattr(abreast, "WORTH", 4 * 9 * weights)
    assert halves_of(np.array([9, 9, 9, 9]), config).any()
    assert not halves_of(np.array([9, 9, 9, 8]), config).any()


@pytest.mark.parametrize("wanted", ["all", "weighted"])
@pytest.mark.parametrize("members", [{}, {"position_embedding_type": "learned"}], ids=str)
def test_halves_are_the_whole(make_folder: FolderMaker, all_worth, halves, members, wanted):
    def trained():
        return Trainer(make_folder.model(**members))

    two = steps(trained(), wanted=wanted)
    assert len({thread for thread, _ in halves}) == 2 and threading.get_ident() not in dict(halves)
    assert all(0 < rows < len(SEQUENCES) for _, rows in halves)
    assert torch.get_num_threads() == 2
    halves.clear()
    torch.set_num_threads(1)
    one = steps(trained(), wanted=wanted)
    assert set(halves) == {(threading.get_ident(), len(SEQUENCES))}
    for found, expected in zip(two, one, strict=True):
        assert torch.allclose(found, expected, atol=1e-4, rtol=1e-3, equal_nan=True)


def equal(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return all(torch.equal(a.nan_to_num(), b.nan_to_num()) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("loss", [LOSS, {"name": "ppo"}, {"name": "gspo"}], ids=str)
def test_bits_are_equal_whoever_comes_first(
    make_folder: FolderMaker, all_worth, monkeypatch, loss, recompute
):
    arrays = arrays_for(loss)
    # Several passes a half, of which one has more than the other.
    monkeypatch.setattr(passes.Passes, "limit", lambda *_: 24)
    model = make_folder.model()
    flat = model.flat.clone()
    found, into = [], passes.Passes._pass
    for late in (None, 0, 1):
        model.flat.copy_(flat)
        trainer = Trainer(model, recompute=recompute)

        def slow(self, *given, late=late, trainer=trainer):
            if late is not None and self is trainer.beside.halves[late]:
                time.sleep(0.02)
            return into(self, *given)

        monkeypatch.setattr(passes.Passes, "_pass", slow)
        found.append(steps(trainer, loss, arrays))
    assert equal(found[0], found[1]) and equal(found[0], found[2])


def test_a_half_may_have_nothing_to_learn(make_folder: FolderMaker, all_worth):
    trainer = Trainer(make_folder.model())
    config = trainer.architecture.config
    half = halves_of(ARRAYS["lengths"], config).repeat(ARRAYS["lengths"])
    for which in (0, 1):
        arrays = {**ARRAYS, "weights": np.where(half == which, ARRAYS["weights"], 0).astype(np.float32)}
        trainer.clear()
        torch.set_num_threads(2)
        trainer.run(arrays, LOSS, "none", backward=True)
        gradient = trainer.grad.clone()
        trainer.clear()
        torch.set_num_threads(1)
        trainer.run(arrays, LOSS, "none", backward=True)
        assert torch.allclose(gradient, trainer.grad, atol=1e-5)
        assert gradient.abs().max() > 1e-3


def test_a_fault_in_any_half_is_told_and_changes_nothing(make_folder: FolderMaker, all_worth, monkeypatch):
    trainer = Trainer(make_folder.model())
    trainer.run(ARRAYS, LOSS, "none", backward=True)
    before = trainer.grad.clone()
    ends = np.cumsum(ARRAYS["lengths"])
    half = halves_of(ARRAYS["lengths"], trainer.architecture.config)
    for datum in (int(np.argmin(half)), int(np.argmax(half))):
        broken = {**ARRAYS, "weights": ARRAYS["weights"].copy()}
        broken["weights"][ends[datum] - 1] = np.inf
        with pytest.raises(EngineError) as caught:
            trainer.run(broken, LOSS, "none", backward=True)
        assert (caught.value.code, caught.value.details["datum"]) == ("non-finite-loss", datum)
        assert torch.equal(trainer.grad, before)
    # A loss that is finite, and a gradient that is not.
    huge = {**ARRAYS, "weights": np.where(WEIGHTS != 0, 3e38, 0).astype(np.float32) / len(WEIGHTS)}
    with pytest.raises(EngineError) as caught:
        trainer.run(huge, LOSS, "none", backward=True)
    assert caught.value.code in ("non-finite-loss", "non-finite-gradient")
    assert torch.equal(trainer.grad, before)
    # A thread that the system does not give, once one is at work.
    submit, given = abreast._threads().submit, []

    def refuse(*work):
        given.append(work)
        if len(given) == 2:
            raise RuntimeError("can't start new thread")
        return submit(*work)

    monkeypatch.setattr(abreast._threads(), "submit", refuse)
    with pytest.raises(RuntimeError, match="thread"):
        trainer.run(ARRAYS, LOSS, "none", backward=True)
    assert torch.equal(trainer.grad, before)
    monkeypatch.undo()
    monkeypatch.setattr(abreast, "WORTH", 1)
    trainer.clear()
    trainer.run(ARRAYS, LOSS, "none", backward=True)
    assert torch.equal(trainer.grad, before)
    assert torch.get_num_threads() == 2


def test_what_it_keeps_in_memory_is_shared(make_folder: FolderMaker, all_worth):
    trainer = Trainer(make_folder.model(), pass_bytes=2**22)
    assert isinstance(trainer.beside, abreast.Abreast)
    for half in trainer.beside.halves:
        assert half.buffer.data_ptr() == trainer.buffer.data_ptr()
        assert (2 * half.pass_bytes, half.limit(40)) == (trainer.pass_bytes, trainer.limit(40) // 2)
        for key, leaf in half.leaves.items():
            assert leaf.gradient.data_ptr() == trainer.leaves[key].gradient.data_ptr()
            assert leaf.data_ptr() == trainer.leaves[key].data_ptr()


def test_other_kinds_of_weights_are_computed_in_one(make_folder: FolderMaker, phi, all_worth, monkeypatch):
    adapters = adapter_of(
        {"kind": "folder", "path": str(make_folder()), "seed": 1}, {"rank": 2}, "fp32", Bases()
    )
    plain = read_model({"kind": "folder", "path": str(phi[1])}, "fp32")
    for model in (make_folder.model(precision="bf16"), adapters, plain):
        assert Trainer(model).beside is None
    assert make_folder.trainer().beside is not None
    monkeypatch.setattr(threads, "WORTH", 2**18)
    assert make_folder.trainer().beside is None


@pytest.mark.parametrize("count", [1, 3])
def test_threads_that_are_not_two_share_products(make_folder: FolderMaker, all_worth, halves, count):
    torch.set_num_threads(count)
    make_folder.trainer().run(ARRAYS, LOSS, "none", backward=True)
    assert halves == [(threading.get_ident(), len(SEQUENCES))]
