"""Weights in panels compute what whole ones do, and a sampler that has them needs its trainer's no longer."""

import numpy as np
import pytest
import torch

from support.data import packed, random_sequences, requested
from support.folders import FolderMaker
from support.sampling import logprobs_of, rows_of, sample
from whetstone_engine import panels
from whetstone_engine import weights as weights_module
from whetstone_engine.choice import Parameters
from whetstone_engine.folded import Folded
from whetstone_engine.panels import Panels, add_linear, linear

SHAPES = [
    {},
    {"tie_word_embeddings": True, "num_key_value_heads": 1},
    {"model_type": "qwen2"},
    {"model_type": "llama", "attention_bias": True, "position_embedding_type": "learned"},
    {"model_type": "qwen3", "head_dim": 16},
]


@pytest.mark.parametrize("few", [0, 512])
@pytest.mark.parametrize("outputs", [1, 7, 8, 9, 24, 30])
@torch.inference_mode()
def test_products_are_those_of_the_whole_weight(monkeypatch, outputs, few):
    monkeypatch.setattr(panels, "WIDTH", 8)
    monkeypatch.setattr(panels, "FEW", few)
    weight, bias, x, total = (
        torch.randn(outputs, 5),
        torch.randn(outputs),
        torch.randn(3, 5),
        torch.randn(3, outputs),
    )
    cut = Panels(weight)
    count, inputs, width = cut.stack.shape
    assert (count, inputs) == (-(-outputs // 8), 5)
    assert width <= 8
    for one in (None, bias):
        assert torch.allclose(linear(x, cut, one), linear(x, weight, one), atol=1e-6)
        expected = add_linear(total.clone(), x, weight, one)
        assert torch.allclose(add_linear(total.clone(), x, cut, one), expected, atol=1e-6)
    assert torch.equal(cut.whole(), weight)
    some = torch.tensor([0, outputs - 1, outputs // 2])
    assert torch.equal(cut.rows(some), weight[some])


def test_every_thread_has_a_panel_of_its_own():
    assert [panels.panels_of(outputs, 2) for outputs in (960, 576, 3072, 49152, 100)] == [4, 2, 8, 128, 1]
    assert panels.panels_of(576, 16) == 2
    assert panels.panels_of(49152, 16) == 128


def everything_is_large(monkeypatch):
    for module in (panels, weights_module):
        monkeypatch.setattr(module, "PACKED", 0)


@pytest.mark.parametrize("members", SHAPES, ids=str)
def test_samples_are_those_of_whole_weights(make_folder: FolderMaker, monkeypatch, members):
    rows = requested(random_sequences(1, [3, 9, 20]), samples=3, most=20)
    model = make_folder.trainer(**members)
    plain, folded, cut = model.snapshot(), model.snapshot(), model.snapshot()
    with monkeypatch.context() as patched:
        patched.setattr(plain, "pack", lambda: None)
        expected = sample(plain, rows_of(rows, plain), Parameters(), None)
    folded.pack()
    everything_is_large(monkeypatch)
    monkeypatch.setattr(panels, "WIDTH", 10)
    cut.pack()
    assert isinstance(folded.weights, Folded)
    assert isinstance(cut.weights["0.qkv"], Panels)
    for other in (folded, cut):
        out = sample(other, rows_of(rows, other), Parameters(), None)
        assert all(map(np.array_equal, out.tokens, expected.tokens))
        assert np.allclose(np.concatenate(out.logprobs), np.concatenate(expected.logprobs), atol=1e-5)


@pytest.mark.parametrize("large", [False, True])
def test_a_packed_snapshot_is_a_copy(make_folder: FolderMaker, monkeypatch, large):
    if large:
        everything_is_large(monkeypatch)
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
