"""Small models decode on one thread, large ones on all, and what follows has all of them again."""

import pytest
import torch

from support.data import requested
from support.folders import FolderMaker
from support.sampling import rows_of, sample
from whetstone_engine import threads
from whetstone_engine.batch import Batch
from whetstone_engine.choice import Parameters
from whetstone_engine.errors import EngineError
from whetstone_engine.threads import worth_of


@pytest.fixture
def three():
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(1)


def test_a_thread_must_be_worth_it(make_folder: FolderMaker):
    small = make_folder.snapshot().architecture.config
    assert [worth_of(small, count) for count in (1, 2, 16)] == [1, 1, 1]
    # The shape of SmolLM2-135M.
    shape = {
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
    }
    large = make_folder.snapshot(num_hidden_layers=1, **shape).architecture.config
    assert [worth_of(large, count) for count in (1, 2, 16)] == [1, 2, 13]


def test_it_decodes_on_as_many(make_folder: FolderMaker, monkeypatch, three):
    snapshot = make_folder.snapshot()
    arrays = requested([[1, 2], [3]], samples=20)
    seen, step = [], Batch.step
    monkeypatch.setattr(Batch, "step", lambda self: seen.append(torch.get_num_threads()) or step(self))
    one = sample(snapshot, rows_of(arrays, snapshot), Parameters(), None)
    monkeypatch.setattr(threads, "WORTH", 1)
    three_each = sample(snapshot, rows_of(arrays, snapshot), Parameters(), None)
    assert set(seen) == {1, 3}
    assert torch.get_num_threads() == 3
    assert [row.tolist() for row in one.tokens] == [row.tolist() for row in three_each.tokens]


def test_a_fault_leaves_the_threads_as_they_were(make_folder: FolderMaker, three):
    snapshot = make_folder.snapshot()
    with pytest.raises(EngineError):
        sample(snapshot, rows_of(requested([[1]]), snapshot), Parameters(stop_strings=(b"a",)), None)
    assert torch.get_num_threads() == 3
