"""Whole samples and scores of a snapshot, without a worker: what tests ask for."""

from dataclasses import dataclass

import numpy as np
import pytest

from whetstone_engine import in_lanes, weights
from whetstone_engine.choice import Parameters
from whetstone_engine.frames import Arrays
from whetstone_engine.rows import Request
from whetstone_engine.sampler import Sampler
from whetstone_engine.scores import score
from whetstone_engine.snapshot import Snapshot


def everything_is_large(monkeypatch: pytest.MonkeyPatch, *, blocks: bool = False) -> None:
    """Of whatever size, models are read in lanes from now on, or in blocks in fp32 too."""
    for module in (in_lanes, weights):
        monkeypatch.setattr(module, "LARGE", 0)
    monkeypatch.setattr(weights, "onednn_in_fp32", lambda: blocks)


@dataclass(frozen=True)
class Samples:
    """What was written, one entry a row: token ids, their logprobs, and whether a stop ended it."""

    tokens: list[np.ndarray]
    logprobs: list[np.ndarray]
    stopped: np.ndarray


def rows_of(arrays: Arrays, snapshot: Snapshot) -> Request:
    """The rows that a request asks for, sample by sample; raises too-long, token-out-of-range,
    bad-request."""
    return Request(arrays, [Parameters()], snapshot)


def sample(
    snapshot: Snapshot, request: Request, parameters: Parameters, token_bytes: list[bytes] | None
) -> Samples:
    """Writes every row of one request. Raises bad-request, and non-finite-logits where the model makes
    none."""
    for row in request.rows:
        row.parameters = parameters
    sampler = Sampler(snapshot, token_bytes)
    sampler.enqueue([request])
    while sampler.busy:
        sampler.step()
    if request.error is not None:
        raise request.error
    rows = request.rows
    return Samples(
        [row.tokens for row in rows], [row.logprobs for row in rows], np.array([row.stopped for row in rows])
    )


def logprobs_of(snapshot: Snapshot, arrays: Arrays) -> np.ndarray:
    """As `score`, the logprobs alone."""
    return score(snapshot, arrays)["logprobs"]
