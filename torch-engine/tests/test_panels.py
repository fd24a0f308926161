"""Weights in panels compute what whole ones do."""

import numpy as np
import pytest
import torch

from support.data import random_sequences, requested
from support.folders import FolderMaker
from support.sampling import everything_is_large, rows_of, sample
from whetstone_engine import panels, snapshot
from whetstone_engine.choice import Parameters
from whetstone_engine.panels import Panels


@pytest.mark.parametrize("outputs", [1, 7, 8, 9, 24, 30])
@torch.inference_mode()
def test_products_are_those_of_the_whole_weight(monkeypatch, outputs):
    monkeypatch.setattr(panels, "WIDTH", 8)
    weight, x, total = torch.randn(outputs, 5), torch.randn(3, 5), torch.randn(3, outputs)
    cut = Panels(weight)
    count, inputs, width = cut.stack.shape
    assert (count, inputs) == (-(-outputs // 8), 5)
    assert width <= 8
    assert torch.allclose(cut.apply(x), x @ weight.t(), atol=1e-6)
    added = total.clone()
    cut.add_to(added, x)
    assert torch.allclose(added, total + x @ weight.t(), atol=1e-6)


def test_every_thread_has_a_panel_of_its_own():
    assert [panels.panels_of(outputs, 2) for outputs in (960, 576, 3072, 49152, 100)] == [4, 2, 8, 128, 1]
    assert panels.panels_of(576, 16) == 2
    assert panels.panels_of(49152, 16) == 128


@pytest.mark.parametrize("members", [{}, {"tie_word_embeddings": True, "num_key_value_heads": 1}], ids=str)
def test_many_rows_are_sampled_as_few_are(make_folder: FolderMaker, monkeypatch, members):
    everything_is_large(monkeypatch)
    one, other = (make_folder.trainer(**members).snapshot() for _ in range(2))
    rows = requested(random_sequences(1, [3, 9, 20]), samples=3, most=20)
    expected = sample(one, rows_of(rows, one), Parameters(), None)
    assert one.weights["0.qkv"].panels is None
    monkeypatch.setattr(snapshot, "FEW", 4)
    monkeypatch.setattr(panels, "WIDTH", 10)
    out = sample(other, rows_of(rows, other), Parameters(), None)
    assert isinstance(other.weights["0.qkv"].panels, Panels)
    assert all(map(np.array_equal, out.tokens, expected.tokens))
    assert np.allclose(np.concatenate(out.logprobs), np.concatenate(expected.logprobs), atol=1e-5)
