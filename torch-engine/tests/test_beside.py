"""Large passes in parts: the numbers of one process, whoever computes them."""

import contextlib
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from support.data import packed, positions, random_sequences
from support.folders import FolderMaker
from support.process import WorkerProcess, gone
from support.steps import ARRAYS, LOSS, arrays_for, steps
from whetstone_engine import beside
from whetstone_engine.adapters import adapter_of
from whetstone_engine.base import Bases
from whetstone_engine.beside import parts_of
from whetstone_engine.errors import EngineError
from whetstone_engine.helpers import THERE, Helper
from whetstone_engine.trainer import Trainer
from whetstone_engine.weights import read_model

pytestmark = pytest.mark.skipif(not THERE, reason="this system has no helpers")


@pytest.fixture
def all_worth(monkeypatch):
    """Every part is worth a helper."""
    monkeypatch.setattr(beside, "WORTH", 1)


@pytest.fixture
def helpers():
    with contextlib.ExitStack() as stack:
        made = [Helper(), Helper()]
        for helper in made:
            stack.callback(helper.stop)
        yield made


def test_who_computes_which_part_is_a_function_of_sizes(make_folder: FolderMaker, monkeypatch):
    config = make_folder.model().architecture.config
    lengths = np.array([3, 3, 3, 3, 3, 3])
    assert parts_of(lengths, config, 3).tolist() == [0] * 6
    weights = 2 * 16 * (8 * (2 * 2 + 2 * 2) + 3 * 24)
    monkeypatch.setattr(beside, "WORTH", 9 * weights)
    assert parts_of(lengths, config, 1).tolist() == [0] * 6
    assert parts_of(lengths, config, 3).tolist() == [0, 0, 0, 1, 1, 1]
    assert parts_of(lengths[:5], config, 3).tolist() == [0] * 5
    assert parts_of(lengths.repeat(2), config, 3).tolist() == [0] * 4 + [1] * 4 + [2] * 4
    # No part is empty, and none begins with the second.
    assert parts_of(np.array([1000, 1, 1]), config, 3).tolist() == [0, 1, 1]
    assert parts_of(np.array([1000]), config, 3).tolist() == [0]


@pytest.mark.parametrize("wanted", ["all", "weighted"])
@pytest.mark.parametrize(
    "members", [{}, {"precision": "mixed"}, {"position_embedding_type": "learned"}], ids=str
)
def test_parts_are_the_whole(make_folder: FolderMaker, helpers, monkeypatch, members, wanted):
    alone = steps(make_folder.trainer(**members), wanted=wanted)
    monkeypatch.setattr(beside, "WORTH", 1)
    together = Trainer(make_folder.model(**members), helpers=helpers)
    # Rounded weights hide a step that they do not hide from each other.
    tolerance = 1e-2 if "precision" in members else 1e-4
    for one, other in zip(alone, steps(together, wanted=wanted), strict=True):
        assert torch.allclose(one, other, atol=tolerance, rtol=1e-3, equal_nan=True)
    assert all(helper.process is not None for helper in helpers)


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("loss", [LOSS, {"name": "ppo"}, {"name": "gspo"}], ids=str)
def test_bits_are_equal_whoever_computes(make_folder: FolderMaker, helpers, all_worth, loss, recompute):
    arrays = arrays_for(loss)
    model = make_folder.model()
    flat = model.flat.clone()
    asked = []
    for index, helper in enumerate(helpers):
        begin = helper.begin
        helper.begin = lambda *given, at=index, begin=begin, **more: asked.append(at) or begin(*given, **more)
    with_both = steps(Trainer(model, recompute=recompute, helpers=helpers), loss, arrays)
    assert set(asked) == {0, 1}
    for left in (helpers[0], helpers[1]):
        left.stop()
        model.flat.copy_(flat)
        without = steps(Trainer(model, recompute=recompute, helpers=helpers), loss, arrays)
        assert all(
            torch.equal(one.nan_to_num(), other.nan_to_num())
            for one, other in zip(with_both, without, strict=True)
        )


def test_parts_may_be_larger_than_what_waits_in_a_socket(make_folder: FolderMaker, helpers, all_worth):
    sequences = random_sequences(4, [100] * 300)
    arrays = packed(sequences, weights=np.full(positions(sequences), 1e-3))
    alone = make_folder.trainer().run(arrays, LOSS, "all", backward=True)
    for _ in range(2):
        head, out = Trainer(make_folder.model(), helpers=helpers).run(arrays, LOSS, "all", backward=True)
        assert head["lossSum"] == pytest.approx(alone[0]["lossSum"], rel=1e-5)
        assert np.abs(out["logprobs"] - alone[1]["logprobs"]).max() < 1e-4
    assert all(helper.process is not None for helper in helpers)


def test_one_that_ends_in_the_middle_is_done_without(make_folder: FolderMaker, helpers, all_worth):
    trainer = Trainer(make_folder.model(), helpers=helpers)
    expected = trainer.run(ARRAYS, LOSS, "all", backward=True)
    gradient = trainer.grad.clone()
    process = helpers[1].process
    os.kill(process, signal.SIGKILL)
    trainer.clear()
    again = trainer.run(ARRAYS, LOSS, "all", backward=True)
    assert again[0] == expected[0]
    assert np.array_equal(again[1]["logprobs"], expected[1]["logprobs"])
    assert torch.equal(trainer.grad, gradient)
    assert [helper.process is None for helper in helpers] == [False, True]
    assert gone(process)


def test_a_fault_in_any_part_is_told_and_changes_nothing(make_folder: FolderMaker, helpers, all_worth):
    trainer = Trainer(make_folder.model(), helpers=helpers)
    trainer.run(ARRAYS, LOSS, "none", backward=True)
    before = trainer.grad.clone()
    ends = np.cumsum(ARRAYS["lengths"])
    for datum in (0, 9):
        broken = {**ARRAYS, "weights": ARRAYS["weights"].copy()}
        broken["weights"][ends[datum] - 1] = np.inf
        with pytest.raises(EngineError) as caught:
            trainer.run(broken, LOSS, "none", backward=True)
        assert (caught.value.code, caught.value.details["datum"]) == ("non-finite-loss", datum)
        assert torch.equal(trainer.grad, before)
    # Nothing of it is left in anybody's pipe.
    trainer.clear()
    trainer.run(ARRAYS, LOSS, "none", backward=True)
    assert torch.equal(trainer.grad, before)


def test_without_memory_to_share_it_computes_alone(make_folder: FolderMaker, helpers, all_worth, monkeypatch):
    model = make_folder.model()
    flat = model.flat.clone()
    expected = steps(Trainer(model, helpers=helpers))
    model.flat.copy_(flat)

    def refuse(*_):
        raise OSError("no memory")

    monkeypatch.setattr(beside, "Shared", refuse)
    for one, other in zip(expected, steps(Trainer(model, helpers=helpers)), strict=True):
        assert torch.equal(one.nan_to_num(), other.nan_to_num())


def test_who_is_gone_is_forgotten(make_folder: FolderMaker, helpers, all_worth):
    processes = [os.getpid(), *(helper.process for helper in helpers)]

    def shared() -> list[int]:
        return [Path(f"/proc/{one}/maps").read_text().count("memfd:whetstone") for one in processes]

    before = shared()
    kept = Trainer(make_folder.model(), helpers=helpers)
    passing = Trainer(make_folder.model(), helpers=helpers)
    for trainer in (kept, passing):
        trainer.run(ARRAYS, LOSS, "none", backward=True)
    assert shared() == [count + 2 for count in before]
    del passing, trainer
    kept.run(ARRAYS, LOSS, "none", backward=True)
    assert shared() == [count + 1 for count in before]


def test_other_kinds_of_weights_are_computed_in_one(make_folder: FolderMaker, phi, helpers):
    adapters = adapter_of(
        {"kind": "folder", "path": str(make_folder()), "seed": 1}, {"rank": 2}, "fp32", Bases()
    )
    plain = read_model({"kind": "folder", "path": str(phi[1])}, "fp32")
    for model in (make_folder.model(precision="bf16"), adapters, plain):
        assert Trainer(model, helpers=helpers).beside is None
    assert make_folder.trainer().beside is None
    assert Trainer(make_folder.model(), helpers=helpers).beside is not None


def children_of(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_a_worker_has_as_many_as_it_is_told_to(tmp_path, make_folder: FolderMaker):
    source = {"kind": "folder", "path": str(make_folder(hidden_size=256, intermediate_size=1024)), "seed": 1}
    arrays = packed(random_sequences(1, [60] * 40), weights=np.ones(59 * 40))
    with WorkerProcess(tmp_path / "log") as worker:
        pid, alone = worker.process.pid, {}
        for count in (0, 2):
            assert worker.call("hello", protocol=1, threads=1, helpers=count)[0]["ok"]
            assert len(children_of(pid)) == count
            worker.call("create_model", model=f"by {count}", source=source)
            head, out = worker.call(
                "forward_backward", arrays, model=f"by {count}", sequence=1, loss=LOSS, logprobs="all"
            )
            alone[count] = head["lossSum"], out["logprobs"]
        # Where others need the processors it cuts nothing, which the last digits of the sum tell.
        one, uncut, cut = (
            worker.call("forward", arrays, model=model, sequence=sequence, loss=LOSS, **members)[0]["lossSum"]
            for model, sequence, members in (("by 0", 2, {}), ("by 2", 2, {"helped": False}), ("by 2", 3, {}))
        )
        assert one == uncut != cut
        assert alone[0][0] == pytest.approx(alone[2][0], rel=1e-5)
        assert np.abs(alone[0][1] - alone[2][1]).max() < 1e-4
        helped = children_of(pid)
        # Threads of a process do not go on in its copies.
        worker.call("hello", protocol=1, threads=2, helpers=2)
        assert children_of(pid) == []
        assert all(gone(one) for one in helped)
        worker.call("hello", protocol=1, threads=1, helpers=1)
        [last] = children_of(pid)
        worker.process.kill()
        worker.ended()
        assert gone(last)


def test_a_helper_keeps_no_worker_s_socket_open(tmp_path):
    with WorkerProcess(tmp_path / "log") as worker:
        worker.call("hello", protocol=1, threads=1, helpers=1)
        [helper] = children_of(worker.process.pid)
        worker.stream.close()
        assert worker.ended() == 0
        assert gone(helper)


def test_a_helper_ends_with_its_worker_and_is_never_a_second_one():
    helper = Helper()
    process, helper.process = helper.process, None
    helper.stream.close()
    os.eventfd_write(helper.bell, 1)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    os.close(helper.bell)
