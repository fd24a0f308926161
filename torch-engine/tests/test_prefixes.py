"""What an earlier request had computed is not computed again, and the samples are the same."""

import numpy as np
import pytest
import torch

from support.data import random_sequences, requested
from support.folders import FolderMaker
from whetstone_engine import batch as batch_module
from whetstone_engine import prefixes as prefixes_module
from whetstone_engine import sampler as sampler_module
from whetstone_engine.choice import Parameters
from whetstone_engine.prefixes import Prefixes
from whetstone_engine.rows import Request
from whetstone_engine.sampler import Sampler
from whetstone_engine.straight import Straight

SHAPES = {
    "rotary, grouped": {"num_key_value_heads": 1},
    "learned": {"position_embedding_type": "learned"},
    "qwen3": {"model_type": "qwen3", "num_attention_heads": 4, "head_dim": 6},
}


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch):
    monkeypatch.setattr(sampler_module, "LARGE", 0)


def written(sampler: Sampler, prompts, **members) -> Request:
    one = Request(requested(prompts, **members), [Parameters()], sampler.snapshot)
    sampler.enqueue([one])
    while sampler.busy:
        sampler.step()
    return one


def assert_same(one: Request, other: Request) -> None:
    a, b = one.arrays(), other.arrays()
    assert np.array_equal(a["tokens"], b["tokens"])
    assert np.abs(a["logprobs"] - b["logprobs"]).max() < 1e-5


@pytest.mark.parametrize("members", SHAPES.values(), ids=SHAPES)
def test_a_conversation_computes_what_is_new(make_folder: FolderMaker, monkeypatch, members):
    snapshot = make_folder.snapshot(**members)
    sampler = Sampler(snapshot, None)
    first = random_sequences(3, [20, 31, 5])
    turn = written(sampler, first, most=10)
    assert turn.arrays()["cached"].tolist() == [0, 0, 0]
    questions = random_sequences(4, [7, 12, 9])
    second = [
        [*row.prompt.tolist(), *row.tokens.tolist(), *question]
        for row, question in zip(turn.rows, questions, strict=True)
    ]
    fed = []
    decoder = snapshot.architecture.decoder
    for owner, name in ((decoder, "run"), (decoder, "hidden"), (Straight, "read")):
        through = getattr(owner, name)
        monkeypatch.setattr(
            owner,
            name,
            lambda *given, through=through, **named: fed.append(len(given[1])) or through(*given, **named),
        )
    again = written(sampler, second, samples=2, most=1, seeds=[7, 8, 9])
    # All that was read and written, but for the last token written, which nothing had been predicted from.
    assert again.arrays()["cached"].tolist() == [29, 40, 0]
    assert sum(fed) == 1 + 7 + 1 + 12 + len(second[2])
    more = written(sampler, second, samples=2, most=20, seeds=[7, 8, 9])
    fresh = written(Sampler(snapshot, None), second, samples=2, most=20, seeds=[7, 8, 9])
    assert more.arrays()["cached"].min() > 0
    assert_same(more, fresh)


def test_a_prompt_that_is_asked_again_needs_its_last_token_alone(make_folder: FolderMaker):
    sampler = Sampler(make_folder.snapshot(), None)
    (prompt,) = random_sequences(1, [40])
    one = written(sampler, [prompt], most=6)
    other = written(sampler, [prompt], most=6)
    assert other.arrays()["cached"].tolist() == [39]
    assert_same(one, other)


def test_what_is_kept_is_bounded_and_goes_before_rows_do(make_folder: FolderMaker, monkeypatch):
    snapshot = make_folder.snapshot()
    # 256 bytes a column; room for 400 columns, a quarter of it kept.
    monkeypatch.setattr(sampler_module, "CACHE_BYTES", 256 * 400)
    sampler = Sampler(snapshot, None)
    prompts = random_sequences(6, [20] * 8)
    for prompt in prompts:
        written(sampler, [prompt], most=5)
        assert sampler.prefixes.bytes <= 256 * 100
    assert [sampler.prefixes.find(np.array(one, np.int32)) is None for one in prompts] == [True] * 4 + [
        False
    ] * 4
    most, keep = [], Prefixes.keep

    def watched(self: Prefixes, *given) -> None:
        keep(self, *given)
        most.append(sampler.bytes)

    # Also at the moment when rows end, which are kept while they are still in the cache.
    monkeypatch.setattr(Prefixes, "keep", watched)
    monkeypatch.setattr(batch_module, "ROOM", 4)
    one = Request(requested([[1, 2, 3]], samples=30, most=[17]), [Parameters()], snapshot)
    sampler.enqueue([one])
    while sampler.busy:
        sampler.step()
        most.append(sampler.bytes)
    assert max(most) <= 256 * 400
    assert sampler.prefixes.bytes > 0


def sequence(*tokens: int) -> np.ndarray:
    return np.array(tokens, np.int32)


def test_the_longest_beginning_is_found_and_the_least_recently_used_goes(monkeypatch):
    monkeypatch.setattr(prefixes_module, "WORTH", 4)
    monkeypatch.setattr(prefixes_module, "PROBE", 2)
    one = torch.zeros(25)
    held = Prefixes(300)
    held.keep(sequence(1, 2, 3, 4, 5, 6), one)
    held.keep(sequence(1, 2, 3, 4, 9, 9, 9), one)
    assert held.find(sequence(1, 2, 3, 4, 5, 6, 7))[0] == 6
    assert held.find(sequence(1, 2, 3, 4, 9, 9, 8))[0] == 6
    # The last token is to be fed again, and less than four are not worth it.
    assert held.find(sequence(1, 2, 3, 4, 5, 6))[0] == 5
    assert held.find(sequence(1, 2, 3, 4)) is None
    assert held.find(sequence(1, 2, 3, 8, 8)) is None
    assert held.find(sequence(7, 7)) is None
    # A longer one holds what begins it.
    held.keep(sequence(1, 2, 3, 4, 5, 6, 7, 8), one)
    assert held.bytes == 200
    assert held.find(sequence(1, 2, 3, 4, 9, 9, 9, 9))[0] == 7
    held.keep(sequence(5, 5, 5, 5), one)
    held.keep(sequence(6, 6, 6, 6), one)
    assert held.bytes == 300
    assert held.find(sequence(1, 2, 3, 4, 5, 6, 7, 8, 9))[0] == 4
    assert not held.wants(sequence(6, 6, 6, 6), 10)
    assert not held.wants(sequence(6, 6), 10)
    assert not held.wants(sequence(6, 6, 6, 7), 400)
    assert held.wants(sequence(6, 6, 6, 7), 100)
    held.shrink(0)
    assert held.bytes == 0
    assert held.find(sequence(6, 6, 6, 6, 6)) is None
