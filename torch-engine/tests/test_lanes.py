"""Weights in lanes compute what whole ones do."""

import numpy as np
import pytest
import torch

from support.data import random_sequences, requested
from support.folders import FolderMaker
from support.sampling import everything_is_large, rows_of, sample
from whetstone_engine.choice import Parameters
from whetstone_engine.folded import Folded
from whetstone_engine.in_lanes import InLanes
from whetstone_engine.kernels import rms_norm, rms_norm_into
from whetstone_engine.lanes import LANES, MANY, RUN, TALL, Lanes
from whetstone_engine.linear import add_linear, linear

SHAPES = [
    ({}, True),
    ({"tie_word_embeddings": True, "num_key_value_heads": 1}, True),
    ({"model_type": "llama", "position_embedding_type": "learned"}, True),
    # Lanes do not share its outputs evenly.
    ({"hidden_size": 24}, False),
    ({"model_type": "qwen2"}, False),
    ({"model_type": "llama", "attention_bias": True, "position_embedding_type": "learned"}, False),
    ({"model_type": "qwen3", "head_dim": 16}, False),
]
"""And whether their layers are written out."""


@pytest.mark.parametrize("rows", [1, 2, 3, 7, MANY - 1, MANY, 256, 257])
@pytest.mark.parametrize(
    "outputs", [1, LANES - 1, LANES, LANES + 1, 5 * LANES, 5 * LANES + 3, TALL, TALL + RUN]
)
@torch.inference_mode()
def test_products_are_those_of_the_whole_weight(outputs, rows):
    weight, bias, x, total = (
        torch.randn(outputs, 5),
        torch.randn(outputs),
        torch.randn(rows, 5),
        torch.randn(rows, outputs),
    )
    cut = Lanes(weight)
    assert cut.weight_OI is weight
    for one in (None, bias):
        assert torch.allclose(linear(x, cut, one), linear(x, weight, one), atol=1e-6)
        expected = add_linear(total.clone(), x, weight, one)
        assert torch.allclose(add_linear(total.clone(), x, cut, one), expected, atol=1e-6)


@pytest.mark.parametrize(("members", "written_out"), SHAPES, ids=str)
def test_samples_are_those_of_whole_weights(make_folder: FolderMaker, monkeypatch, members, written_out):
    # Prompts that begin alike are read otherwise than those that do not, and 4 rows otherwise than 2.
    rows = requested([*random_sequences(1, [3, 9, 20]), [7] * 12, [7] * 11 + [3]], samples=3, most=20)
    alone = requested(random_sequences(1, [5]), samples=2, most=3)
    model = make_folder.trainer(**members)
    plain, folded = model.snapshot(), model.snapshot()
    monkeypatch.setattr(plain, "lay_out", lambda: None)
    folded.lay_out()
    everything_is_large(monkeypatch)
    cut = model.snapshot()
    assert isinstance(folded.weights, Folded)
    assert isinstance(cut.weights, InLanes)
    assert isinstance(cut.weights["0.qkv"], Lanes)
    assert (cut.weights.few is not None) == written_out
    for wanted in (rows, alone):
        expected = sample(plain, rows_of(wanted, plain), Parameters(), None)
        for other in (folded, cut):
            out = sample(other, rows_of(wanted, other), Parameters(), None)
            assert all(map(np.array_equal, out.tokens, expected.tokens))
            assert np.allclose(np.concatenate(out.logprobs), np.concatenate(expected.logprobs), atol=1e-5)


def test_a_written_out_pass_gives_what_layers_one_by_one_do(make_folder: FolderMaker, monkeypatch):
    everything_is_large(monkeypatch)
    snapshot = make_folder.trainer().snapshot()
    weights, decoder, config = snapshot.weights, snapshot.architecture.decoder, snapshot.architecture.config
    assert isinstance(weights, InLanes)
    assert weights.few is not None
    tokens_N, positions_N = torch.arange(9), torch.arange(9) * 3

    with torch.inference_mode():
        for wanted_N in (None, torch.tensor([1, 4, 8]), torch.tensor([8])):

            def attend(layer, heads_NHd, wanted_N=wanted_N):
                """Of no meaning, and of all heads."""
                attended_N = (heads_NHd[:, : config.heads] + heads_NHd.sum(1, keepdim=True)).flatten(1)
                return attended_N if layer == 0 or wanted_N is None else attended_N[wanted_N]

            together = decoder.run(weights, tokens_N, positions_N, attend, wanted_N)
            with monkeypatch.context() as patched:
                patched.setattr(weights, "few", None)
                apart = decoder.run(weights, tokens_N, positions_N, attend, wanted_N)
            assert torch.allclose(together, apart, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 3, 100])
@torch.inference_mode()
def test_norms_are_the_trainers_bit_for_bit(rows):
    x, weight = torch.randn(rows, 576), torch.rand(576) + 0.5
    inverse, normal, out = torch.empty(rows, 1), torch.empty(rows, 576), torch.empty(576, rows).t()
    rms_norm_into(x, weight, 1e-5, inverse, normal, out)
    with torch.enable_grad():
        assert torch.equal(out, rms_norm(x, weight, 1e-5, torch.float32))
