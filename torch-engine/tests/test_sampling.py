"""Whole samples: what they depend on, where they end, and that their logprobs are what the trainer
computes."""

import numpy as np
import pytest
import torch

from support import reference
from support.data import packed, random_sequences, requested
from support.folders import FolderMaker
from support.sampling import logprobs_of, rows_of, sample
from whetstone_engine import batch as batch_module
from whetstone_engine import prefill as prefill_module
from whetstone_engine import scores as scores_module
from whetstone_engine.choice import Parameters
from whetstone_engine.errors import EngineError

SHAPES = {
    "rotary, grouped": {"num_key_value_heads": 1},
    "learned": {"position_embedding_type": "learned"},
    "none": {"position_embedding_type": "none"},
    "smollm3": {"model_type": "smollm3", "no_rope_layers": [0, 1], "tie_word_embeddings": False},
    "qwen3": {"model_type": "qwen3", "num_attention_heads": 4, "head_dim": 6},
}
PROMPTS = random_sequences(8, [1, 2, 3, 3, 9, 15, 16, 17, 18, 30, 3])


def written(snapshot, arrays, token_bytes=None, **parameters):
    return sample(snapshot, rows_of(arrays, snapshot), Parameters(**parameters), token_bytes)


def token_lists(samples) -> list[list[int]]:
    return [row.tolist() for row in samples.tokens]


@pytest.mark.parametrize("members", SHAPES.values(), ids=SHAPES)
def test_greedy_takes_the_reference_s_likeliest_token(make_folder: FolderMaker, members):
    trainer = make_folder.trainer(**members)
    config = trainer.architecture.config
    weights = reference.named(trainer.architecture, trainer.flat)
    samples = written(trainer.snapshot(), requested(PROMPTS, most=20), temperature=0.0)
    for prompt, tokens, logprobs in zip(PROMPTS, samples.tokens, samples.logprobs, strict=True):
        assert len(tokens) == 20
        expected = reference.logits(config, weights, [*prompt, *tokens.tolist()]).log_softmax(-1)
        expected = expected[len(prompt) - 1 : -1]
        assert tokens.tolist() == expected.argmax(1).tolist()
        assert np.abs(logprobs - expected.max(1).values.numpy()).max() < 1e-5


@pytest.mark.parametrize("members", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("temperature", [0.0, 1.0, 1.7])
def test_sampled_logprobs_equal_recomputed_ones(make_folder: FolderMaker, members, temperature):
    trainer = make_folder.trainer(**members)
    snapshot = trainer.snapshot()
    arrays = requested(PROMPTS, samples=3, most=[5, 70, 3, 9, 20, 70, 1, 2, 30, 11, 64])
    samples = written(snapshot, arrays, temperature=temperature)
    owners = [prompt for prompt in PROMPTS for _ in range(3)]
    whole = [[*prompt, *tokens] for prompt, tokens in zip(owners, token_lists(samples), strict=True)]
    recomputed = logprobs_of(snapshot, requested(whole))
    total = sum(len(line) - 1 for line in whole)
    _, trained = trainer.run(
        packed(whole, weights=[1] * total), {"name": "cross_entropy"}, "all", backward=False
    )
    start = 0
    for row, (prompt, line) in enumerate(zip(owners, whole, strict=True)):
        given = recomputed[start : start + len(line)]
        assert np.isnan(given[0])
        assert np.abs(given[len(prompt) :] - samples.logprobs[row]).max() < 1e-4
        begin = start - row
        assert np.abs(given[1:] - trained["logprobs"][begin : begin + len(line) - 1]).max() < 1e-5
        start += len(line)


@pytest.mark.parametrize("members", SHAPES.values(), ids=SHAPES)
def test_a_sample_does_not_depend_on_its_company(make_folder: FolderMaker, members, monkeypatch):
    snapshot = make_folder.snapshot(**members)
    most = [3 + 7 * index % 40 for index in range(len(PROMPTS))]
    seeds = [2**47 - index for index in range(len(PROMPTS))]
    together = written(snapshot, requested(PROMPTS, samples=4, most=most, seeds=seeds), stop_tokens=(2, 5))
    alone = []
    for index, prompt in enumerate(PROMPTS):
        arrays = requested([prompt], samples=4, most=most[index], seeds=[seeds[index]])
        alone += token_lists(written(snapshot, arrays, stop_tokens=(2, 5)))
    assert token_lists(together) == alone
    assert len({tuple(tokens) for tokens in alone}) > 30
    # However rows are cut into batches, and prompts into passes.
    monkeypatch.setattr(batch_module, "ROWS", 3)
    monkeypatch.setattr(prefill_module, "PREFILL_TOKENS", 5)
    monkeypatch.setattr(batch_module, "DRAWN", 4)
    monkeypatch.setattr(batch_module, "ROOM", 1)
    small = written(snapshot, requested(PROMPTS, samples=4, most=most, seeds=seeds), stop_tokens=(2, 5))
    assert token_lists(small) == alone
    for one, other in zip(together.logprobs, small.logprobs, strict=True):
        assert np.abs(one - other).max() < 1e-4


def test_fewer_samples_are_the_first_of_more_and_seeds_tell_apart(make_folder: FolderMaker):
    snapshot = make_folder.snapshot()
    many = token_lists(written(snapshot, requested([[1, 2]], samples=8, seeds=[5])))
    assert token_lists(written(snapshot, requested([[1, 2]], samples=3, seeds=[5]))) == many[:3]
    assert token_lists(written(snapshot, requested([[1, 2]], samples=8, seeds=[6]))) != many
    assert len({tuple(tokens) for tokens in many}) == 8


def test_frequencies_of_whole_samples(make_folder: FolderMaker):
    """All 2-token answers to one prompt, against their exact probabilities at a temperature."""
    trainer = make_folder.trainer(vocab_size=4)
    weights, count = reference.named(trainer.architecture, trainer.flat), 20_000
    arrays = requested([[1, 2, 3]], samples=count, most=2, seeds=[77])
    pairs = np.array(token_lists(written(trainer.snapshot(), arrays, temperature=1.5)))
    config = trainer.architecture.config
    expected = np.zeros((4, 4))
    first = (reference.logits(config, weights, [1, 2, 3])[-1] / 1.5).softmax(-1)
    for token in range(4):
        second = (reference.logits(config, weights, [1, 2, 3, token])[-1] / 1.5).softmax(-1)
        expected[token] = first[token] * second
    observed = np.zeros((4, 4))
    np.add.at(observed, (pairs[:, 0], pairs[:, 1]), 1)
    statistic = ((observed - count * expected) ** 2 / (count * expected)).sum()
    # The 0.9999 quantile of chi-square with 15 degrees of freedom.
    assert statistic < 44.3


def test_stop_tokens_end_a_sample_and_are_kept(make_folder: FolderMaker):
    snapshot = make_folder.snapshot()
    arrays = requested([[index] for index in range(11)], samples=20, most=12)
    free = written(snapshot, arrays)
    held = written(snapshot, arrays, stop_tokens=(3, 7, 5000))
    ends = []
    for tokens, whole, stopped in zip(token_lists(held), token_lists(free), held.stopped, strict=True):
        found = [place for place, token in enumerate(whole) if token in (3, 7)]
        end = found[0] + 1 if found else 12
        assert tokens == whole[:end]
        assert stopped == bool(found)
        ends.append(end)
    assert min(ends) == 1
    assert max(ends) == 12
    assert not free.stopped.any()
    # A stop with the last token that may be written is a stop.
    assert held.stopped[[row for row, tokens in enumerate(free.tokens) if tokens[0] in (3, 7)]].all()


def test_stop_strings_end_a_sample_in_any_batch(make_folder: FolderMaker):
    snapshot = make_folder.snapshot()
    table = [bytes([97 + index % 3]) * (1 + index % 2) for index in range(11)]
    arrays = requested([[index] for index in range(11)], samples=20, most=12)
    free = written(snapshot, arrays)
    held = written(snapshot, arrays, table, stop_strings=(b"abba", b"cab"))
    kinds = set()
    for tokens, whole, stopped in zip(token_lists(held), token_lists(free), held.stopped, strict=True):
        assert tokens == whole[: len(tokens)]
        text = b"".join(table[token] for token in tokens)
        before = b"".join(table[token] for token in tokens[:-1])
        assert stopped == (b"abba" in text or b"cab" in text)
        assert not (b"abba" in before or b"cab" in before)
        assert stopped or len(tokens) == 12
        kinds.add(bool(stopped))
    assert kinds == {True, False}
    with pytest.raises(EngineError, match="bytes"):
        written(snapshot, arrays, None, stop_strings=(b"a",))


@pytest.mark.parametrize("kind", ["learned", "rotary"])
def test_a_sample_ends_at_the_model_s_last_position(make_folder: FolderMaker, kind):
    trainer = make_folder.trainer(max_position_embeddings=10, position_embedding_type=kind)
    snapshot = trainer.snapshot()
    samples = written(snapshot, requested([[1] * 4, [1] * 10], most=50))
    # Ten positions are read, and what the last of them predicts is written.
    assert [len(tokens) for tokens in samples.tokens] == [7, 1]
    assert not samples.stopped.any()
    whole = [1] * 4 + token_lists(samples)[0]
    recomputed = logprobs_of(snapshot, requested([whole]))
    assert np.abs(recomputed[4:] - samples.logprobs[0]).max() < 1e-4
    # Those that are done stay with the others for a while, and must not reach beyond.
    crowd = written(snapshot, requested([[1] * 4] * 5 + [[1] * 10], most=50))
    assert [len(tokens) for tokens in crowd.tokens] == [7, 7, 7, 7, 7, 1]
    with pytest.raises(EngineError, match="11 positions") as caught:
        written(snapshot, requested([[1] * 11]))
    assert caught.value.code == "too-long"
    with pytest.raises(EngineError):
        logprobs_of(snapshot, requested([[1] * 12]))


def test_a_model_without_positions_has_no_last_one(make_folder: FolderMaker):
    snapshot = make_folder.snapshot(max_position_embeddings=10, position_embedding_type="none")
    assert [len(tokens) for tokens in written(snapshot, requested([[1] * 30], most=50)).tokens] == [50]


def test_prompts_that_are_equal_are_read_once(make_folder: FolderMaker, monkeypatch):
    snapshot = make_folder.snapshot()
    fed = []
    decoder = snapshot.architecture.decoder
    unwatched = decoder.run
    monkeypatch.setattr(decoder, "run", lambda *given: fed.append(len(given[1])) or unwatched(*given))
    written(snapshot, requested([[1, 2, 3], [4, 5, 6], [1, 2, 3]], samples=5, most=1))
    assert fed == [6]


def test_a_limit_that_is_never_reached_costs_nothing(make_folder: FolderMaker):
    snapshot = make_folder.snapshot(position_embedding_type="none")
    samples = written(snapshot, requested([[1, 2]], most=2**31 - 1), stop_tokens=tuple(range(10)))
    assert samples.stopped.all()


def test_weights_that_are_no_numbers_are_named(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    trainer.flat[5] = torch.nan
    for temperature in (0.0, 1.0):
        with pytest.raises(EngineError) as caught:
            written(trainer.snapshot(), requested([[0, 1]]), temperature=temperature)
        assert caught.value.code == "non-finite-logits"
    with pytest.raises(EngineError) as caught:
        logprobs_of(trainer.snapshot(), requested([[0, 1, 2]]))
    assert caught.value.code == "non-finite-logits"


def test_logprobs_of_many_lengths_in_small_passes(make_folder: FolderMaker, monkeypatch):
    trainer = make_folder.trainer()
    sequences = random_sequences(4, [1, 9, 2, 30, 1, 17, 100])
    weights = reference.named(trainer.architecture, trainer.flat)
    for limit in (16384, 20, 1):
        monkeypatch.setattr(scores_module, "FORWARD_TOKENS", limit)
        out = logprobs_of(trainer.snapshot(), requested(sequences))
        for sequence, given in zip(
            sequences, np.split(out, np.cumsum([len(line) for line in sequences])[:-1]), strict=True
        ):
            assert np.isnan(given[0])
            if len(sequence) > 1:
                config = trainer.architecture.config
                expected = reference.logprobs(config, weights, sequence[:-1], sequence[1:])
                assert np.abs(given[1:] - expected.numpy()).max() < 1e-5
