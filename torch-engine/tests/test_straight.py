"""Rows of a small model through the passes that are written out: begun together or apart, long and short, as
they come and go, their logprobs are the trainer's."""

import numpy as np
import pytest
import torch
from torch import Tensor

from support.data import packed, random_sequences, requested
from support.folders import FolderMaker
from whetstone_engine import first_layer as first_layer_module
from whetstone_engine.choice import Parameters
from whetstone_engine.first_layer import distances_of
from whetstone_engine.folded import straight_of
from whetstone_engine.rows import Request
from whetstone_engine.sampler import Sampler
from whetstone_engine.trainer import Trainer

SHAPES = {
    "rotary": {},
    "rotary, grouped, scaled": {
        "num_attention_heads": 4,
        "head_dim": 6,
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32},
    },
    "rotary, one key head": {"num_key_value_heads": 1},
    "first layer not rotated": {"model_type": "smollm3", "no_rope_layers": [0, 1]},
    "last layer not rotated": {"model_type": "smollm3", "no_rope_layers": [1, 0]},
    "none": {"position_embedding_type": "none"},
    "none, odd heads": {"position_embedding_type": "none", "head_dim": 5},
    "learned": {"position_embedding_type": "learned"},
    "one layer": {"num_hidden_layers": 1},
    "tied": {"tie_word_embeddings": True},
}
EVEN = random_sequences(1, [18] * 5)
SHORT = random_sequences(2, [6] * 4)
UNEVEN = random_sequences(3, [3, 17, 30, 18, 18, 16, 1])


def differences(trainer: Trainer, waves: list[list[list[int]]], most: list[int]) -> np.ndarray:
    """How far the logprobs of samples are from the trainer's; a wave of requests begins when the one before
    has written three tokens."""
    sampler = Sampler(trainer.snapshot(), None)
    requests = []
    for seed, prompts in enumerate(waves):
        asked = requested(prompts, most=[most[index % len(most)] for index in range(len(prompts))])
        asked["seeds"] += 100 * seed
        requests.append(Request(asked, [Parameters()], sampler.snapshot))
        sampler.enqueue([requests[-1]])
        for _ in range(3):
            sampler.step()
    while sampler.busy:
        sampler.step()
    rows = [row for one in requests for row in one.rows]
    lines = [[*row.prompt.tolist(), *row.tokens.tolist()] for row in rows]
    weights = np.concatenate(
        [np.arange(1, len(line)) >= len(row.prompt) for row, line in zip(rows, lines, strict=True)]
    )
    _, out = trainer.run(packed(lines, weights=weights), {"name": "cross_entropy"}, "all", backward=False)
    return np.concatenate([row.logprobs for row in rows]) - out["logprobs"][weights]


@pytest.mark.parametrize("members", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize(
    "waves",
    [[EVEN], [SHORT], [UNEVEN], [EVEN, SHORT, UNEVEN]],
    ids=["even", "short", "uneven", "one wave after the other"],
)
def test_sampled_logprobs_are_the_trainer_s(make_folder: FolderMaker, members, waves):
    trainer = make_folder.trainer(**members)
    for most in ([40], [2, 40, 9, 5, 1, 20]):
        assert np.abs(differences(trainer, waves, most)).max() < 1e-5


def test_a_first_layer_is_looked_up_only_where_its_table_is_small(make_folder: FolderMaker, monkeypatch):
    trainer = make_folder.trainer()
    assert distances_of(trainer.architecture.config) == trainer.architecture.config.max_positions
    without = make_folder.trainer(position_embedding_type="none")
    assert distances_of(without.architecture.config) == 1
    learned = make_folder.trainer(position_embedding_type="learned")
    assert distances_of(learned.architecture.config) == 0
    monkeypatch.setattr(first_layer_module, "NUMBERS", 1000)
    assert distances_of(trainer.architecture.config) == 0
    # What a table holds no more is computed.
    assert np.abs(differences(trainer, [UNEVEN], [20])).max() < 1e-5
    snapshot = trainer.snapshot()
    snapshot.lay_out()
    straight = straight_of(snapshot.weights)
    assert straight is not None
    assert straight.first_layer(64, lambda _: None) is None


def test_rows_that_are_done_do_not_disturb_others(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    prompts = random_sequences(4, [18] * 64)
    assert np.abs(differences(trainer, [prompts], list(range(2, 60)))).max() < 1e-5


def test_a_table_grows_with_the_columns(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    assert np.abs(differences(trainer, [EVEN, EVEN], [100, 3])).max() < 1e-5


def test_a_larger_table_holds_the_same_bits(make_folder: FolderMaker):
    snapshot = make_folder.trainer().snapshot()
    snapshot.lay_out()
    straight, decoder = straight_of(snapshot.weights), snapshot.architecture.decoder
    assert straight is not None

    def rotation_of(count: int) -> Tensor | None:
        return decoder.rotation(snapshot.weights, torch.arange(count))

    small, large = straight.first_layer(20, rotation_of), straight.first_layer(100, rotation_of)
    assert (small.distances, large.distances) == (64, 128)
    shape = small.vocabulary, -1, small.vocabulary
    for some, more in zip(small.scores, large.scores, strict=True):
        assert torch.equal(some.view(shape), more.view(shape)[:, :64])
