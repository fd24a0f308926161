"""Activations that are computed again, in place of being kept: the same numbers, in less memory."""

import numpy as np
import pytest
import torch

from support.data import packed, random_sequences
from support.folders import FolderMaker
from whetstone_engine.passes import MICRO_BYTES, micro_limit
from whetstone_engine.trainer import Trainer

LOSS = {"name": "cross_entropy"}
SEQUENCES = random_sequences(2, [12, 17, 70, 3])
WEIGHTS = np.random.default_rng(0).normal(size=98) * (np.random.default_rng(1).random(98) < 0.6)
ARRAYS = packed(SEQUENCES, weights=WEIGHTS)


@pytest.mark.parametrize("precision", ["fp32", "mixed", "bf16"])
@pytest.mark.parametrize("members", [{}, {"model_type": "qwen3", "num_key_value_heads": 1}], ids=str)
def test_loss_and_gradient_are_the_same(make_folder: FolderMaker, members, precision):
    kept = make_folder.trainer(precision=precision, **members)
    again = Trainer(make_folder.model(precision=precision, **members), recompute=True)
    for wanted in ("none", "all"):
        one, expected = kept.run(ARRAYS, LOSS, wanted, backward=True)
        other, out = again.run(ARRAYS, LOSS, wanted, backward=True)
        assert one == other
        assert torch.equal(kept.grad, again.grad)
        if wanted == "all":
            assert np.array_equal(out["logprobs"], expected["logprobs"])


def kept_bytes(trainer: Trainer) -> int:
    """Bytes that autograd holds when the loss is known, weights aside."""
    held: dict[int, int] = {}
    weights = {leaf.untyped_storage().data_ptr() for leaf in trainer.leaves.values()}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            held[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        trainer.run(ARRAYS, LOSS, "none", backward=True)
    return sum(held.values())


def test_a_pass_keeps_less(make_folder: FolderMaker):
    members = {"num_hidden_layers": 8, "hidden_size": 64, "intermediate_size": 192}
    plain = Trainer(make_folder.model(**members))
    again = Trainer(make_folder.model(**members), recompute=True)
    assert kept_bytes(again) < kept_bytes(plain) / 3


def test_passes_may_hold_more_positions_where_less_is_kept(make_folder: FolderMaker):
    config = make_folder.model(
        num_hidden_layers=30,
        hidden_size=576,
        intermediate_size=1536,
        num_attention_heads=9,
        num_key_value_heads=3,
    ).architecture.config
    plain, again = (micro_limit(config, recompute=recompute) for recompute in (False, True))
    assert again > 5 * plain
    assert micro_limit(config, pass_bytes=MICRO_BYTES // 2) == pytest.approx(plain / 2, abs=1)
    # Numbers of half the size are half as much, but for the norms'.
    assert 1.8 * plain < micro_limit(config, number_bytes=2) < 1.9 * plain
    # What layers hand on is no smaller.
    exact, rounded = (
        micro_limit(config, pass_bytes=MICRO_BYTES // 16, recompute=True, number_bytes=size)
        for size in (4, 2)
    )
    assert exact < rounded < 1.6 * exact
    # Short rows keep fewer probabilities.
    assert micro_limit(config, 100) > 1.05 * plain
    # A sequence is never cut, and a pass of one is never refused.
    assert micro_limit(config, pass_bytes=1) == 256
