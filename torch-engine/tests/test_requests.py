"""Whatever a request lacks is named as the caller's fault, and the worker goes on as if it had never come."""

import numpy as np
import pytest
import torch

from support.data import packed, random_sequences, requested
from support.folders import FolderMaker
from whetstone_engine import request as request_module
from whetstone_engine import worker as worker_module
from whetstone_engine.worker import Worker

ARRAYS = packed(random_sequences(2, [9, 14]), weights=np.ones(21))
POLICY = packed(random_sequences(2, [9, 14]), advantages=np.ones(21), logprobs=-np.ones(21))
LOSS = {"name": "cross_entropy"}
TRAIN = {"model": "m", "sequence": 1, "loss": LOSS}
SAMPLE = requested([[1, 2], [3]])


@pytest.fixture
def call(worker: Worker, make_folder: FolderMaker):
    def call(verb, arrays=None, **members):
        return worker.answer([({"id": 1, "verb": verb, **members}, arrays or {})])[0]

    source = {"kind": "folder", "path": str(make_folder()), "seed": 1}
    assert call("create_model", model="m", source=source)[0]["ok"]
    assert call("load_sampler", sampler="s", source=source)[0]["ok"]
    return call


def without(arrays, name):
    return {key: value for key, value in arrays.items() if key != name}


FOLDER = {"kind": "folder", "path": "/nowhere", "seed": 1}
BAD = {
    "no verb": ("", {}, {}),
    "unknown verb": ("learn", {}, {}),
    "a verb that is no text": (["stats"], {}, {}),
    "hello: protocol": ("hello", {"protocol": 2}, {}),
    "hello: threads": ("hello", {"protocol": 1, "threads": "all"}, {}),
    "create: no name": ("create_model", {"source": FOLDER}, {}),
    "create: name taken": ("create_model", {"model": "m", "source": FOLDER}, {}),
    "create: no source": ("create_model", {"model": "n"}, {}),
    "create: no path": ("create_model", {"model": "n", "source": {"kind": "folder"}}, {}),
    "create: kind": ("create_model", {"model": "n", "source": {**FOLDER, "kind": "hub"}}, {}),
    "create: precision": ("create_model", {"model": "n", "source": FOLDER, "precision": "int4"}, {}),
    "create: precision's kind": ("create_model", {"model": "n", "source": FOLDER, "precision": ["bf16"]}, {}),
    "create: bytes": (
        "create_model",
        {"model": "n", "source": FOLDER},
        {"token_bytes": np.zeros(3, np.uint8), "token_byte_lengths": np.array([1, 1], np.int32)},
    ),
    "load: name taken": ("load_sampler", {"sampler": "s", "source": FOLDER}, {}),
    "forward: no model": ("forward", {}, ARRAYS),
    "forward: no sequence": ("forward", {"model": "m", "loss": LOSS}, ARRAYS),
    "forward: sequence": ("forward", {**TRAIN, "sequence": "1"}, ARRAYS),
    "forward: no loss": ("forward", {"model": "m", "sequence": 1}, ARRAYS),
    "forward: unknown loss": ("forward", {**TRAIN, "loss": {"name": "dpo"}}, ARRAYS),
    "forward: loss's kind": ("forward", {**TRAIN, "loss": {"name": ["ppo"]}}, ARRAYS),
    "forward: wanted": ("forward", {**TRAIN, "logprobs": "some"}, ARRAYS),
    "forward: no arrays": ("forward", TRAIN, {}),
    "forward: no tokens": ("forward", TRAIN, without(ARRAYS, "tokens")),
    "forward: no weights": ("forward", TRAIN, without(ARRAYS, "weights")),
    "forward: dtype": ("forward", TRAIN, {**ARRAYS, "tokens": ARRAYS["tokens"].astype(np.float32)}),
    "forward: weights short": ("forward", TRAIN, {**ARRAYS, "weights": ARRAYS["weights"][:-1]}),
    "forward: lengths": ("forward", TRAIN, {**ARRAYS, "lengths": np.array([8, 12], np.int32)}),
    "forward: no rows": ("forward", TRAIN, {name: array[:0] for name, array in ARRAYS.items()}),
    "forward: empty row": ("forward", TRAIN, {**ARRAYS, "lengths": np.array([21, 0], np.int32)}),
    "forward: negative row": ("forward", TRAIN, {**ARRAYS, "lengths": np.array([22, -1], np.int32)}),
    "ppo: no advantages": ("forward", {**TRAIN, "loss": {"name": "ppo"}}, without(POLICY, "advantages")),
    "ppo: clip": ("forward", {**TRAIN, "loss": {"name": "ppo", "clipLow": 2}}, POLICY),
    "ppo: clip is no number": ("forward", {**TRAIN, "loss": {"name": "ppo", "clipHigh": "2"}}, POLICY),
    "step: no rate": ("optim_step", {"model": "m", "sequence": 1}, {}),
    "save: no path": ("save", {"model": "m", "sequence": 1}, {}),
    "snapshot: no name": ("snapshot", {"model": "m", "sequence": 1}, {}),
    "sample: no name": ("sample", {}, SAMPLE),
    "sample: no seeds": ("sample", {"sampler": "s"}, without(SAMPLE, "seeds")),
    "sample: seeds short": ("sample", {"sampler": "s"}, {**SAMPLE, "seeds": SAMPLE["seeds"][:1]}),
    "sample: no samples": ("sample", {"sampler": "s"}, {**SAMPLE, "samples": np.zeros(2, np.int32)}),
    "sample: no room": ("sample", {"sampler": "s"}, {**SAMPLE, "maxTokens": np.zeros(2, np.int32)}),
    "sample: empty prompt": ("sample", {"sampler": "s"}, {**SAMPLE, "lengths": np.array([3, 0], np.int32)}),
    "sample: stop strings": ("sample", {"sampler": "s", "stopStrings": ["a"]}, SAMPLE),
    "sample: parameters' kind": ("sample", {"sampler": "s", "parameters": {}}, SAMPLE),
    "sample: no parameters": ("sample", {"sampler": "s", "parameters": []}, SAMPLE),
    "sample: which parameters": ("sample", {"sampler": "s", "parameters": [{}, {}]}, SAMPLE),
    "sample: unknown parameters": (
        "sample",
        {"sampler": "s", "parameters": [{}, {}]},
        {**SAMPLE, "parameters": np.array([0, 2], np.int32)},
    ),
    "sample: wrong parameters": ("sample", {"sampler": "s", "parameters": [{"topK": -1}]}, SAMPLE),
    "sample: top beyond the vocabulary": ("sample", {"sampler": "s", "topLogprobs": 12}, SAMPLE),
    "sample: negative top": ("sample", {"sampler": "s", "topLogprobs": -1}, SAMPLE),
    "logprobs: no tokens": ("logprobs", {"sampler": "s"}, without(SAMPLE, "tokens")),
    "logprobs: top beyond the vocabulary": ("logprobs", {"sampler": "s", "top": 12}, SAMPLE),
    "logprobs: negative top": ("logprobs", {"sampler": "s", "top": -1}, SAMPLE),
    "certainty: no tokens": ("certainty", {"sampler": "s"}, without(SAMPLE, "tokens")),
    "certainty: empty": ("certainty", {"sampler": "s"}, {**SAMPLE, "lengths": np.array([3, 0], np.int32)}),
    "embed: no pooling": ("embed", {"sampler": "s"}, SAMPLE),
    "embed: pooling": ("embed", {"sampler": "s", "pooling": "max"}, SAMPLE),
    "features: no seed": ("gradient_features", {"model": "m", "loss": LOSS, "dimensions": 4}, ARRAYS),
    "features: no loss": ("gradient_features", {"model": "m", "dimensions": 4, "seed": 1}, ARRAYS),
    "features: dimensions": (
        "gradient_features",
        {"model": "m", "loss": LOSS, "dimensions": 0, "seed": 1},
        ARRAYS,
    ),
    "features: negative seed": (
        "gradient_features",
        {"model": "m", "loss": LOSS, "dimensions": 4, "seed": -1},
        ARRAYS,
    ),
    "unload: nothing": ("unload", {}, {}),
}


@pytest.mark.parametrize("request_", BAD.values(), ids=BAD)
def test_a_bad_request_is_named_and_leaves_no_trace(call, worker, request_, capsys):
    verb, members, arrays = request_
    trainer = worker.models["m"].trainer
    weights, models, samplers = trainer.flat.clone(), dict(worker.models), dict(worker.samplers)
    head, out = call(verb, arrays, **members)
    assert head["ok"] is False
    assert (head["error"]["code"], head["error"]["category"]) == ("bad-request", "engine"), head
    assert out == {}
    assert capsys.readouterr().err == ""
    assert (worker.models, worker.samplers) == (models, samplers)
    assert torch.equal(trainer.flat, weights)
    assert float(trainer.grad.abs().sum()) == 0
    assert call("forward_backward", ARRAYS, **TRAIN)[0]["ok"]
    assert call("sample", SAMPLE, sampler="s")[0]["ok"]


def test_what_is_not_there_has_its_own_names(call):
    assert call("forward", ARRAYS, **{**TRAIN, "model": "x"})[0]["error"]["code"] == "unknown-model"
    assert call("sample", SAMPLE, sampler="x")[0]["error"]["code"] == "unknown-sampler"
    assert call("unload", model="x")[0]["error"]["code"] == "unknown-model"
    assert call("unload", sampler="x")[0]["error"]["code"] == "unknown-sampler"
    outside = {**ARRAYS, "targets": ARRAYS["targets"] - 20}
    assert call("forward", outside, **TRAIN)[0]["error"]["code"] == "token-out-of-range"
    long = packed([[1] * 130], weights=np.ones(129))
    assert call("forward", long, **TRAIN)[0]["error"]["code"] == "too-long"


def test_what_is_unloaded_is_gone_and_its_name_free(call, worker, make_folder: FolderMaker):
    call("snapshot", model="m", sequence=1, sampler="t")
    assert len(worker.models["m"].trainer.sharing) == 1
    assert call("unload", sampler="t")[0]["ok"]
    assert worker.models["m"].trainer.sharing == []
    assert call("snapshot", model="m", sequence=2, sampler="t")[0]["ok"]
    assert call("unload", model="m")[0]["ok"]
    # A snapshot outlives its model.
    assert call("sample", SAMPLE, sampler="t")[0]["ok"]
    source = {"kind": "folder", "path": str(make_folder()), "seed": 2}
    assert call("create_model", model="m", source=source)[0]["ok"]


def test_a_fault_of_the_worker_is_logged_and_named_internal(call, monkeypatch, capsys):
    def broken(*_):
        raise RuntimeError("this should not happen")

    monkeypatch.setitem(worker_module.VERBS, "logprobs", broken)
    head, _ = call("logprobs", SAMPLE, sampler="s")
    assert (head["error"]["code"], head["error"]["category"]) == ("internal", "internal")
    assert "this should not happen" in head["error"]["message"]
    assert "Traceback" in capsys.readouterr().err


def test_memory_that_runs_out_is_named(call, monkeypatch):
    def greedy(*_):
        torch.empty(2**60)

    monkeypatch.setitem(worker_module.VERBS, "logprobs", greedy)
    head, _ = call("logprobs", SAMPLE, sampler="s")
    assert (head["error"]["code"], head["error"]["category"]) == ("out-of-memory", "environment")


def test_token_bytes_belong_to_snapshots_too(worker, make_folder: FolderMaker):
    def call(verb, arrays=None, **members):
        return worker.answer([({"id": 1, "verb": verb, **members}, arrays or {})])[0]

    table = b"".join(bytes([97 + index]) * (index % 3) for index in range(11))
    arrays = {
        "token_bytes": np.frombuffer(table, np.uint8),
        "token_byte_lengths": np.array([index % 3 for index in range(11)], np.int32),
    }
    source = {"kind": "folder", "path": str(make_folder()), "seed": 1}
    call("create_model", arrays, model="m", source=source)
    call("snapshot", model="m", sequence=1, sampler="s")
    assert worker.samplers["s"].token_bytes == [bytes([97 + index]) * (index % 3) for index in range(11)]
    head, out = call("sample", requested([[1]], samples=50, most=30), sampler="s", stopStrings=["ff"])
    assert head["ok"], head
    assert set(out["reasons"].tolist()) == {0, 1}
    ends = np.cumsum(out["lengths"]) - 1
    for end, reason in zip(ends, out["reasons"], strict=True):
        if reason == 0:
            assert out["tokens"][end] == 5


def test_an_answer_beyond_a_frame_is_refused_and_the_worker_goes_on(call, monkeypatch):
    monkeypatch.setattr(request_module, "LIMIT", 400)
    for verb, asked in (
        ("sample", {**requested([[1, 2]], samples=9, most=9)}),
        ("logprobs", requested([[1] * 100])),
    ):
        head, out = call(verb, asked, sampler="s")
        assert (head["error"]["code"], out) == ("bad-request", {}), verb
        assert "at a time" in head["error"]["message"]
    assert call("sample", SAMPLE, sampler="s")[0]["ok"]
