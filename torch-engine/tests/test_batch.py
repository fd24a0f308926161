"""Rows come and go between two tokens, and what one of them gets depends on no other."""

import numpy as np
import pytest
import torch

from support.data import random_sequences, requested
from support.folders import FolderMaker
from whetstone_engine import batch as batch_module
from whetstone_engine import sampler as sampler_module
from whetstone_engine.batch import Batch
from whetstone_engine.cache import column_bytes
from whetstone_engine.choice import Parameters
from whetstone_engine.errors import EngineError
from whetstone_engine.rows import Request
from whetstone_engine.sampler import Sampler

KINDS = [
    Parameters(),
    Parameters(temperature=0),
    Parameters(temperature=0.6, top_k=3),
    Parameters(temperature=1.5, top_p=0.7),
    Parameters(min_p=0.2, stop_tokens=(2, 5)),
    Parameters(top_k=5, top_p=0.8, min_p=0.1, stop_strings=(b"abba", b"cab")),
    Parameters(stop_strings=(b"bb",), top=3),
    Parameters(temperature=0, top=2),
]
TABLE = [bytes([97 + index % 3]) * (1 + index % 2) for index in range(11)]
PROMPTS = random_sequences(8, [1, 2, 3, 9, 15, 16, 17, 30])


def request(snapshot, index: int, most: int = 40, samples: int = 3) -> Request:
    arrays = requested([PROMPTS[index]], samples=samples, most=most, seeds=[1000 + index])
    return Request(arrays, [KINDS[index]], snapshot)


def finish(sampler: Sampler) -> list[Request]:
    done = []
    while sampler.busy:
        done += sampler.step()
    return done


def assert_same(one: Request, other: Request) -> None:
    """The same tokens for the same reasons, and logprobs as far as the order of sums allows."""
    a, b = one.arrays(), other.arrays()
    for name in ("lengths", "reasons", "tokens"):
        assert np.array_equal(a[name], b[name]), name
    assert np.abs(a["logprobs"] - b["logprobs"]).max() < 1e-5
    assert ("top_tokens" in a) == ("top_tokens" in b)
    if "top_tokens" in a:
        assert np.abs(a["top_logprobs"] - b["top_logprobs"]).max() < 1e-5


@pytest.fixture
def snapshot(make_folder: FolderMaker):
    return make_folder.snapshot(num_key_value_heads=1)


@pytest.fixture
def alone(snapshot) -> list[Request]:
    """Each kind by itself."""
    requests = [request(snapshot, index) for index in range(len(KINDS))]
    for one in requests:
        sampler = Sampler(snapshot, TABLE)
        sampler.enqueue([one])
        assert finish(sampler) == [one]
    assert len({tuple(row.tokens) for one in requests for row in one.rows}) > 15
    return requests


def test_parameters_of_every_kind_share_a_batch(snapshot, alone):
    sampler = Sampler(snapshot, TABLE)
    together = [request(snapshot, index) for index in range(len(KINDS))]
    sampler.enqueue(together)
    sampler.step()
    assert len(sampler.batch.rows) == 3 * len(KINDS)
    finish(sampler)
    for one, other in zip(together, alone, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("apart", [1, 2, 7])
@pytest.mark.parametrize("drawn", [4, 64])
def test_rows_that_join_later_are_written_as_alone(snapshot, alone, monkeypatch, apart, drawn):
    monkeypatch.setattr(batch_module, "DRAWN", drawn)
    sampler = Sampler(snapshot, TABLE)
    together = [request(snapshot, index) for index in range(len(KINDS))]
    most = 0
    for one in reversed(together):
        sampler.enqueue([one])
        for _ in range(apart):
            sampler.step()
            most = max(most, len(sampler.batch.rows))
    finish(sampler)
    assert most > 6
    for one, other in zip(together, alone, strict=True):
        assert_same(one, other)


def test_rows_that_ended_give_their_places_to_those_that_wait(snapshot, monkeypatch):
    monkeypatch.setattr(batch_module, "ROWS", 4)
    monkeypatch.setattr(sampler_module, "ROWS", 4)
    sampler = Sampler(snapshot, None)
    limits = [2, 9, 9, 9, 3, 5]
    arrays = requested([[1]] * 6, most=limits, samples=1)
    one = Request(arrays, [Parameters()], snapshot)
    sampler.enqueue([one])
    steps, rows = 0, []
    while sampler.busy:
        sampler.step()
        steps, rows = steps + 1, [*rows, len(sampler.batch.rows)]
    # 37 tokens in 4 places, by limit: 2 and 3 end early, and the last two 9s begin then.
    assert steps == 12
    assert max(rows) == 4
    assert one.arrays()["lengths"].tolist() == limits


@pytest.mark.parametrize("columns", [45, 90, 200])
def test_rows_that_memory_has_no_room_for_are_put_aside_and_go_on(snapshot, alone, monkeypatch, columns):
    each = column_bytes(snapshot.architecture.config, torch.float32)
    monkeypatch.setattr(batch_module, "ROOM", 2)
    monkeypatch.setattr(sampler_module, "CACHE_BYTES", columns * each)
    parked, most = [], 0
    enlarge = Batch.enlarge
    monkeypatch.setattr(Batch, "enlarge", lambda self, room: parked.extend(out := enlarge(self, room)) or out)
    sampler = Sampler(snapshot, TABLE)
    together = [request(snapshot, index) for index in range(len(KINDS))]
    sampler.enqueue(together)
    while sampler.busy:
        sampler.step()
        many = len(sampler.batch.rows) > 1
        most = max(most, sampler.bytes if many else 0)
    assert most <= columns * each
    assert len(parked) > 0
    for one, other in zip(together, alone, strict=True):
        assert_same(one, other)


def test_what_is_wrong_with_one_is_not_the_others_fault(snapshot, alone, monkeypatch):
    sampler = Sampler(snapshot, TABLE)
    together = [request(snapshot, index) for index in range(len(KINDS))]
    culprit, step = together[3], Batch.step

    def breaking(self: Batch):
        if any(row.request is culprit for row in self.rows) and self.positions.max() >= 5:
            raise RuntimeError("one of these rows breaks it")
        return step(self)

    monkeypatch.setattr(Batch, "step", breaking)
    sampler.enqueue(together)
    assert {id(one) for one in finish(sampler)} == {id(one) for one in together}
    for index, (one, other) in enumerate(zip(together, alone, strict=True)):
        if index == 3:
            with pytest.raises(RuntimeError, match="breaks it"):
                one.arrays()
        else:
            assert_same(one, other)


def test_logits_that_are_no_numbers_end_a_request_at_once(make_folder: FolderMaker):
    trainer = make_folder.trainer()
    trainer.flat[5] = torch.nan
    sampler = Sampler(trainer.snapshot(), None)
    one = Request(requested([[0, 1]], samples=600, most=[2]), [Parameters()], sampler.snapshot)
    sampler.enqueue([one])
    assert finish(sampler) == [one]
    with pytest.raises(EngineError) as caught:
        one.arrays()
    assert caught.value.code == "non-finite-logits"
    assert not sampler.busy
    # Memory with what is no number in it is not for others.
    assert sampler.batch.cache.pieces == []


def test_rows_are_written_in_the_memory_of_earlier_ones(snapshot, alone):
    sampler = Sampler(snapshot, TABLE)
    held = []
    for index in (7, 0, 5, 7):
        one = request(snapshot, index)
        sampler.enqueue([one])
        sampler.step()
        held.append(sampler.batch.cache.layers[0].untyped_storage().data_ptr())
        finish(sampler)
        assert_same(one, alone[index])
    # That of the longest prompt has room for all.
    assert len(set(held)) == 1


def test_the_most_probable_tokens_are_the_model_s(snapshot, alone):
    from whetstone_engine.scores import score

    for index in (6, 7):
        one, k = alone[index], KINDS[index].top
        out = one.arrays()
        assert len(out["top_tokens"]) == k * len(out["tokens"])
        at = 0
        for row in one.rows:
            scored = score(snapshot, requested([[*row.prompt, *row.tokens]]), k)
            expected = scored["top_logprobs"].reshape(-1, k)[len(row.prompt) :]
            tokens = scored["top_tokens"].reshape(-1, k)[len(row.prompt) :]
            size = expected.size
            assert np.abs(out["top_logprobs"][at : at + size].reshape(-1, k) - expected).max() < 1e-5
            assert np.array_equal(out["top_tokens"][at : at + size].reshape(-1, k), tokens)
            at += size
            if KINDS[index].temperature == 0:
                assert np.array_equal(row.top_tokens[:, 0], row.tokens)
                assert np.abs(row.top_logprobs[:, 0] - row.logprobs).max() < 1e-6


def test_without_memory_to_begin_requests_hear_of_it_and_the_sampler_goes_on(snapshot, alone, monkeypatch):
    sampler = Sampler(snapshot, TABLE)
    together = [request(snapshot, index) for index in range(2)]
    sampler.enqueue(together)

    def full():
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(snapshot, "lay_out", full)
        assert sampler.step() == together
    for one in together:
        with pytest.raises(MemoryError):
            one.arrays()
    assert not sampler.busy
    again = request(snapshot, 1)
    sampler.enqueue([again])
    assert finish(sampler) == [again]
    assert_same(again, alone[1])


def test_numbers_that_are_none_stay_with_their_row(make_folder: FolderMaker):
    """A token whose embedding is broken breaks the rows that have it, and none that comes into their
    place."""
    trainer = make_folder.trainer(max_position_embeddings=4096)
    trainer.leaves["embed"].data[7] = torch.nan
    snapshot = trainer.snapshot()

    def asked(prompt: list[int], most: int) -> Request:
        return Request(requested([prompt], most=most), [Parameters(temperature=0)], snapshot)

    expected = asked([3, 1], 5)
    sampler = Sampler(snapshot, None)
    sampler.enqueue([expected])
    finish(sampler)
    # The broken row is in the last place, and gives it up while the first one still writes.
    first, broken, later = asked([1] * 20, 60), asked([1] * 20 + [7] * 20, 60), asked([3, 1], 5)
    sampler.enqueue([first, broken])
    assert sampler.step() == [broken]
    with pytest.raises(EngineError, match="not finite"):
        broken.arrays()
    sampler.enqueue([later])
    assert finish(sampler) == [later, first]
    assert_same(later, expected)
