"""What a request by itself is answered depends on no other sampler, neither on what it keeps nor on what it
writes."""

import numpy as np
import pytest

from support.data import random_sequences, requested
from support.folders import FolderMaker
from support.sampling import everything_is_large
from whetstone_engine import sampler as sampler_module
from whetstone_engine.worker import Worker

ASKED = requested(random_sequences(3, [30, 30, 30]), samples=2, most=24)
KEPT = requested(random_sequences(7, [30]), samples=1, most=12)
OTHER = requested(random_sequences(5, [40]), samples=1, most=60)


@pytest.fixture
def answers(make_folder: FolderMaker, monkeypatch):
    """What a sampler writes on a worker where memory is short: by itself, after another and beside it."""
    everything_is_large(monkeypatch)
    monkeypatch.setattr(sampler_module, "LARGE", 0)
    # 256 bytes a column: room for three rows of 54 columns, or for two beside what another keeps.
    monkeypatch.setattr(sampler_module, "CACHE_BYTES", 256 * 180)
    source = {"kind": "folder", "path": str(make_folder()), "seed": 1}

    def answers(**members) -> list[np.ndarray]:
        def sample(worker: Worker, *asked) -> np.ndarray:
            requests = [
                ({"id": name, "verb": "sample", "sampler": name, **members}, arrays) for name, arrays in asked
            ]
            replies = worker.answer(requests)
            assert all(head["ok"] for head, _ in replies)
            return next(out["logprobs"] for head, out in replies if head["id"] == "one")

        def loaded() -> Worker:
            worker = Worker()
            for name in ("one", "other"):
                load = {"id": name, "verb": "load_sampler", "sampler": name, "source": source}
                assert worker.answer([(load, {})])[0][0]["ok"]
            return worker

        alone = sample(loaded(), ("one", ASKED))
        worker = loaded()
        worker.answer([({"id": 0, "verb": "sample", "sampler": "other", **members}, KEPT)])
        after = sample(worker, ("one", ASKED))
        before = sample(loaded(), ("one", ASKED), ("other", OTHER))
        behind = sample(loaded(), ("other", OTHER), ("one", ASKED))
        return [alone, after, before, behind]

    return answers


def test_a_request_by_itself_has_the_same_bits_whatever_others_hold(answers):
    alone, *others = answers(forget=True)
    assert [np.array_equal(alone, one) for one in others] == [True] * 3


def test_other_requests_share_the_memory_and_round_otherwise(answers):
    alone, *others = answers()
    assert all(np.allclose(alone, one, atol=1e-5) for one in others)
    assert [np.array_equal(alone, one) for one in others] == [False] * 3
