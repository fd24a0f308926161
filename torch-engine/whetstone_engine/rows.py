"""What `sample` requests ask for, row by row, and what was written."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from .choice import Parameters
from .errors import EngineError, bad_request
from .frames import Arrays, Head
from .request import array, sequence_lengths
from .snapshot import Snapshot

NO_TOKENS, NO_LOGPROBS = np.empty(0, np.int32), np.empty(0, np.float32)
NO_TOP = np.empty((0, 0), np.int32), np.empty((0, 0), np.float32)


@dataclass
class Row:
    """One sample: its prompt, what chooses its tokens, and what is written of it so far."""

    request: Request
    prompt: np.ndarray
    seed: int
    sample: int
    limit: int
    """Most tokens."""
    parameters: Parameters
    tokens: np.ndarray = field(default_factory=lambda: NO_TOKENS)
    logprobs: np.ndarray = field(default_factory=lambda: NO_LOGPROBS)
    top_tokens: np.ndarray = field(default_factory=lambda: NO_TOP[0])
    """[written, k] where the most probable tokens are wanted."""
    top_logprobs: np.ndarray = field(default_factory=lambda: NO_TOP[1])
    stopped: bool = False
    cached: int = 0
    """Tokens of the prompt that an earlier request had computed."""

    def reset(self) -> None:
        """As if nothing had been written."""
        self.tokens, self.logprobs = NO_TOKENS, NO_LOGPROBS
        self.top_tokens, self.top_logprobs = NO_TOP
        self.stopped, self.cached = False, 0

    @property
    def text(self) -> np.ndarray:
        """Prompt and what is written."""
        return self.prompt if len(self.tokens) == 0 else np.concatenate((self.prompt, self.tokens))


class Request:
    """Rows that are answered together."""

    def __init__(self, arrays: Arrays, parameters: list[Parameters], snapshot: Snapshot) -> None:
        """Parameters are one for all prompts, or as many as the array `parameters` names. Raises too-long,
        token-out-of-range and bad-request."""
        lengths = sequence_lengths(arrays, "tokens")
        count = len(lengths)
        samples, most = array(arrays, "samples", "i32", count), array(arrays, "maxTokens", "i32", count)
        seeds, tokens = array(arrays, "seeds", "i64", count), array(arrays, "tokens", "i32")
        which = array(arrays, "parameters", "i32", count) if len(parameters) > 1 else np.zeros(count, int)
        if samples.min() < 1 or most.min() < 1:
            raise bad_request("samples and maxTokens must be at least 1")
        if which.min() < 0 or which.max() >= len(parameters):
            raise bad_request(f"parameters must name one of {len(parameters)} sets")
        snapshot.architecture.check(torch.from_numpy(tokens.astype(np.int64)), int(lengths.max()))
        limits, ends = most.astype(np.int64), np.cumsum(lengths).tolist()
        if snapshot.architecture.config.max_positions > 0:
            # The last token that is written takes no position: nothing follows it.
            limits = np.minimum(limits, snapshot.architecture.config.max_positions - lengths + 1)
        self.error: Exception | None = None
        self.samples = samples
        self.rows = [
            Row(self, tokens[end - length : end], seed, sample, limit, parameters[of])
            for end, length, seed, limit, of, count in zip(
                ends,
                lengths.tolist(),
                seeds.tolist(),
                limits.tolist(),
                which.tolist(),
                samples.tolist(),
                strict=True,
            )
            for sample in range(count)
        ]
        self.unfinished = len(self.rows)

    def reset(self) -> None:
        for row in self.rows:
            row.reset()
        self.unfinished = len(self.rows)

    @property
    def done(self) -> bool:
        return self.unfinished == 0 or self.error is not None

    def arrays(self) -> Arrays:
        """What `sample` answers; see PROTOCOL.md. Raises what the request failed with."""
        if self.error is not None:
            raise self.error
        rows = self.rows
        firsts = np.cumsum(self.samples) - self.samples
        out: Arrays = {
            "lengths": np.array([len(row.tokens) for row in rows], np.int32),
            "reasons": np.array([not row.stopped for row in rows], np.uint8),
            "tokens": np.concatenate([row.tokens for row in rows]),
            "logprobs": np.concatenate([row.logprobs for row in rows]),
            "cached": np.array([rows[first].cached for first in firsts.tolist()], np.int32),
        }
        if any(row.parameters.top for row in rows):
            out["top_tokens"] = np.concatenate([row.top_tokens.reshape(-1) for row in rows])
            out["top_logprobs"] = np.concatenate([row.top_logprobs.reshape(-1) for row in rows])
        return out


def parameters_of(head: Head, vocabulary: int) -> list[Parameters]:
    """The sets of parameters that a request names; the head itself where it lists none."""
    given = head.get("parameters")
    if given is None:
        return [Parameters.read(head, vocabulary)]
    if not isinstance(given, list) or not given or not all(isinstance(one, dict) for one in given):
        raise bad_request("parameters must be a list of at least one object")
    return [Parameters.read(one, vocabulary) for one in given]


def not_finite() -> EngineError:
    return EngineError(
        "non-finite-logits", "engine", "its logits are not finite: the model's weights are broken"
    )
