"""Memory that runs out is an error with a name; what else the worker holds goes on."""

from pathlib import Path

import numpy as np
import pytest

from support.data import packed
from support.folders import FolderMaker
from support.process import WorkerProcess

LOSS = {"name": "cross_entropy"}
MIB = 2**20


@pytest.fixture
def process(tmp_path):
    with WorkerProcess(tmp_path / "log") as process:
        yield process


def data(rows: int, length: int) -> dict[str, np.ndarray]:
    lines = np.random.default_rng(0).integers(0, 4000, (rows, length + 1)).tolist()
    return packed(lines, weights=np.ones(rows * length))


def limit_of(process: WorkerProcess, more: int) -> int:
    """What the process has taken of data by now, and so much more."""
    for line in Path(f"/proc/{process.process.pid}/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024 + more
    raise AssertionError("no VmData")


def test_the_error_says_what_to_lower_and_other_models_stay(process, make_folder: FolderMaker):
    shape = {"hidden_size": 128, "intermediate_size": 512, "vocab_size": 4000, "num_hidden_layers": 8}
    folder = make_folder(max_position_embeddings=8192, **shape)
    source = {"kind": "folder", "path": str(folder), "seed": 1}
    process.call("hello", protocol=1, threads=1)
    for name in ("one", "two"):
        assert process.call("create_model", model=name, source=source)[0]["ok"]
    small = data(4, 16)
    before, expected = process.call("forward", small, model="two", sequence=1, loss=LOSS)
    assert process.call("forward_backward", small, model="one", sequence=1, loss=LOSS)[0]["ok"]
    process.call("hello", protocol=1, threads=1, memoryBytes=limit_of(process, 100 * MIB))
    head, _ = process.call("forward_backward", data(2, 6000), model="one", sequence=2, loss=LOSS)
    assert not head["ok"]
    error = head["error"]
    assert (error["code"], error["category"]) == ("out-of-memory", "environment")
    for word in ("shorter", "gradientCheckpointing", "lora", "bf16"):
        assert word in error["message"]
    # Nor need what is asked have room itself.
    many = {"tokens": np.zeros(2**26, np.int32)}
    assert (
        process.call("forward", many, model="two", sequence=2, loss=LOSS)[0]["error"]["code"]
        == "out-of-memory"
    )
    # Neither model lost anything: the gradient that was there is what the step applies.
    head, out = process.call("forward", small, model="two", sequence=2, loss=LOSS)
    assert (head["lossSum"], out["logprobs"].tolist()) == (before["lossSum"], expected["logprobs"].tolist())
    norm = process.call("optim_step", model="one", sequence=2, learningRate=1e-3)[0]["gradientNorm"]
    assert process.call("forward_backward", small, model="two", sequence=3, loss=LOSS)[0]["ok"]
    same = process.call("optim_step", model="two", sequence=4, learningRate=1e-3)[0]["gradientNorm"]
    assert norm == same
    # A model that does not fit is none, and its name is free.
    large = make_folder(max_position_embeddings=8192, **{**shape, "num_hidden_layers": 120})
    head, _ = process.call(
        "create_model", model="large", source={"kind": "folder", "path": str(large), "seed": 1}
    )
    assert head["error"]["code"] == "out-of-memory"
    process.call("hello", protocol=1, threads=1, memoryBytes=0)
    assert process.call("create_model", model="large", source=source)[0]["ok"]
    assert process.call("forward_backward", data(1, 3000), model="one", sequence=3, loss=LOSS)[0]["ok"]


def test_passes_keep_what_the_machine_was_found_to_have(worker, make_folder: FolderMaker):
    def call(verb, **members):
        head, _ = worker.answer([({"id": 1, "verb": verb, **members}, {})])[0]
        assert head["ok"], head
        return head

    source = {"kind": "folder", "path": str(make_folder(hidden_size=256, intermediate_size=1024)), "seed": 1}
    call("create_model", model="before", source=source)
    call("hello", protocol=1, threads=1, passBytes=30 * MIB)
    call("create_model", model="after", source=source)
    before, after = (worker.models[name].trainer.limit(10) for name in ("before", "after"))
    assert 256 < after < before
