"""A device other than the processor: nothing of the host meets what lies there; the numbers are the same. It
is the GPU where there is one, and elsewhere what stands in for it."""

import numpy as np
import pytest
import torch

from support.data import packed, random_sequences, requested
from support.folders import FolderMaker
from whetstone_engine.cache import Cache
from whetstone_engine.captured import CapturedSteps
from whetstone_engine.device import moved, placed, use_device
from whetstone_engine.errors import of_exception
from whetstone_engine.worker import Worker

# Where PyTorch knows two devices, it can work with neither.
if torch.cuda.is_available():
    from support.gpu import computing_on_gpu as computing_there
else:
    from support.far import FAR
    from support.far import computing_far as computing_there

SEQUENCES = random_sequences(2, [9, 4, 30, 12, 17, 70])
COUNT = sum(len(one) - 1 for one in SEQUENCES)
ALIKE = [[*SEQUENCES[4], *rest] for rest in random_sequences(3, [3, 4, 5, 3])]
"""Sequences of a common beginning, which is computed once."""
POLICY = {
    "advantages": np.random.default_rng(1).normal(size=COUNT),
    "logprobs": -np.random.default_rng(2).random(COUNT) - 1,
    "mask": (np.arange(COUNT) % 3 > 0).astype(float),
}
LOSSES = ["importance_sampling", "ppo", "cispo", "dro", "gspo"]
PROMPTS = [*SEQUENCES[:3], SEQUENCES[0], [3], [4, 5], *ALIKE[:2]]
PARAMETERS = [
    {"temperature": 0, "topLogprobs": 3},
    {"temperature": 0.7},
    {"topK": 3, "topP": 0.9, "temperature": 1.5},
    {"topP": 0.5, "minP": 0.05},
    {"minP": 0.1, "stopTokens": [4]},
    {"stopStrings": ["cd", "b"]},
]
SHAPES = {
    "grouped, tied": {"num_key_value_heads": 1, "tie_word_embeddings": True},
    "learned": {"position_embedding_type": "learned", "attention_bias": True},
    "qwen3, suppressed": {
        "model_type": "qwen3",
        "head_dim": 6,
        "vocab_size": 13,
        "generation": {"suppress_tokens": [11, 12]},
    },
    "smollm3": {"model_type": "smollm3", "no_rope_layers": [0, 1]},
}
ADAPTERS = {"rank": 3, "modules": ["attention", "mlp", "unembed"]}


class Story:
    """One worker asked for everything; what it answered, in order."""

    def __init__(self) -> None:
        self.worker, self.told = Worker(), []
        self.sequences: dict[str, int] = {}

    def call(self, verb, arrays=None, **members):
        if "model" in members and verb not in ("create_model", "gradient_features"):
            members["sequence"] = self.sequences[members["model"]] = (
                self.sequences.get(members["model"], 0) + 1
            )
        head, out = self.worker.answer([({"id": 1, "verb": verb, **members}, arrays or {})])[0]
        assert head["ok"], head
        self.told.append((verb, {key: head[key] for key in ("lossSum", "gradientNorm") if key in head}, out))
        return head

    def sample(self, sampler, prompts):
        count = len(PARAMETERS)
        arrays = requested(prompts, samples=2, most=[4 + 2 * one for one in range(len(prompts))])
        which = np.arange(len(prompts), dtype=np.int32) % count
        self.call("sample", {**arrays, "parameters": which}, sampler=sampler, parameters=PARAMETERS)

    def learn(self, model, losses, vocabulary):
        data = [[token % vocabulary for token in one] for one in SEQUENCES]
        weights = packed(data, weights=np.random.default_rng(0).normal(size=COUNT) / COUNT)
        named = {"cross_entropy": weights, **{name: packed(data, **POLICY) for name in losses}}
        for name, arrays in named.items():
            self.call("forward", arrays, model=model, loss={"name": name})
            for wanted in ("weighted", "none"):
                self.call("forward_backward", arrays, model=model, loss={"name": name}, logprobs=wanted)
            self.call("optim_step", model=model, learningRate=1e-3, epsilon=1e-2, gradientClipNorm=0.5)
        alike = packed(ALIKE, weights=np.arange(sum(map(len, ALIKE)) - len(ALIKE)))
        self.call("forward_backward", alike, model=model, loss={"name": "cross_entropy"})
        self.call("optim_step", model=model, learningRate=1e-3, optimizer="sgd")

    def live(self, folder, tmp_path, name, *, losses=LOSSES, prompts=PROMPTS, vocabulary=11, **members):
        """Trains, saves, samples, measures, and goes on from what was saved."""
        table = [bytes([97 + token]) for token in range(vocabulary)]
        token_bytes = {
            "token_bytes": np.frombuffer(b"".join(table), np.uint8),
            "token_byte_lengths": np.ones(vocabulary, np.int32),
        }
        source = {"kind": "folder", "path": str(folder), "seed": 1}
        self.call("create_model", token_bytes, model="m", source=source, **members)
        self.learn("m", losses, vocabulary)
        self.call("snapshot", model="m", sampler="s")
        self.sample("s", prompts)
        # What is kept of them begins these.
        self.sample("s", [[*prompt, 3, 5] for prompt in prompts])
        given = requested([*SEQUENCES, *ALIKE])
        self.call("logprobs", given, sampler="s", top=3)
        self.call("certainty", given, sampler="s")
        for pooling in ("mean", "last"):
            self.call("embed", given, sampler="s", pooling=pooling)
        self.call(
            "gradient_features",
            packed(SEQUENCES, weights=np.ones(COUNT)),
            model="m",
            loss={"name": "cross_entropy"},
            dimensions=64,
            seed=3,
        )
        path = str(tmp_path / name)
        self.call("save", model="m", path=path)
        source = {"kind": "checkpoint", "path": path, "optimizer": True}
        precision = {key: members[key] for key in ("precision",) if key in members}
        self.call("create_model", token_bytes, model="n", source=source, **precision)
        self.learn("n", losses[:1], vocabulary)
        self.call("load_sampler", token_bytes, sampler="t", source=source, **precision)
        self.sample("t", prompts[:2])
        if "lora" in members:
            self.call("merge", source=source, path=f"{path}-merged")
            merged = {"kind": "checkpoint", "path": f"{path}-merged", "optimizer": False}
            self.call("load_sampler", sampler="u", source=merged)
            self.call("logprobs", given, sampler="u")
        return self.told


def agree(one, other, tolerance):
    for (verb, facts, arrays), (_, expected, wanted) in zip(one, other, strict=True):
        for key, value in facts.items():
            assert value == pytest.approx(expected[key], rel=tolerance, abs=tolerance), verb
        for key, values in arrays.items():
            assert values.dtype == wanted[key].dtype and values.shape == wanted[key].shape, (verb, key)
            if values.dtype == np.float32:
                size = max(1.0, float(np.abs(np.nan_to_num(wanted[key], neginf=0)).max(initial=0)))
                np.testing.assert_allclose(
                    values, wanted[key], rtol=tolerance, atol=tolerance * size, err_msg=f"{verb} {key}"
                )
            else:
                assert values.tolist() == wanted[key].tolist(), (verb, key)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU refuses by itself")
def test_the_device_of_these_tests_refuses_what_a_gpu_refuses():
    near = torch.ones(3)
    with computing_there():
        there = moved(np.ones(3, np.float32))
        assert there.device == FAR and placed(near).device == FAR and placed(None) is None
        with pytest.raises(RuntimeError, match="same device"):
            there + near
        with pytest.raises(RuntimeError, match="same device"):
            there[torch.tensor([1, 2])]
        with pytest.raises(RuntimeError, match="same device"):
            near.index_select(0, moved(np.array([1])))
        with pytest.raises(RuntimeError):
            there.numpy()
        assert (there * 2).cpu().numpy().tolist() == [2, 2, 2]
        leaf = there.detach().requires_grad_()
        (leaf * 3).sum().backward()
        assert leaf.grad.device == FAR and leaf.grad.cpu().tolist() == [3, 3, 3]
    assert moved(np.ones(3)).is_cpu and placed(near) is near


@pytest.mark.parametrize(("shape", "losses"), zip(SHAPES, [LOSSES, *[LOSSES[:1]] * 3], strict=True))
def test_everything_of_the_fast_path_is_the_same_there(make_folder: FolderMaker, tmp_path, shape, losses):
    folder = make_folder(**SHAPES[shape])
    expected = Story().live(folder, tmp_path, "near", losses=losses)
    with computing_there():
        told = Story().live(folder, tmp_path, "far", losses=losses)
    agree(told, expected, 1e-3)


# A GPU computes in bf16 where the processor computes in fp32, and rounds otherwise.
@pytest.mark.parametrize("precision", ["fp32"] if torch.cuda.is_available() else ["fp32", "bf16"])
def test_adapters_too(make_folder: FolderMaker, tmp_path, precision):
    folder = make_folder(tie_word_embeddings=True)
    members = {"lora": ADAPTERS, "precision": precision, "gradientCheckpointing": True}
    expected = Story().live(folder, tmp_path, "near", **members)
    with computing_there():
        told = Story().live(folder, tmp_path, "far", **members)
    agree(told, expected, 1e-3)


@pytest.mark.parametrize("precision", ["mixed", "bf16"])
def test_passes_in_bf16_too(make_folder: FolderMaker, tmp_path, monkeypatch, precision):
    monkeypatch.setattr("whetstone_engine.weights.native_bf16", lambda: True)
    folder = make_folder(num_key_value_heads=1)
    expected = Story().live(folder, tmp_path, "near", losses=[], prompts=PROMPTS[:4], precision=precision)
    with computing_there():
        told = Story().live(folder, tmp_path, "far", losses=[], prompts=PROMPTS[:4], precision=precision)
    # Sampled tokens differ where arithmetic rounds otherwise; what is trained on is the same.
    trained = [("create_model", "forward", "forward_backward", "optim_step").count(verb) for verb, *_ in told]
    pairs = zip(trained, told, expected, strict=True)
    kept = [(one, other) for counts, one, other in pairs if counts]
    agree(*zip(*kept, strict=True), 0.1)


def test_a_model_of_transformers_too(phi, tmp_path):
    _, folder = phi
    # Prompts of one length: others would wait for these.
    members = {"losses": ["ppo"], "prompts": [*PROMPTS[5:6], [6, 7]], "lora": {"rank": 2}, "vocabulary": 31}
    expected = Story().live(folder, tmp_path, "near", **members)
    with computing_there():
        told = Story().live(folder, tmp_path, "far", **members)
    agree(told, expected, 1e-3)


def greeted(worker: Worker, **members):
    return worker.answer([({"id": 1, "verb": "hello", "protocol": 1, **members}, {})])[0][0]


@pytest.fixture
def gpu(monkeypatch):
    """What PyTorch says where there is one."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 0))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (2**20, 2**33))
    yield
    use_device(torch.device("cpu"))


def test_a_gpu_is_taken_where_there_is_one(worker: Worker, gpu, monkeypatch):
    limits = []
    monkeypatch.setattr("whetstone_engine.worker.limit_memory", limits.append)
    bound = {"memoryBytes": 2**33, "passBytes": 2**20}
    told = greeted(worker, **bound)
    assert (told["device"], told["arithmetic"]["bf16"]) == ("cuda", "bf16")
    # By what the GPU has: not by what is free, nor by what the host has.
    assert worker.pass_bytes == 2**31
    assert limits == [0]
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 5))
    assert greeted(worker, device="cuda", **bound)["arithmetic"]["bf16"] == "fp32"
    assert greeted(worker, device="cpu", **bound)["device"] == "cpu"
    assert worker.pass_bytes == 2**20
    assert limits == [0, 0, 2**33]


def test_what_is_held_stays_where_it_is(worker: Worker, gpu, make_folder: FolderMaker):
    assert greeted(worker, device="cpu")["ok"]
    source = {"kind": "folder", "path": str(make_folder()), "seed": 1}
    created = worker.answer([({"id": 1, "verb": "create_model", "model": "m", "source": source}, {})])
    assert created[0][0]["ok"]
    assert greeted(worker, device="auto")["error"]["code"] == "bad-request"
    assert greeted(worker, device="cpu", threads=1)["device"] == "cpu"
    worker.answer([({"id": 1, "verb": "unload", "model": "m"}, {})])
    assert greeted(worker, device="auto")["device"] == "cuda"


def test_a_gpu_that_is_not_there_is_named(worker: Worker, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert greeted(worker, device="cuda")["error"]["code"] == "device-missing"
    assert greeted(worker, device="tpu")["error"]["code"] == "bad-request"
    assert greeted(worker, device="auto")["device"] == greeted(worker)["device"] == "cpu"


def test_a_gpu_that_is_full_is_the_same_error():
    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 1 GiB free.")
    assert of_exception(error).code == "out-of-memory"
    failed = RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")
    assert of_exception(failed).code == "out-of-memory"


def test_a_recorded_step_needs_no_table_that_another_pass_may_replace(make_folder: FolderMaker, monkeypatch):
    with computing_there(), torch.inference_mode():
        snapshot = make_folder.snapshot()
        decoder, config = snapshot.architecture.decoder, snapshot.architecture.config
        cache = Cache(config, torch.float32)
        cache.resize(3, 32)
        cache.add(np.array([1, 5]))
        steps = CapturedSteps(decoder, snapshot.weights, cache)
        monkeypatch.setattr(decoder, "rotation", None)
        # On a GPU the second one is recorded, and the third is that again.
        for _ in range(3):
            hidden = steps.step(moved(np.array([3, 4])), cache.next_columns(None))
            assert hidden.shape == (2, config.width)
