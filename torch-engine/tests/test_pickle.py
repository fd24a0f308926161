"""Pickles are programs: none is ever loaded, whatever lies in a folder and however it is called."""

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch

from support.folders import FolderMaker
from whetstone_engine.adapters import adapter_of
from whetstone_engine.base import Bases
from whetstone_engine.errors import EngineError
from whetstone_engine.trainer import Trainer
from whetstone_engine.weights import read_model


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, sign: Path) -> None:
        self.sign = sign

    def __reduce__(self):
        return Path.touch, (self.sign,)


@pytest.fixture
def sign(tmp_path: Path) -> Path:
    return tmp_path / "it-was-loaded"


def test_the_trap_springs(sign: Path):
    pickle.loads(pickle.dumps(Trap(sign)))
    assert sign.exists()


def lay(folder: Path, sign: Path, *names: str) -> None:
    """Traps as `torch.save` writes them, and as bare pickles."""
    for place, name in enumerate(names):
        if place % 2:
            (folder / name).write_bytes(pickle.dumps(Trap(sign)))
        else:
            torch.save({"model.norm.weight": Trap(sign)}, folder / name)


OLD = ("pytorch_model.bin", "pytorch_model.pt", "model.pt", "consolidated.00.pth", "model.pkl", "model.ckpt")


def test_a_folder_of_pickles_alone_has_no_weights(make_folder: FolderMaker, sign: Path):
    folder = make_folder()
    lay(folder, sign, *OLD)
    shards = {"weight_map": {"model.norm.weight": "pytorch_model.bin"}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(shards))
    for kind in ("folder", "checkpoint"):
        with pytest.raises(EngineError) as caught:
            read_model({"kind": kind, "path": str(folder), "optimizer": True}, "fp32")
        assert (caught.value.code, caught.value.category) == ("weights-missing", "user")
    assert not sign.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors"])
@pytest.mark.parametrize("bare", [False, True])
def test_a_pickle_under_another_name_is_no_safetensors_file(
    make_folder: FolderMaker, tmp_path: Path, sign: Path, name: str, bare: bool
):
    trainer = make_folder.trainer()
    trainer.optim_step({"optimizer": "adamw", "learningRate": 0.1})
    saved = tmp_path / "saved"
    trainer.save(str(saved), optimizer=True)
    lay(saved, sign, *(["unused.bin", name] if bare else [name]))
    with pytest.raises(EngineError) as caught:
        read_model({"kind": "checkpoint", "path": str(saved), "optimizer": True}, "fp32")
    assert (caught.value.code, caught.value.category) == ("weights-truncated", "user")
    assert not sign.exists()


def test_an_index_of_weights_may_not_name_pickles(make_folder: FolderMaker, sign: Path):
    folder = make_folder()
    lay(folder, sign, "pytorch_model.bin")
    shards = {"weight_map": {"model.norm.weight": "pytorch_model.bin"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(shards))
    with pytest.raises(EngineError) as caught:
        read_model({"kind": "folder", "path": str(folder)}, "fp32")
    assert caught.value.code == "weights-truncated"
    assert not sign.exists()


@pytest.fixture
def plain_folder(phi, tmp_path: Path) -> Path:
    """Of a model that transformers computes."""
    return Path(shutil.copytree(phi[1], tmp_path / "plain"))


def test_a_folder_of_the_plain_path_with_pickles_alone_has_no_weights(plain_folder: Path, sign: Path):
    (plain_folder / "model.safetensors").unlink()
    lay(plain_folder, sign, *OLD)
    shards = {"weight_map": {"model.final_layernorm.weight": "pytorch_model.bin"}}
    (plain_folder / "pytorch_model.bin.index.json").write_text(json.dumps(shards))
    with pytest.raises(EngineError, match="holds no weights") as caught:
        read_model({"kind": "folder", "path": str(plain_folder)}, "fp32")
    assert (caught.value.code, caught.value.category) == ("weights-missing", "user")
    # Drawn where that is asked for, whatever lies beside.
    read_model({"kind": "folder", "path": str(plain_folder), "seed": 1}, "fp32")
    assert not sign.exists()


@pytest.mark.parametrize("bare", [False, True])
def test_no_name_makes_the_library_load_a_pickle(plain_folder: Path, sign: Path, bare: bool):
    def refused(sentence: str) -> None:
        with pytest.raises(EngineError, match=sentence) as caught:
            read_model({"kind": "folder", "path": str(plain_folder)}, "fp32")
        assert (caught.value.code, caught.value.category) == ("weights-truncated", "user")
        assert not sign.exists()

    weights = plain_folder / "model.safetensors"
    weights.unlink()
    lay(plain_folder, sign, *(["unused.bin", "model.safetensors"] if bare else ["model.safetensors"]))
    refused("safetensors file is not whole")
    weights.rename(plain_folder / "pytorch_model.bin")
    shards = {"weight_map": {"model.final_layernorm.weight": "pytorch_model.bin"}}
    (plain_folder / "model.safetensors.index.json").write_text(json.dumps(shards))
    refused("names pytorch_model.bin, which is no safetensors file")


def test_code_that_a_folder_brings_is_never_run(plain_folder: Path, sign: Path):
    code = f"from pathlib import Path\nPath({str(sign)!r}).touch()\nclass Config: pass\nclass Model: pass\n"
    (plain_folder / "strange.py").write_text(code)
    config = json.loads((plain_folder / "config.json").read_text())
    own = {"AutoConfig": "strange.Config", "AutoModelForCausalLM": "strange.Model"}
    (plain_folder / "config.json").write_text(json.dumps({**config, "auto_map": own}))
    Trainer(read_model({"kind": "folder", "path": str(plain_folder)}, "fp32"))
    (plain_folder / "model.safetensors").unlink()
    read_model({"kind": "folder", "path": str(plain_folder), "seed": 1}, "fp32")
    (plain_folder / "config.json").write_text(
        json.dumps({**config, "auto_map": own, "model_type": "strange"})
    )
    with pytest.raises(EngineError) as caught:
        read_model({"kind": "folder", "path": str(plain_folder), "seed": 1}, "fp32")
    assert caught.value.code == "unsupported-architecture"
    assert not sign.exists()


def test_pickles_beside_weights_are_left_alone(make_folder: FolderMaker, tmp_path: Path, sign: Path):
    trainer = make_folder.trainer()
    trainer.save(str(tmp_path / "saved"), optimizer=False)
    lay(tmp_path / "saved", sign, *OLD, "optimizer.pt", "scheduler.pt", "training_args.bin", "rng_state.pth")
    read = Trainer(read_model({"kind": "checkpoint", "path": str(tmp_path / "saved")}, "fp32"))
    assert torch.equal(read.flat, trainer.flat)
    read.save(str(tmp_path / "again"), optimizer=True)
    assert not [
        file.name for file in (tmp_path / "again").iterdir() if file.suffix in (".bin", ".pt", ".pth")
    ]
    assert not sign.exists()


def test_adapters_that_older_versions_of_peft_pickled_are_refused(
    make_folder: FolderMaker, tmp_path: Path, sign: Path
):
    bases = Bases()
    source = {"kind": "folder", "path": str(make_folder()), "seed": 1}
    adapters = adapter_of(source, {"rank": 2}, "fp32", bases)
    assert adapters is not None
    saved = tmp_path / "saved"
    Trainer(adapters).save(str(saved), optimizer=False)
    (saved / "adapter_model.safetensors").unlink()
    lay(saved, sign, "adapter_model.bin")
    with pytest.raises(EngineError) as caught:
        adapter_of({"kind": "checkpoint", "path": str(saved), "optimizer": False}, None, "fp32", bases)
    assert caught.value.category == "user"
    shutil.copy(saved / "adapter_model.bin", saved / "adapter_model.safetensors")
    with pytest.raises(EngineError) as caught:
        adapter_of({"kind": "checkpoint", "path": str(saved), "optimizer": False}, None, "fp32", bases)
    assert caught.value.code == "weights-truncated"
    assert not sign.exists()
