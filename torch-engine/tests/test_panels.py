"""Weights in panels compute what whole ones do, and a sampler that has them needs its trainer's no longer."""

import numpy as np
import pytest
import torch

from support.data import packed, random_sequences, requested
from support.folders import FolderMaker
from whetstone_engine import panels
from whetstone_engine.choice import Parameters
from whetstone_engine.panels import Panels, add_linear, linear
from whetstone_engine.sampler import logprobs_of, rows_of, sample

SHAPES = [
    {},
    {"tie_word_embeddings": True, "num_key_value_heads": 1},
    {"model_type": "qwen2"},
    {"model_type": "llama", "attention_bias": True, "position_embedding_type": "learned"},
    {"model_type": "qwen3", "head_dim": 16},
]


@pytest.mark.parametrize("outputs", [1, 7, 8, 9, 24, 30])
@torch.inference_mode()
def test_products_are_those_of_the_whole_weight(monkeypatch, outputs):
    monkeypatch.setattr(panels, "WIDTH", 8)
    weight, bias, x, total = (
        torch.randn(outputs, 5),
        torch.randn(outputs),
        torch.randn(3, 5),
        torch.randn(3, outputs),
    )
    cut = Panels(weight)
    assert [panel.shape[1] <= 8 and panel.is_contiguous() for panel in cut.panels] == [True] * -(
        -outputs // 8
    )
    for one in (None, bias):
        assert torch.allclose(linear(x, cut, one), linear(x, weight, one), atol=1e-6)
        expected = add_linear(total.clone(), x, weight, one)
        assert torch.allclose(add_linear(total.clone(), x, cut, one), expected, atol=1e-6)


@pytest.mark.parametrize("members", SHAPES, ids=str)
def test_samples_are_those_of_whole_weights(make_folder: FolderMaker, monkeypatch, members):
    rows = requested(random_sequences(1, [3, 9, 20]), samples=3, most=20)
    model = make_folder.trainer(**members)
    plain, other = model.snapshot(), model.snapshot()
    expected = sample(plain, rows_of(rows, plain), Parameters(), None)
    assert not plain.packed
    monkeypatch.setattr(panels, "PACKED", 0)
    monkeypatch.setattr(panels, "WIDTH", 10)
    out = sample(other, rows_of(rows, other), Parameters(), None)
    assert other.packed
    assert all(map(np.array_equal, out.tokens, expected.tokens))
    assert np.allclose(np.concatenate(out.logprobs), np.concatenate(expected.logprobs), atol=1e-5)


def test_a_packed_snapshot_is_a_copy(make_folder: FolderMaker, monkeypatch):
    monkeypatch.setattr(panels, "PACKED", 0)
    model = make_folder.trainer()
    one, other = model.snapshot(), model.snapshot()
    one.pack()
    scored = requested([[1, 2, 3, 4, 5]])
    before = logprobs_of(one, scored)[1:]
    assert np.allclose(before, logprobs_of(other, scored)[1:], atol=1e-6)
    shared = other.weights["norm"].data_ptr()
    sequences = random_sequences(2, [12, 17])
    model.run(packed(sequences, weights=np.ones(27)), {"name": "cross_entropy"}, "none", backward=True)
    model.optim_step({"learningRate": 0.1})
    assert np.array_equal(logprobs_of(one, scored)[1:], before)
    assert np.allclose(logprobs_of(other, scored)[1:], before, atol=1e-6)
    assert other.weights["norm"].data_ptr() != shared
    held = one.weights
    model.optim_step({"learningRate": 0.1})
    assert one.weights is held
