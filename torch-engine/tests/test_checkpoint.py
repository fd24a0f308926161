"""What is saved is read back as it was, and what is not whole is named."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from support.data import packed, random_sequences
from support.folders import FolderMaker
from whetstone_engine.adapters import new_adapters, read_adapters
from whetstone_engine.base import Bases
from whetstone_engine.checkpoint import tensors_of
from whetstone_engine.checksums import LANES, sum_of
from whetstone_engine.errors import EngineError
from whetstone_engine.trainer import Trainer
from whetstone_engine.weights import read_model

LOSS = {"name": "cross_entropy"}
HEAD = {"learningRate": 1e-2, "gradientClipNorm": 1.0}


def learn(trainer, first, last):
    for step in range(first, last):
        arrays = packed(random_sequences(step, [9, 14]), weights=np.full(21, 0.2))
        trainer.run(arrays, LOSS, "none", backward=True)
        trainer.optim_step(HEAD)


def read(path, *, kind="checkpoint", optimizer=True, precision="fp32", **source):
    return read_model({"kind": kind, "path": str(path), "optimizer": optimizer, **source}, precision)


def refused(path, code, **source):
    with pytest.raises(EngineError) as caught:
        read(path, **source)
    assert (caught.value.code, caught.value.category) == (code, "user")
    return str(caught.value)


@pytest.mark.parametrize(
    "members", [{}, {"tie_word_embeddings": True}, {"position_embedding_type": "learned"}], ids=str
)
def test_it_goes_on_as_if_it_had_never_stopped(make_folder: FolderMaker, tmp_path, members):
    trainer = make_folder.trainer(**members)
    learn(trainer, 0, 5)
    size = trainer.save(str(tmp_path / "deep" / "saved"), optimizer=True)
    folder = tmp_path / "deep" / "saved"
    assert size == sum(file.stat().st_size for file in folder.iterdir())
    assert os.listdir(tmp_path / "deep") == ["saved"]
    sums = {file.name: sum_of(file) for file in folder.glob("*.safetensors")}
    assert len(sums) == 2
    told = json.loads((folder / "whetstone.json").read_text())
    assert told == {"format": 1, "step": 5, "momentSteps": 5, "checksums": sums}
    again = Trainer(read(folder))
    assert again.step == 5
    learn(trainer, 5, 9)
    learn(again, 5, 9)
    assert torch.equal(trainer.flat, again.flat)
    assert torch.equal(trainer.moments.second, again.moments.second)


def test_without_its_optimizer_it_starts_anew_with_the_same_weights(make_folder: FolderMaker, tmp_path):
    trainer = make_folder.trainer()
    learn(trainer, 0, 3)
    trainer.save(str(tmp_path / "bare"), optimizer=False)
    assert not (tmp_path / "bare" / "optimizer.safetensors").exists()
    again = Trainer(read(tmp_path / "bare", optimizer=False))
    assert torch.equal(again.flat, trainer.flat)
    assert (again.step, float(again.moments.steps), float(again.moments.first.abs().sum())) == (3, 0, 0)
    learn(again, 3, 4)
    again.save(str(tmp_path / "later"), optimizer=True)
    facts = json.loads((tmp_path / "later" / "whetstone.json").read_text())
    assert (facts["step"], facts["momentSteps"]) == (4, 1)
    assert float(Trainer(read(tmp_path / "later")).moments.steps) == 1
    assert "optimiser" in refused(tmp_path / "bare", "optimizer-missing")


def test_transformers_reads_it(make_folder: FolderMaker, tmp_path):
    # Imported here, since it takes seconds.
    from transformers import LlamaForCausalLM

    trainer = make_folder.trainer(num_key_value_heads=1)
    learn(trainer, 0, 3)
    trainer.save(str(tmp_path / "saved"), optimizer=True)
    theirs = LlamaForCausalLM.from_pretrained(tmp_path / "saved", dtype=torch.float32)
    line = [1, 2, 3, 4, 5]
    _, out = trainer.run(packed([line], weights=[1] * 4), LOSS, "all", backward=False)
    expected = theirs(torch.tensor([line])).logits[0].log_softmax(-1)[torch.arange(4), line[1:]]
    assert np.abs(out["logprobs"] - expected.detach().numpy()).max() < 1e-5


def test_the_small_files_come_along_as_they_were(make_folder: FolderMaker, tmp_path):
    folder = make_folder(generation={"suppress_tokens": [3], "eos_token_id": 2})
    (folder / "tokenizer.json").write_text('{"model": "ä"}')
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "notes.txt").write_text("not needed")
    expected = {file.name: file.read_bytes() for file in folder.iterdir() if file.suffix != ".txt"}
    trainer = Trainer(read(folder, kind="folder", seed=1))
    for file in folder.iterdir():
        file.unlink()
    trainer.save(str(tmp_path / "saved"), optimizer=False)
    saved = {file.name: file.read_bytes() for file in (tmp_path / "saved").iterdir()}
    assert {name: saved[name] for name in expected} == expected
    assert set(saved) == {*expected, "model.safetensors", "whetstone.json"}
    assert Trainer(read(tmp_path / "saved", optimizer=False)).architecture.config.suppressed == (3,)


def test_a_folder_that_exists_is_never_written(make_folder: FolderMaker, tmp_path):
    trainer = make_folder.trainer()
    (tmp_path / "there").mkdir()
    with pytest.raises(EngineError) as caught:
        trainer.save(str(tmp_path / "there"), optimizer=False)
    assert caught.value.code == "save-exists"
    assert os.listdir(tmp_path / "there") == []


def test_remains_of_a_killed_process_are_no_obstacle(make_folder: FolderMaker, tmp_path):
    trainer = make_folder.trainer()
    remains = tmp_path / f".saved.{os.getpid()}.writing"
    remains.mkdir()
    (remains / "optimizer.safetensors").write_bytes(b"half")
    trainer.save(str(tmp_path / "saved"), optimizer=False)
    assert not remains.exists()
    assert not (tmp_path / "saved" / "optimizer.safetensors").exists()


def test_a_checkpoint_of_a_later_version_is_refused(saved):
    (saved / "whetstone.json").write_text('{"format": 2, "step": 3}')
    assert "newer" in refused(saved, "config-invalid")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
def test_a_disk_that_fails_at_the_last_moment_leaves_nothing(make_folder, tmp_path, monkeypatch, number):
    def fail(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(EngineError) as caught:
        make_folder.trainer().save(str(tmp_path / "new" / "saved"), optimizer=True)
    assert caught.value.code == ("file-unreadable" if number == errno.EIO else "no-space")
    assert os.listdir(tmp_path / "new") == []


def test_a_path_that_cannot_be_written_is_named(make_folder: FolderMaker, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError) as caught:
        make_folder.trainer().save(str(tmp_path / "file" / "saved"), optimizer=False)
    assert (caught.value.code, caught.value.category) == ("file-unreadable", "environment")


@pytest.fixture
def saved(make_folder: FolderMaker, tmp_path) -> Path:
    trainer = make_folder.trainer()
    learn(trainer, 0, 2)
    trainer.save(str(tmp_path / "saved"), optimizer=True)
    return tmp_path / "saved"


def shard(folder: Path) -> dict[str, str]:
    """Divides a folder's weights among three files, as large models come; returns the index."""
    tensors = load_file(folder / "model.safetensors")
    names = [f"model-{number:05d}-of-00003.safetensors" for number in (1, 2, 3)]
    index = {name: names[place % 3] for place, name in enumerate(sorted(tensors))}
    for file in names:
        save_file({name: tensors[name] for name in index if index[name] == file}, folder / file)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))
    return index


def test_weights_in_several_files(saved):
    whole = read(saved, kind="folder").flat
    index = shard(saved)
    assert torch.equal(read(saved, kind="folder").flat, whole)
    (saved / index["model.norm.weight"]).unlink()
    assert index["model.norm.weight"] in refused(saved, "weights-missing", kind="folder", seed=1)
    (saved / "model.safetensors.index.json").write_text('{"weight_map": ')
    refused(saved, "weights-truncated", kind="folder")
    (saved / "model.safetensors.index.json").write_text('{"weights": []}')
    refused(saved, "weights-truncated", kind="folder")


def forget_sums(folder: Path) -> None:
    """As checkpoints were before they had any, and as one has to be that another program may change."""
    facts = json.loads((folder / "whetstone.json").read_text())
    del facts["checksums"]
    (folder / "whetstone.json").write_text(json.dumps(facts))


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors"])
def test_a_byte_that_was_flipped_in_a_file_is_noticed(saved, name):
    content = bytearray((saved / name).read_bytes())
    head = 8 + int.from_bytes(content[:8], "little")
    for at in (head, (head + len(content)) // 2, len(content) - 1):
        content[at] ^= 1
        (saved / name).write_bytes(content)
        assert name in refused(saved, "checkpoint-damaged")
        content[at] ^= 1
    content[-1] ^= 1
    (saved / name).write_bytes(content)
    if name == "model.safetensors":
        refused(saved, "checkpoint-damaged", kind="folder")
    else:
        read(saved, optimizer=False)
    forget_sums(saved)
    read(saved)


@pytest.mark.parametrize("size", [1, 8 * LANES - 1, 8 * LANES, 3 * 8 * LANES + 5])
def test_a_sum_is_of_every_byte_and_its_place(tmp_path, size):
    content = bytearray(np.random.default_rng(0).bytes(size))
    path, sums = tmp_path / "file", set()
    for at in {0, size // 2, max(0, size - 9), size - 1}:
        for bit in (0, 1, 128):
            content[at] ^= bit
            path.write_bytes(content)
            sums.add(sum_of(path))
            content[at] ^= bit
    assert len(sums) == 1 + 2 * len({0, size // 2, max(0, size - 9), size - 1})


def test_adapters_that_have_changed_are_noticed(make_folder: FolderMaker, tmp_path):
    source = {"kind": "folder", "path": str(make_folder()), "seed": 1}
    Trainer(new_adapters(source, {"rank": 2}, "fp32", Bases())).save(str(tmp_path / "saved"), optimizer=False)
    given = {"kind": "checkpoint", "path": str(tmp_path / "saved")}
    read_adapters(tmp_path / "saved", given, "fp32", Bases())
    path = tmp_path / "saved" / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(EngineError, match=r"adapter_model\.safetensors") as caught:
        read_adapters(tmp_path / "saved", given, "fp32", Bases())
    assert caught.value.code == "checkpoint-damaged"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_weights_of_another_type(saved, dtype):
    tensors = {name: tensor.to(dtype) for name, tensor in load_file(saved / "model.safetensors").items()}
    save_file(tensors, saved / "model.safetensors")
    forget_sums(saved)
    model = read(saved, kind="folder")
    for name, tensor in tensors_of(model.architecture.slots, model.flat).items():
        assert torch.equal(tensor, tensors[name].float()), name


@pytest.mark.parametrize("dtype", [torch.int8, torch.int64, torch.bool])
def test_weights_that_are_no_floating_point_numbers_are_refused(saved, dtype):
    tensors = load_file(saved / "model.safetensors")
    tensors["model.layers.0.mlp.up_proj.weight"] = torch.ones(24, 16).to(dtype)
    save_file(tensors, saved / "model.safetensors")
    forget_sums(saved)
    assert str(dtype)[6:] in refused(saved, "weights-shape")


@pytest.mark.parametrize("kept", [0, 4, 100, 3000, -1])
@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors"])
def test_a_truncated_file(saved, name, kept):
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[:kept])
    assert name in refused(saved, "weights-truncated")


def change(folder: Path, edit, name="model.safetensors") -> None:
    tensors = load_file(folder / name)
    edit(tensors)
    save_file(tensors, folder / name)


def test_missing_unexpected_and_misshapen_tensors(saved):
    change(saved, lambda tensors: tensors.pop("model.layers.1.mlp.up_proj.weight"))
    assert "model.layers.1.mlp.up_proj.weight" in refused(saved, "weights-missing-tensor")
    change(saved, lambda tensors: tensors.update({"model.layers.1.mlp.up_proj.weight": torch.zeros(24, 15)}))
    message = refused(saved, "weights-shape")
    assert "[24, 15]" in message
    assert "[24, 16]" in message
    change(
        saved,
        lambda tensors: tensors.update(
            {
                "model.layers.1.mlp.up_proj.weight": torch.zeros(24, 16),
                "model.layers.0.self_attn.q_proj.bias": torch.zeros(16),
            }
        ),
    )
    assert "q_proj.bias" in refused(saved, "weights-unexpected-tensor")


def test_a_copy_of_a_tied_head_is_no_surprise(make_folder: FolderMaker, tmp_path):
    make_folder.trainer(tie_word_embeddings=True).save(str(tmp_path / "tied"), optimizer=False)
    forget_sums(tmp_path / "tied")
    change(
        tmp_path / "tied",
        lambda tensors: tensors.update(
            {
                "lm_head.weight": tensors["model.embed_tokens.weight"].clone(),
                "model.layers.0.self_attn.rotary_emb.inv_freq": torch.zeros(4),
            }
        ),
    )
    read(tmp_path / "tied", optimizer=False)
    change(tmp_path / "tied", lambda tensors: tensors.update({"lm_head.weight": torch.zeros(11, 16)}))
    assert "lm_head" in refused(tmp_path / "tied", "weights-unexpected-tensor", optimizer=False)


def test_a_seed_makes_weights_only_where_there_are_none(make_folder: FolderMaker, saved):
    model = read(saved, kind="folder", seed=5)
    assert torch.equal(model.flat, read(saved).flat)
    assert model.step == 0
    refused(make_folder(), "weights-missing", kind="folder")
    refused(make_folder(), "weights-missing", kind="checkpoint", seed=5)


def test_initial_weights(make_folder: FolderMaker):
    """Embeddings N(0, 1), linears N(0, 1/fan_in), output projections divided by √(2·layers), norms 1, biases
    0."""
    shape = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 4, "vocab_size": 200}
    model = make_folder.model(**shape, model_type="qwen2", position_embedding_type="learned")
    for name, tensor in tensors_of(model.architecture.slots, model.flat).items():
        if name.endswith("norm.weight"):
            assert (tensor == 1).all(), name
        elif name.endswith(".bias"):
            assert (tensor == 0).all(), name
        else:
            deviation = 1.0 if ".embed_" in name else tensor.shape[1] ** -0.5
            if "o_proj" in name or "down_proj" in name:
                deviation /= 8**0.5
            assert float(tensor.std()) == pytest.approx(deviation, rel=0.05), name
            assert abs(float(tensor.mean())) < 0.05 * deviation, name
    again = make_folder.model(**shape, model_type="qwen2", position_embedding_type="learned")
    assert torch.equal(model.flat, again.flat)
    other = make_folder.model(seed=2, **shape, model_type="qwen2", position_embedding_type="learned")
    assert not torch.equal(model.flat, other.flat)
