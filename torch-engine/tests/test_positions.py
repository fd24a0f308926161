"""Rotary, learned and no positions against a decoder that is written out by hand."""

import numpy as np
import pytest
import torch

from support import reference
from support.data import packed, positions, random_sequences
from support.folders import FolderMaker

CASES = {
    "none": {"position_embedding_type": "none"},
    "none, grouped, head norm": {
        "position_embedding_type": "none",
        "model_type": "qwen3",
        "num_attention_heads": 4,
        "head_dim": 6,
    },
    "learned": {"position_embedding_type": "learned"},
    "learned, tied": {"position_embedding_type": "learned", "tie_word_embeddings": True},
    "rotary": {"rope_theta": 50.0},
    "rotary, biases": {"attention_bias": True, "num_key_value_heads": 1},
}


@pytest.mark.parametrize("members", CASES.values(), ids=CASES)
def test_logprobs_equal_the_reference(make_folder: FolderMaker, members):
    trainer = make_folder.trainer(**members)
    config = trainer.architecture.config
    trainer.flat.add_(0.1 * torch.randn(len(trainer.flat), generator=torch.Generator().manual_seed(2)))
    sequences = random_sequences(0, [2, 40, 9, 17, 16, 18, 70])
    weights = np.ones(positions(sequences))
    _, out = trainer.run(packed(sequences, weights=weights), {"name": "cross_entropy"}, "all", backward=False)
    named = reference.named(trainer.architecture, trainer.flat)
    expected = torch.cat(
        [reference.logprobs(config, named, sequence[:-1], sequence[1:]) for sequence in sequences]
    )
    assert np.abs(out["logprobs"] - expected.numpy()).max() < 1e-5


def test_a_model_without_positions_cannot_tell_an_order(make_folder: FolderMaker):
    """Without positions the last logits depend on which tokens came before, not on where (one layer; deeper
    ones see the order through the mask)."""
    shape = {"num_hidden_layers": 1}
    same = [[3, 5, 7, 1, 2], [7, 3, 5, 1, 2], [5, 7, 3, 1, 2]]
    lasts = {}
    for kind in ("none", "learned", "rotary"):
        trainer = make_folder.trainer(**shape, position_embedding_type=kind)
        _, out = trainer.run(packed(same, weights=[1] * 12), {"name": "cross_entropy"}, "all", backward=False)
        lasts[kind] = out["logprobs"][3::4]
    assert np.ptp(lasts["none"]) < 1e-6
    assert np.ptp(lasts["learned"]) > 1e-4
    assert np.ptp(lasts["rotary"]) > 1e-4


def test_positions_beyond_the_first_table_are_rotated_too(make_folder: FolderMaker):
    trainer = make_folder.trainer(max_position_embeddings=1000)
    sequences = random_sequences(3, [20, 700])
    arrays = packed(sequences, weights=np.ones(718))
    _, first = trainer.run(arrays, {"name": "cross_entropy"}, "all", backward=False)
    named = reference.named(trainer.architecture, trainer.flat)
    expected = reference.logprobs(trainer.architecture.config, named, sequences[1][:-1], sequences[1][1:])
    assert np.abs(first["logprobs"][19:] - expected.numpy()).max() < 2e-5
