"""Rows on several threads are written as on one."""

import numpy as np
import pytest
import torch

from support.data import random_sequences, requested
from support.folders import FolderMaker
from whetstone_engine import lanes
from whetstone_engine.choice import Parameters
from whetstone_engine.errors import EngineError
from whetstone_engine.sampler import rows_of, sample


@pytest.fixture(params=[2, 3])
def threads(request):
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(1)


def prompts_of(*lengths: int) -> list[np.ndarray]:
    return [np.array(sequence, np.int32) for sequence in random_sequences(3, list(lengths))]


def test_rows_are_dealt_out_evenly():
    prompts = prompts_of(*range(1, 41))
    parts = lanes.divide(prompts, np.arange(40), 2)
    assert sorted(np.concatenate(parts).tolist()) == list(range(40))
    costs = [sum(len(prompts[row]) for row in part) for part in parts]
    assert abs(costs[0] - costs[1]) <= 40
    assert all((np.diff(part) > 0).all() for part in parts)


def test_samples_of_one_prompt_stay_together():
    prompts = [prompt for prompt in prompts_of(*[9] * 12) for _ in range(4)]
    parts = lanes.divide(prompts, np.arange(48), 2)
    assert [len(part) for part in parts] == [24, 24]
    assert all(len({row // 4 for row in part.tolist()}) == 6 for part in parts)
    # Unless there is only one.
    assert [len(part) for part in lanes.divide(prompts[:1] * 30, np.arange(30), 3)] == [10, 10, 10]


@pytest.mark.parametrize(("rows", "expected"), [(1, 1), (15, 1), (16, 2), (31, 3), (100, 4)])
def test_few_rows_take_few_lanes(rows, expected):
    assert len(lanes.divide(prompts_of(*[5] * rows), np.arange(rows), 4)) == expected


def test_no_thread_changes_a_sample(make_folder: FolderMaker, threads):
    snapshot = make_folder.snapshot(num_key_value_heads=1)
    rows = rows_of(requested(random_sequences(1, [3, 9, 20, 33, 5]), samples=10, most=12), snapshot)
    parameters = Parameters(stop_tokens=(3,))
    out = sample(snapshot, rows, parameters, None)
    assert torch.get_num_threads() == threads
    torch.set_num_threads(1)
    expected = sample(snapshot, rows, parameters, None)
    assert all(map(np.array_equal, out.tokens, expected.tokens))
    assert np.array_equal(out.stopped, expected.stopped)
    assert np.allclose(np.concatenate(out.logprobs), np.concatenate(expected.logprobs), atol=1e-5)


def test_what_fails_on_a_thread_is_raised(make_folder: FolderMaker, threads):
    snapshot = make_folder.snapshot()
    snapshot.weights["norm"].fill_(torch.nan)
    rows = rows_of(requested(random_sequences(1, [3] * 40)), snapshot)
    with pytest.raises(EngineError, match="not finite"):
        sample(snapshot, rows, Parameters(), None)
    assert torch.get_num_threads() == threads
