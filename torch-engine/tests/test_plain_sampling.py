"""Sampling from a model of the plain path: the same numbers, stops and limits in every company."""

import numpy as np
import pytest
import torch

from support.data import packed, random_sequences, requested
from support.plain import LENGTHS, VOCABULARY, config_of, saved, step, trainer_of
from support.sampling import everything_is_large, logprobs_of, rows_of, sample
from whetstone_engine.choice import Parameters
from whetstone_engine.errors import EngineError
from whetstone_engine.rows import Request
from whetstone_engine.sampler import Sampler
from whetstone_engine.trainer import Trainer
from whetstone_engine.weights import read_model

PROMPTS = [[3, 4, 5], [6], [3, 4, 5], [7, 8, 9, 10, 11, 12, 13], [14]]


def test_stops_limits_filters_and_company(phi):
    _, folder = phi
    snapshot = trainer_of(folder).snapshot()
    names = [bytes([97 + index]) if index < 26 else b"?" for index in range(VOCABULARY)]

    def write(prompts, parameters, **members):
        arrays = requested(prompts, **members)
        return sample(snapshot, rows_of(arrays, snapshot), parameters, names)

    most, seeds = [5, 9, 14, 3, 20], [11, 12, 13, 14, 15]
    stopping = Parameters(stop_tokens=(4, 9), stop_strings=(b"ca", b"x"))
    together = write(PROMPTS, stopping, samples=6, most=most, seeds=seeds)
    row = 0
    for prompt, longest, seed in zip(PROMPTS, most, seeds, strict=True):
        alone = write([prompt], stopping, samples=6, most=longest, seeds=[seed])
        for index in range(6):
            tokens = together.tokens[row].tolist()
            assert tokens == alone.tokens[index].tolist()
            text = b"".join(names[token] for token in tokens)
            ends = tokens[-1] in (4, 9) or text.endswith((b"ca", b"x"))
            assert together.stopped[row] == ends
            assert ends or len(tokens) == longest
            assert not any(token in (4, 9, 23) for token in tokens[:-1])
            row += 1
    assert 5 < together.stopped.sum() < 30
    greedy = write([[3, 4]], Parameters(temperature=0), samples=2, most=8)
    first = write([[3, 4]], Parameters(top_k=1), samples=2, most=8)
    assert greedy.tokens[0].tolist() == greedy.tokens[1].tolist() == first.tokens[0].tolist()


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("precision", ["fp32", "mixed", "bf16"])
def test_a_snapshot_keeps_its_weights_while_the_trainer_learns(phi, monkeypatch, precision, native):
    everything_is_large(monkeypatch)
    monkeypatch.setattr("whetstone_engine.weights.native_bf16", lambda: native)
    _, folder = phi
    trainer = trainer_of(folder, precision)
    read, unread = trainer.snapshot(), trainer.snapshot()
    arrays = requested(PROMPTS)
    before = logprobs_of(read, arrays)
    step(trainer)
    for snapshot in (read, unread):
        assert np.array_equal(logprobs_of(snapshot, arrays), before, equal_nan=True)
    assert np.nanmax(np.abs(logprobs_of(trainer.snapshot(), arrays) - before)) > 0.1


KINDS = [
    Parameters(),
    Parameters(temperature=0, top=2),
    Parameters(temperature=0.6, top_k=3, stop_tokens=(4, 9)),
    Parameters(top_p=0.7, stop_strings=(b"ca", b"x"), top=3),
    Parameters(min_p=0.2),
]
TABLE = [bytes([97 + index]) if index < 26 else b"?" for index in range(VOCABULARY)]


def finish(sampler: Sampler) -> list[Request]:
    done = []
    while sampler.busy:
        done += sampler.step()
    return done


def of_kinds(snapshot) -> list[Request]:
    return [
        Request(requested([prompt], samples=4, most=12, seeds=[70 + index]), [KINDS[index]], snapshot)
        for index, prompt in enumerate(PROMPTS)
    ]


@pytest.mark.parametrize("caches", [True, False])
def test_requests_of_every_kind_get_what_they_get_alone(phi, caches):
    """Rows of one prompt length write together, each by its own parameters; requests that come meanwhile and
    passes of others between two tokens change nothing."""
    _, folder = phi
    trainer = trainer_of(folder)
    snapshot = trainer.snapshot()
    trainer.architecture.decoder.caches = caches
    alone, together = of_kinds(snapshot), of_kinds(snapshot)
    for one in alone:
        sampler = Sampler(snapshot, TABLE)
        sampler.enqueue([one])
        assert finish(sampler) == [one]
    sampler = Sampler(snapshot, TABLE)
    sampler.enqueue(together[:2])
    done = sampler.step()
    assert {len(row.prompt) for row in sampler.batch.rows} == {1}
    # Of four rows the prompt's token, and one that was written.
    assert sampler.bytes == 4 * 2 * sampler.batch.column_bytes
    sampler.enqueue(together[2:])
    step(trainer)
    done += finish(sampler)
    assert sorted(map(id, done)) == sorted(map(id, together))
    assert sampler.bytes == 0
    for one, other in zip(together, alone, strict=True):
        a, b = one.arrays(), other.arrays()
        assert a.keys() == b.keys()
        for name in a:
            assert np.allclose(a[name], b[name], atol=2e-5), name


def test_a_request_that_fails_fails_alone(phi):
    _, folder = phi
    snapshot = trainer_of(folder).snapshot()
    alone, together = of_kinds(snapshot), of_kinds(snapshot)
    sampler = Sampler(snapshot, None)
    sampler.enqueue(together)
    done = finish(sampler)
    assert sorted(map(id, done)) == sorted(map(id, together))
    with pytest.raises(EngineError, match="the tokens' bytes"):
        together[3].arrays()
    whole = Sampler(snapshot, TABLE)
    whole.enqueue(alone)
    finish(whole)
    for index in (0, 1, 2, 4):
        assert np.array_equal(together[index].arrays()["tokens"], alone[index].arrays()["tokens"])


def test_as_many_rows_write_together_as_memory_holds(phi):
    _, folder = phi
    snapshot = trainer_of(folder).snapshot()
    request = rows_of(requested([[3, 4, 5], [6, 7, 8]], samples=6, most=5), snapshot)
    sampler = Sampler(snapshot, None)
    # Of prompt and answer each row has eight columns.
    sampler.most_bytes = 7 * 8 * sampler.batch.column_bytes + 1
    sampler.enqueue([request])
    sampler.step()
    assert len(sampler.batch.rows) == 7
    # What others hold is not there; one row there always is.
    assert sampler.batch.fitting(list(sampler.waiting), 0) == 0
    finish(sampler)
    assert sampler.batch.fitting(request.rows, 0) == 1
    assert all(len(row.tokens) == 5 for row in request.rows)


def test_after_activations_were_computed_again_samples_decode_from_a_cache(phi):
    """Layers that compute again give no keys and values."""
    _, folder = phi
    source = {"kind": "folder", "path": str(folder)}
    plain, recomputing = trainer_of(folder), Trainer(read_model(source, "fp32"), recompute=True)
    for trainer in (plain, recomputing):
        step(trainer)
    arrays = requested(PROMPTS, samples=2, most=9)
    expected, given = (
        sample(trainer.snapshot(), rows_of(arrays, trainer.snapshot()), Parameters(), None)
        for trainer in (plain, recomputing)
    )
    assert [row.tolist() for row in given.tokens] == [row.tolist() for row in expected.tokens]


def test_without_a_cache_that_can_be_decoded_with_samples_are_the_same(phi):
    _, folder = phi
    snapshot = trainer_of(folder).snapshot()
    arrays = requested(PROMPTS, samples=2, most=[3, 9, 5, 7, 4])
    with_cache = sample(snapshot, rows_of(arrays, snapshot), Parameters(), None)
    snapshot.architecture.decoder.caches = False
    without = sample(snapshot, rows_of(arrays, snapshot), Parameters(), None)
    assert [row.tolist() for row in with_cache.tokens] == [row.tolist() for row in without.tokens]


def test_the_last_position_predicts_the_last_token(phi, tmp_path):
    config = config_of("phi")
    config.max_position_embeddings = 8
    saved(config, tmp_path)
    snapshot = trainer_of(tmp_path).snapshot()
    arrays = requested([[3, 4, 5]], most=50)
    (tokens,) = sample(snapshot, rows_of(arrays, snapshot), Parameters(), None).tokens
    assert len(tokens) == 6
    with pytest.raises(EngineError, match="9 positions, and the model has 8"):
        snapshot.architecture.check(torch.tensor([1]), 9)


def test_a_seed_draws_the_weights_where_there_are_none(phi, tmp_path):
    config_of("phi").save_pretrained(tmp_path)
    one, same, other = (trainer_of(tmp_path, seed=seed).flat for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    with pytest.raises(EngineError) as caught:
        trainer_of(tmp_path)
    assert caught.value.code == "weights-missing"


def test_a_worker_samples_from_both_paths_between_other_calls(phi, make_folder, worker):
    """Samplers take turns, a token each, and those of one model share its module: each has its own weights,
    whatever is trained and scored meanwhile."""
    _, folder = phi
    numbers = iter(range(1, 100))

    def head(verb, **members):
        return {"id": next(numbers), "verb": verb, **members}

    def call(verb, arrays=None, **members):
        reply, out = worker.answer([(head(verb, **members), arrays or {})])[0]
        assert reply["ok"], reply
        return out

    call("create_model", model="m", source={"kind": "folder", "path": str(folder)})
    fast = {"kind": "folder", "path": str(make_folder(vocab_size=VOCABULARY)), "seed": 1}
    call("load_sampler", sampler="fast", source=fast)
    data = packed(random_sequences(3, LENGTHS, VOCABULARY), weights=np.ones(sum(LENGTHS) - len(LENGTHS)))
    training = {"model": "m", "loss": {"name": "cross_entropy"}}
    call("snapshot", model="m", sequence=1, sampler="old")
    call("forward_backward", data, sequence=2, **training)
    call("optim_step", model="m", sequence=3, optimizer="adamw", learningRate=0.05)
    call("snapshot", model="m", sequence=4, sampler="new")
    wanted = requested(PROMPTS, samples=3, most=10)
    names = ("old", "new", "fast")
    alone = [call("sample", wanted, sampler=name)["tokens"].tolist() for name in names]
    assert alone[0] != alone[1]
    heads = [head("sample", sampler=name) for name in names]
    replies = list(worker.receive([(one, wanted) for one in heads]))
    assert not replies
    # "old" is unloaded while it writes.
    between = [
        ("logprobs", {"sampler": "new"}, wanted),
        ("forward_backward", {"sequence": 5, **training}, data),
        ("optim_step", {"model": "m", "sequence": 6, "optimizer": "adamw", "learningRate": 0.05}, {}),
        ("unload", {"sampler": "old"}, {}),
    ]
    while worker.busy_sampling:
        replies += worker.step()
        if between:
            verb, members, arrays = between.pop(0)
            ((reply, _),) = worker.receive([(head(verb, **members), arrays)])
            assert reply["ok"], reply
    written = {reply["id"]: out["tokens"].tolist() for reply, out in replies}
    assert [written[one["id"]] for one in heads] == alone
