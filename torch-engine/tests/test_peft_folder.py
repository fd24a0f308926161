"""Adapters on disk: what the library `peft` reads and writes, and what goes on as if it had never stopped."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaForCausalLM

from support.data import packed, random_sequences
from support.folders import FolderMaker
from whetstone_engine.adapters import adapter_of, read_adapters
from whetstone_engine.base import Bases
from whetstone_engine.errors import EngineError
from whetstone_engine.merge import merge
from whetstone_engine.trainer import Trainer
from whetstone_engine.weights import read_model

LOSS = {"name": "cross_entropy"}
LINE = [1, 2, 3, 4, 5, 6, 7]
SHAPES = [
    {},
    {"num_key_value_heads": 1, "tie_word_embeddings": True},
    {"model_type": "qwen2"},
    {"model_type": "qwen3", "head_dim": 12},
]


@pytest.fixture
def base(make_folder: FolderMaker, tmp_path):
    """A folder with weights, as one has it from the hub."""

    def make(**members) -> Path:
        path = tmp_path / f"base-{make_folder.count}"
        make_folder.trainer(**members).save(str(path), optimizer=False)
        (path / "whetstone.json").unlink()
        return path

    return make


def new(base: Path, precision="fp32", **lora) -> Trainer:
    model = adapter_of(
        {"kind": "folder", "path": str(base)}, {"rank": 4, "alpha": 10, **lora}, precision, Bases()
    )
    return Trainer(model)


def read(path: Path, *, optimizer=True, precision="fp32", **source) -> Trainer:
    given = {"kind": "checkpoint", "path": str(path), "optimizer": optimizer, **source}
    return Trainer(read_adapters(path, given, precision, Bases()))


def learn(trainer, first, last):
    for step in range(first, last):
        arrays = packed(random_sequences(step, [9, 14]), weights=np.full(21, 0.2))
        trainer.run(arrays, LOSS, "none", backward=True)
        trainer.optim_step({"learningRate": 3e-2})


def ours(trainer) -> np.ndarray:
    return trainer.run(packed([LINE], weights=[1] * 6), LOSS, "all", backward=False)[1]["logprobs"]


def theirs(model) -> np.ndarray:
    with torch.no_grad():
        logits = model(torch.tensor([LINE])).logits[0]
    return logits.log_softmax(-1)[torch.arange(6), LINE[1:]].numpy()


@pytest.mark.parametrize("modules", [["attention", "mlp"], ["attention", "mlp", "unembed"], ["mlp"]], ids=str)
@pytest.mark.parametrize("members", SHAPES, ids=str)
def test_peft_computes_what_the_engine_does(base, tmp_path, members, modules):
    folder = base(**members)
    trainer = new(folder, modules=modules)
    learn(trainer, 0, 3)
    trainer.save(str(tmp_path / "saved"), optimizer=True)
    before = theirs(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32))
    loaded = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), tmp_path / "saved"
    )
    expected = ours(trainer)
    assert np.abs(theirs(loaded) - expected).max() < 1e-5
    assert np.abs(expected - before).max() > 0.05
    # And so does the model that needs no library of adapters.
    size = merge(tmp_path / "saved", str(tmp_path / "merged"))
    assert size == sum(file.stat().st_size for file in (tmp_path / "merged").iterdir())
    assert not (tmp_path / "merged" / "adapter_config.json").exists()
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32)
    assert np.abs(theirs(merged) - expected).max() < 1e-5
    whole = Trainer(read_model({"kind": "folder", "path": str(tmp_path / "merged")}, "fp32"))
    assert np.abs(ours(whole) - expected).max() < 1e-5


MADE = {
    "queries and values": LoraConfig(r=4, lora_alpha=10, target_modules=["q_proj", "v_proj"]),
    "keys alone": LoraConfig(r=2, lora_alpha=1, target_modules=["k_proj"], lora_dropout=0.1),
    "all": LoraConfig(r=3, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"),
    "a pattern": LoraConfig(r=3, lora_alpha=8, target_modules=r".*\.(up|gate|o)_proj"),
    "rank stabilised": LoraConfig(
        r=8, lora_alpha=8, use_rslora=True, target_modules=["down_proj", "lm_head"]
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_what_peft_made_is_read(base, tmp_path, name):
    folder = base(num_key_value_heads=1)
    torch.manual_seed(3)
    made = get_peft_model(LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32), MADE[name])
    with torch.no_grad():
        for key, parameter in made.named_parameters():
            if "lora_" in key:
                parameter.normal_(0, 0.1)
    made.eval()
    made.save_pretrained(tmp_path / "made")
    trainer = read(tmp_path / "made")
    expected = theirs(made)
    assert np.abs(ours(trainer) - expected).max() < 1e-5
    assert trainer.step == 0
    # It may be trained on, and goes back as what it was.
    trainer.save(str(tmp_path / "again"), optimizer=False)
    back = PeftModel.from_pretrained(
        LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32), tmp_path / "again"
    )
    assert np.abs(theirs(back) - expected).max() < 1e-5
    learn(trainer, 0, 1)
    assert np.abs(ours(trainer) - expected).max() > 1e-3


@pytest.mark.parametrize("precision", ["fp32", "mixed", "bf16"])
def test_it_goes_on_as_if_it_had_never_stopped(base, tmp_path, precision):
    trainer = new(base(), precision)
    learn(trainer, 0, 4)
    trainer.save(str(tmp_path / "saved"), optimizer=True)
    assert {file.name for file in (tmp_path / "saved").iterdir()} == {
        "config.json",
        "adapter_config.json",
        "adapter_model.safetensors",
        "optimizer.safetensors",
        "whetstone.json",
    }
    again = read(tmp_path / "saved", precision=precision)
    assert (again.step, again.model.facts()["lora"]) == (
        4,
        {"rank": 4, "alpha": 10, "modules": ["attention", "mlp"]},
    )
    for one in (trainer, again):
        learn(one, 4, 7)
    assert torch.equal(trainer.flat, again.flat)
    assert torch.equal(trainer.moments.second, again.moments.second)
    bare = read(tmp_path / "saved", optimizer=False, precision=precision)
    assert (bare.step, int(bare.moments.steps)) == (4, 0)


def test_adapters_over_a_base_that_was_drawn(make_folder: FolderMaker, tmp_path):
    folder = make_folder()
    model = adapter_of({"kind": "folder", "path": str(folder), "seed": 3}, {"rank": 4}, "fp32", Bases())
    trainer = Trainer(model)
    learn(trainer, 0, 2)
    trainer.save(str(tmp_path / "saved"), optimizer=True)
    assert np.array_equal(ours(read(tmp_path / "saved")), ours(trainer))
    assert (
        json.loads((tmp_path / "saved" / "whetstone.json").read_text())["base"].items()
        >= {"path": str(folder), "seed": 3}.items()
    )


def test_a_base_that_moved_or_changed(base, make_folder, tmp_path):
    folder = base()
    trainer = new(folder)
    learn(trainer, 0, 1)
    trainer.save(str(tmp_path / "saved"), optimizer=False)
    moved = folder.rename(tmp_path / "elsewhere")
    with pytest.raises(EngineError, match="base") as caught:
        read(tmp_path / "saved", optimizer=False)
    assert (caught.value.code, caught.value.category) == ("base-missing", "user")
    assert np.array_equal(ours(read(tmp_path / "saved", optimizer=False, base=str(moved))), ours(trainer))
    # A path that is relative begins at the adapters.
    config = json.loads((tmp_path / "saved" / "adapter_config.json").read_text())
    (tmp_path / "saved" / "adapter_config.json").write_text(
        json.dumps({**config, "base_model_name_or_path": "../elsewhere"})
    )
    assert np.array_equal(ours(read(tmp_path / "saved", optimizer=False)), ours(trainer))
    shutil.rmtree(moved)
    make_folder.trainer(seed=2).save(str(moved), optimizer=False)
    with pytest.raises(EngineError) as caught:
        read(tmp_path / "saved", optimizer=False)
    assert caught.value.code == "base-changed"
    with pytest.raises(EngineError) as caught:
        merge(tmp_path / "saved", str(tmp_path / "merged"))
    assert caught.value.code == "base-changed"


def test_a_checkpoint_of_whole_weights_may_be_a_base(make_folder: FolderMaker, tmp_path):
    whole = make_folder.trainer()
    learn(whole, 0, 2)
    whole.save(str(tmp_path / "whole"), optimizer=True)
    source = {"kind": "checkpoint", "path": str(tmp_path / "whole")}
    trainer = Trainer(adapter_of(source, {"rank": 2}, "fp32", Bases()))
    assert trainer.step == 0
    assert np.array_equal(ours(trainer), ours(whole))
    with pytest.raises(EngineError) as caught:
        adapter_of({**source, "optimizer": True}, {"rank": 2}, "fp32", Bases())
    assert caught.value.code == "optimizer-missing"


CHANGES = {
    "another kind": {"peft_type": "IA3"},
    "biases": {"bias": "lora_only"},
    "ranks that differ": {"rank_pattern": {"q_proj": 8}},
    "dora": {"use_dora": True},
    "whole modules": {"modules_to_save": ["lm_head"]},
    "a changed base": {"init_lora_weights": "pissa"},
    "some layers": {"layers_to_transform": [1]},
    "something new": {"spectral_shift": 3},
    "no rank": {"r": 0},
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_the_engine_does_not_have_is_refused_in_words(base, tmp_path, name):
    new(base()).save(str(tmp_path / "saved"), optimizer=False)
    path = tmp_path / "saved" / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **CHANGES[name]}))
    with pytest.raises(EngineError) as caught:
        read(tmp_path / "saved")
    assert (caught.value.code, caught.value.category) == ("adapter-unsupported", "user")
    assert len(str(caught.value)) > 40


def test_files_that_are_not_whole_or_not_ours(base, tmp_path):
    new(base()).save(str(tmp_path / "saved"), optimizer=False)
    path = tmp_path / "saved" / "adapter_model.safetensors"
    tensors = {key: value.clone() for key, value in load_file(path).items()}
    written = path.read_bytes()

    def refused(code: str) -> str:
        with pytest.raises(EngineError) as caught:
            read(tmp_path / "saved", optimizer=False)
        assert (caught.value.code, caught.value.category) == (code, "user")
        return str(caught.value)

    path.write_bytes(written[: len(written) // 2])
    refused("weights-truncated")
    name = "base_model.model.model.layers.1.mlp.up_proj.lora_A.weight"
    save_file({key: value for key, value in tensors.items() if key != name}, path)
    assert name in refused("weights-missing-tensor")
    save_file({**tensors, name: torch.zeros(4, 5)}, path)
    refused("weights-shape")
    save_file({**tensors, "base_model.model.model.embed_tokens.lora_embedding_A": torch.zeros(4, 5)}, path)
    assert "embed_tokens" in refused("adapter-unsupported")
    path.unlink()
    refused("weights-missing")
    with pytest.raises(EngineError) as caught:
        read(tmp_path / "saved", base="/nowhere")
    assert caught.value.code in ("weights-missing", "base-missing")
    with pytest.raises(EngineError) as caught:
        adapter_of({"kind": "checkpoint", "path": str(tmp_path / "saved")}, {"rank": 4}, "fp32", Bases())
    assert caught.value.code == "bad-request"


def test_adapters_belong_to_the_folder_that_was_named(base, tmp_path):
    """Equal weights are held once; what lies beside them may differ."""
    one = base()
    other = shutil.copytree(one, tmp_path / "other")
    for folder in (one, other):
        (folder / "tokenizer.json").write_text(folder.name)
    bases, trainers = Bases(), []
    for folder in (one, other):
        source = {"kind": "folder", "path": str(folder)}
        trainers.append(Trainer(adapter_of(source, {"rank": 2}, "fp32", bases)))
    assert len(bases) == 1
    trainers[1].save(str(tmp_path / "saved"), optimizer=False)
    config = json.loads((tmp_path / "saved" / "adapter_config.json").read_text())
    facts = json.loads((tmp_path / "saved" / "whetstone.json").read_text())
    assert config["base_model_name_or_path"] == facts["base"]["path"] == str(other)
    assert (tmp_path / "saved" / "tokenizer.json").read_text() == "other"
    shutil.rmtree(one)
    again = {"kind": "checkpoint", "path": str(tmp_path / "saved"), "optimizer": False}
    model = read_adapters(tmp_path / "saved", again, "fp32", bases)
    assert (model.base, model.files["tokenizer.json"]) == (str(other), b"other")
