"""The worker as a process: it answers frames, and ends when nobody is left to answer."""

import contextlib
import os
import resource
import select
import signal
import socket
import struct
import subprocess
import sys

import numpy as np
import pytest

from support.data import packed, requested
from support.folders import FolderMaker
from support.process import PACKAGE, WorkerProcess, gone, on_descriptor_3

LOSS = {"name": "cross_entropy"}


@pytest.fixture(scope="module", autouse=True)
def started(tmp_path_factory):
    """Started together, since starting takes long; each test that ends its process takes one."""
    folder = tmp_path_factory.mktemp("started")
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(WorkerProcess(folder / f"log-{index}")) for index in range(5)]


@pytest.fixture(scope="module")
def running(started):
    return started.pop()


@pytest.fixture
def mortal(started):
    return started.pop()


@pytest.fixture
def source(make_folder: FolderMaker):
    return {"kind": "folder", "path": str(make_folder()), "seed": 1}


def test_it_answers_in_order_and_counts_its_time(running, source):
    head, _ = running.call("hello", protocol=1, threads=1)
    assert head["ok"]
    assert head["device"] == "cpu"
    assert head["versions"]["torch"].startswith("2.")
    incarnation = head["incarnation"]
    arrays = packed([[1, 2, 3]], weights=[1, 1])
    frames = [
        running.frame("create_model", model="a", source=source),
        running.frame("forward_backward", arrays, model="a", sequence=1, loss=LOSS),
        running.frame("optim_step", model="a", sequence=2, learningRate=0.1),
        running.frame("snapshot", model="a", sequence=3, sampler="s"),
        running.frame("sample", requested([[1]], samples=2), sampler="s"),
    ]
    running.stream.sendall(b"".join(frames))
    busy = head["busySeconds"]
    replies = [running.receive() for _ in frames]
    assert [reply["id"] for reply, _ in replies] == [2, 3, 4, 5, 6]
    for reply, _ in replies:
        assert reply["ok"], reply
        assert reply["incarnation"] == incarnation
        assert reply["busySeconds"] > busy
        busy = reply["busySeconds"]
    stats, _ = running.call("stats")
    assert stats["tokensSampled"] == 16
    assert stats["tokensTrained"] == 2
    assert stats["optimizerSteps"] == 1
    assert 10_000_000 < stats["residentBytes"] < 2**40


def test_requests_that_wait_join_and_one_fault_is_one_s_own(running, source):
    running.call("load_sampler", sampler="merged", source=source)
    alone = [running.call("sample", requested([[index]]), sampler="merged")[1] for index in range(3)]
    order = [requested([[0]]), requested([[1]]), requested([[99]]), requested([[2]])]
    # The slow first one is still written when the others, which came later, are answered.
    frames = [running.frame("sample", requested([[1]], samples=300, most=120), sampler="merged")]
    slow = running.sent
    frames += [running.frame("sample", arrays, sampler="merged") for arrays in order]
    running.stream.sendall(b"".join(frames))
    replies = [running.receive() for _ in range(5)]
    by_id = {head["id"] - slow: (head, out) for head, out in replies}
    assert replies[-1][0]["id"] == slow
    assert [by_id[index][0]["ok"] for index in range(5)] == [True, True, True, False, True]
    assert by_id[3][0]["error"]["code"] == "token-out-of-range"
    for index, expected in zip((1, 2, 4), alone, strict=True):
        assert by_id[index][1]["tokens"].tolist() == expected["tokens"].tolist()


def test_other_verbs_run_between_two_tokens(running, source):
    running.call("create_model", model="between", source=source)
    running.call("snapshot", model="between", sequence=1, sampler="kept")
    crowd = requested([[1]], samples=300, most=120)
    _, alone = running.call("sample", crowd, sampler="kept")
    arrays = packed([[1, 2, 3]], weights=[1, 1])
    frames = [
        running.frame("sample", crowd, sampler="kept"),
        running.frame("unload", sampler="kept"),
        running.frame("sample", crowd, sampler="kept"),
        running.frame("forward_backward", arrays, model="between", sequence=2, loss=LOSS),
        running.frame("optim_step", model="between", sequence=3, learningRate=0.1),
    ]
    first = running.sent - 4
    running.stream.sendall(b"".join(frames))
    replies = [running.receive() for _ in frames]
    # What is sampled is sampled to its end, with the weights as they were, though its name is gone by then.
    assert [head["id"] - first for head, _ in replies] == [1, 2, 3, 4, 0]
    assert [head["ok"] for head, _ in replies] == [True, False, True, True, True]
    assert replies[1][0]["error"]["code"] == "unknown-sampler"
    assert np.array_equal(replies[-1][1]["tokens"], alone["tokens"])
    assert np.array_equal(replies[-1][1]["logprobs"], alone["logprobs"])


def test_what_is_sampled_is_answered_before_the_end(mortal, source):
    mortal.call("load_sampler", sampler="s", source=source)
    frames = [mortal.frame("sample", requested([[1]], most=100), sampler="s"), mortal.frame("shutdown")]
    mortal.stream.sendall(b"".join(frames))
    assert [mortal.receive()[0]["id"] for _ in frames] == [2, 3]
    assert mortal.ended() == 0


def test_an_interrupt_from_the_terminal_is_its_parent_s_affair(running):
    running.process.send_signal(signal.SIGINT)
    assert running.call("stats")[0]["ok"]


def test_a_ping_is_answered_between_two_tokens_and_does_nothing(running, source):
    running.call("load_sampler", sampler="pinged", source=source)
    frames = [
        running.frame("sample", requested([[1]], samples=300, most=120), sampler="pinged"),
        running.frame("ping"),
    ]
    running.stream.sendall(b"".join(frames))
    (pong, arrays), (sampled, _) = (running.receive() for _ in frames)
    assert [pong["id"], sampled["id"]] == [running.sent, running.sent - 1]
    assert set(pong) == {"id", "incarnation", "busySeconds", "ok"}
    assert (pong["ok"], arrays) == (True, {})


def test_it_ends_with_shutdown(mortal):
    head, _ = mortal.call("shutdown")
    assert head["ok"]
    assert mortal.ended() == 0
    assert mortal.log.read_text() == ""


def test_a_broken_frame_ends_it_and_is_logged(mortal):
    mortal.stream.sendall(struct.pack("<II", 3, 0) + b"{]}")
    assert mortal.ended() == 1
    assert mortal.log.read_text().startswith("broken frame")


def test_it_ends_with_its_socket(mortal):
    mortal.stream.sendall(mortal.frame("stats")[:5])
    mortal.stream.close()
    assert mortal.ended() == 0
    assert mortal.log.read_text() == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux kills it with its parent")
def test_it_dies_with_its_parent_even_when_its_socket_lives_on():
    """The test holds the other end of the socket; what is killed is the process between."""
    ours, theirs = socket.socketpair()
    script = (
        "import subprocess, sys; "
        "child = subprocess.Popen([sys.executable, '-m', 'whetstone_engine'], pass_fds=(3,)); "
        "print(child.pid, flush=True); child.wait()"
    )
    between = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=PACKAGE,
        stdout=subprocess.PIPE,
        pass_fds=(3,),
        preexec_fn=on_descriptor_3(theirs),
    )
    theirs.close()
    worker = int(between.stdout.readline())
    # It answers, so it has told the kernel what to do.
    ours.sendall(struct.pack("<II", 16, 0) + b'{"verb":"stats"}')
    assert select.select([ours], [], [], 60)[0]
    os.kill(between.pid, signal.SIGKILL)
    between.wait()
    between.stdout.close()
    assert gone(worker)
    ours.close()


def test_a_full_disk_is_named_and_leaves_nothing_half_written(tmp_path, source):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    with WorkerProcess(tmp_path / "log", limit) as process:
        process.call("create_model", model="m", source=source)
        # Moments that no step has moved would not be saved.
        process.call("forward_backward", packed([[1, 2]], weights=[1]), model="m", sequence=1, loss=LOSS)
        process.call("optim_step", model="m", sequence=2, learningRate=0.1)
        for sequence_refused in range(2):
            head, _ = process.call("save", model="m", sequence=3, path=str(tmp_path / "new" / "saved"))
            assert head["error"]["code"] == "no-space", sequence_refused
            assert head["error"]["category"] == "environment"
            assert os.listdir(tmp_path / "new") == []
        # The worker goes on, and what fits can be saved.
        path = str(tmp_path / "new" / "small")
        head, _ = process.call("save", model="m", sequence=3, path=path, optimizer=False)
        assert head["ok"], head
        assert process.call("forward", packed([[1, 2]], weights=[1]), model="m", sequence=4, loss=LOSS)[0][
            "ok"
        ]
