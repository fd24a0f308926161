"""A configuration makes the model that it describes, or a named error: never silently another model."""

import json

import pytest
from transformers import AutoConfig

from support.folders import FolderMaker
from whetstone_engine.config import read_config
from whetstone_engine.errors import EngineError


def refused(folder, code="config-invalid") -> str:
    with pytest.raises(EngineError) as caught:
        read_config(folder)
    assert (caught.value.code, caught.value.category) == (code, "user")
    return str(caught.value)


WRONG = [
    {"vocab_size": 0},
    {"hidden_size": "wide"},
    {"num_attention_heads": 0},
    {"num_attention_heads": None},
    {"num_hidden_layers": 0},
    {"num_attention_heads": 4, "num_key_value_heads": 3},
    {"position_embedding_type": "alibi"},
    {"position_embedding_type": "learned", "max_position_embeddings": None},
    {"head_dim": 7},
    {"partial_rotary_factor": 0.5},
    {"rope_scaling": {"rope_type": "longrope", "factor": 4}},
    {"rope_scaling": {"rope_type": "yarn"}},
    {"model_type": "smollm3", "no_rope_layers": [1]},
    {"rope_scaling": {"rope_type": "llama3", "factor": 4}},
    {"rope_parameters": {"rope_type": "linear"}},
    {"rope_scaling": [4]},
    {"hidden_act": "gelu"},
    {"mlp_bias": True},
    {"generation": {"suppress_tokens": [11]}},
    {"generation": {"suppress_tokens": ["a"]}},
    {"generation": {"suppress_tokens": list(range(11))}},
    {"generation": {"suppress_tokens": [[1]]}},
    {"generation": {"suppress_tokens": 3}},
]


@pytest.mark.parametrize("members", WRONG, ids=str)
def test_what_makes_no_model_is_refused(make_folder: FolderMaker, members):
    folder = make_folder(**members)
    assert str(folder) in refused(folder)


def test_members_that_are_missing_are_named(make_folder: FolderMaker):
    folder = make_folder()
    raw = json.loads((folder / "config.json").read_text())
    del raw["hidden_size"]
    (folder / "config.json").write_text(json.dumps(raw))
    assert "hidden_size" in refused(folder)


@pytest.mark.parametrize(("kind", "base"), [("llama", 10_000), ("qwen3", 10_000), ("smollm3", 2_000_000)])
def test_a_rotary_base_that_is_not_named_is_that_of_transformers(make_folder: FolderMaker, kind, base):
    assert read_config(make_folder(model_type=kind)).rotary_base == base
    assert AutoConfig.for_model(kind).rope_parameters["rope_theta"] == base
    assert read_config(make_folder(model_type=kind, rope_theta=5)).rotary_base == 5


def test_a_folder_that_is_none(make_folder: FolderMaker, tmp_path):
    refused(tmp_path / "nowhere", "config-missing")
    message = refused(make_folder(model_type="mamba"), "unsupported-architecture")
    assert "qwen3" in message
    folder = make_folder()
    for content in ("{", "[]", '"llama"', "\udcff"):
        (folder / "config.json").write_bytes(content.encode("utf-8", "surrogateescape"))
        refused(folder)


def test_defaults(make_folder: FolderMaker):
    config = read_config(make_folder(num_key_value_heads=None))
    assert (config.key_value_heads, config.head_width, config.positions) == (2, 8, "rotary")
    assert (config.rotary_base, config.rotary_kind, config.suppressed) == (10000.0, "default", ())
    assert (config.qkv_bias, config.output_bias, config.head_norm) == (False, False, False)
    assert read_config(make_folder(rope_theta=500.0)).rotary_base == 500.0
    parameters = {"rope_type": "default", "rope_theta": 700.0}
    assert read_config(make_folder(rope_parameters=parameters)).rotary_base == 700.0
    assert read_config(make_folder(generation={"suppress_tokens": None})).suppressed == ()


def test_how_far_a_model_reaches(make_folder: FolderMaker):
    def reach(**members) -> int:
        return read_config(make_folder(**members)).max_positions

    assert reach() == 128
    assert reach(max_position_embeddings=None) == 0
    assert reach(position_embedding_type="none") == 0
    # Beyond its sliding window a model would attend to less than all: the engine stops there.
    assert reach(model_type="mistral", sliding_window=32) == 32
    assert reach(model_type="mistral", sliding_window=4096) == 128
    assert reach(model_type="mistral", sliding_window=None) == 128
    assert reach(model_type="qwen2", sliding_window=32, use_sliding_window=False) == 128
    assert reach(model_type="qwen2", sliding_window=32, use_sliding_window=True) == 32
    assert reach(model_type="qwen2", sliding_window=32) == 128


def test_layers_without_positions(make_folder: FolderMaker):
    def unrotated(**members) -> list[int]:
        return sorted(
            read_config(make_folder(model_type="smollm3", num_hidden_layers=8, **members)).unrotated
        )

    assert unrotated() == [3, 7]
    assert unrotated(no_rope_layer_interval=3) == [2, 5]
    assert unrotated(no_rope_layers=[1, 0, 1, 1, 1, 1, 1, 0]) == [1, 7]
