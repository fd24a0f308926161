"""Sampling with a key–value cache: rows of like prompts and limits decode together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .beginnings import shared_beginnings
from .cache import Cache
from .choice import Parameters, choose
from .errors import EngineError, bad_request
from .frames import Arrays
from .kernels import target_logprobs
from .lanes import divide, run
from .packing import Packing
from .randomness import uniforms
from .request import array, sequence_lengths
from .stops import StopStrings
from .trainer import Snapshot, places
from .weights import Architecture

ROWS = 512
"""Most rows that decode together."""
CACHE_BYTES = 2 * 2**30
"""Most bytes of keys and values, should every row be written to its limit, or to as many tokens as LONG."""
LONG = 2048
PREFILL_TOKENS = 2048
"""Positions of one pass over prompts: many for the matrix products, few for the processor's caches."""
FORWARD_TOKENS = 16384
FORWARD_LOGITS = 64 * 2**20
DRAWN = 64
"""Positions whose random numbers are drawn at once."""
KEEP = 0.6
"""Finished rows are dropped when at most this share of a batch is still writing."""


@dataclass(frozen=True)
class Rows:
    """The samples that requests ask for: prompts, and for each sample its seed, index and most tokens."""

    prompts: list[np.ndarray]
    seeds: np.ndarray
    samples: np.ndarray
    limits: np.ndarray

    @staticmethod
    def joined(parts: list[Rows]) -> Rows:
        if len(parts) == 1:
            return parts[0]
        prompts = [prompt for part in parts for prompt in part.prompts]
        columns = [
            np.concatenate([getattr(part, name) for part in parts]) for name in ("seeds", "samples", "limits")
        ]
        return Rows(prompts, *columns)

    def select(self, rows: np.ndarray) -> Rows:
        prompts = [self.prompts[row] for row in rows.tolist()]
        return Rows(prompts, self.seeds[rows], self.samples[rows], self.limits[rows])


@dataclass(frozen=True)
class Samples:
    """What was written, one entry a row: token ids, their logprobs, and whether a stop ended it."""

    tokens: list[np.ndarray]
    logprobs: list[np.ndarray]
    stopped: np.ndarray


def rows_of(arrays: Arrays, snapshot: Snapshot) -> Rows:
    """The rows that a request asks for, sample by sample; raises too-long, token-out-of-range,
    bad-request."""
    lengths = sequence_lengths(arrays, "tokens")
    count = len(lengths)
    samples, most = array(arrays, "samples", "i32", count), array(arrays, "maxTokens", "i32", count)
    seeds, tokens = array(arrays, "seeds", "i64", count), array(arrays, "tokens", "i32")
    if samples.min() < 1 or most.min() < 1:
        raise bad_request("samples and maxTokens must be at least 1")
    snapshot.architecture.check(torch.from_numpy(tokens.astype(np.int64)), int(lengths.max()))
    limits = most.astype(np.int64)
    if snapshot.architecture.config.max_positions > 0:
        # The last token that is written takes no position: nothing follows it.
        limits = np.minimum(limits, snapshot.architecture.config.max_positions - lengths + 1)
    owner = np.repeat(np.arange(count), samples)
    index = np.arange(len(owner)) - np.repeat(np.cumsum(samples) - samples, samples)
    prompts = np.split(tokens, np.cumsum(lengths)[:-1])
    return Rows([prompts[one] for one in owner.tolist()], seeds[owner], index, limits[owner])


@torch.inference_mode()
def sample(
    snapshot: Snapshot, rows: Rows, parameters: Parameters, token_bytes: list[bytes] | None
) -> Samples:
    """Writes every row's tokens. Raises bad-request, and non-finite-logits where the model makes none."""
    if parameters.stop_strings and token_bytes is None:
        raise bad_request("stop strings need the tokens' bytes, which the model was created without")
    snapshot.pack()
    count = len(rows.prompts)
    tokens: list[np.ndarray] = [np.empty(0, np.int32)] * count
    logprobs: list[np.ndarray] = [np.empty(0, np.float32)] * count
    stopped = np.zeros(count, dtype=bool)
    order = np.lexsort((rows.limits, [len(prompt) for prompt in rows.prompts]))
    lanes = divide(rows.prompts, order, torch.get_num_threads())

    @torch.inference_mode()
    def write(lane: np.ndarray) -> None:
        for chunk in _chunks(rows, lane, snapshot.architecture, CACHE_BYTES // len(lanes)):
            decoding = Decoding(snapshot, rows.select(chunk), parameters, token_bytes)
            decoding.run()
            stopped[chunk] = decoding.stopped
            written, scores = np.stack(decoding.tokens, axis=1), np.stack(decoding.logprobs, axis=1)
            if not np.isfinite(scores).all():
                raise _not_finite()
            for place, row in enumerate(chunk.tolist()):
                length = decoding.lengths[place]
                tokens[row], logprobs[row] = written[place, :length], scores[place, :length]

    run(write, lanes)
    return Samples(tokens, logprobs, stopped)


def _chunks(rows: Rows, order: np.ndarray, architecture: Architecture, most_bytes: int) -> list[np.ndarray]:
    """Rows of like prompts and limits, as many together as a cache of so many bytes may hold."""
    config = architecture.config
    lengths = np.array([len(prompt) for prompt in rows.prompts])
    column_bytes = (
        2 * config.layers * config.key_value_heads * config.head_width * architecture.dtype.itemsize
    )
    columns = np.maximum.accumulate(lengths[order] + np.minimum(rows.limits[order], LONG))
    chunks: list[np.ndarray] = []
    while len(order) > 0:
        room = columns[:ROWS] * np.arange(1, len(columns[:ROWS]) + 1) * column_bytes <= most_bytes
        size = max(1, int(room.sum()))
        chunks.append(order[:size])
        order, columns = order[size:], columns[size:]
    return chunks


class Decoding:
    """Rows that are written together, a token each at a time."""

    def __init__(
        self, snapshot: Snapshot, rows: Rows, parameters: Parameters, token_bytes: list[bytes] | None
    ) -> None:
        self.snapshot, self.rows, self.parameters = snapshot, rows, parameters
        self.decoder, self.config = snapshot.architecture.decoder, snapshot.architecture.config
        self.prompts = np.array([len(prompt) for prompt in rows.prompts])
        self.most = int(rows.limits.max())
        self.cache = Cache(self.config, snapshot.architecture.dtype, self.prompts, self.most)
        count = len(rows.prompts)
        self.tokens: list[np.ndarray] = []
        self.logprobs: list[np.ndarray] = []
        self.lengths, self.stopped = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
        self.stops = np.zeros(self.config.vocabulary, dtype=bool)
        self.stops[[token for token in parameters.stop_tokens if token < self.config.vocabulary]] = True
        self.strings = (
            StopStrings(parameters.stop_strings, token_bytes or []) if parameters.stop_strings else None
        )

    def run(self) -> None:
        rows, start = self.rows, self.cache.start
        hidden_BD = self._prefill()
        # The rows that still decode, and which of them are done without having been dropped.
        live, done = np.arange(len(rows.prompts)), np.zeros(len(rows.prompts), dtype=bool)
        draws = torch.empty(0)
        for position in range(self.most):
            logits_BV = self.decoder.logits(self.snapshot.weights, hidden_BD)
            if self.parameters.temperature > 0:
                if position % DRAWN == 0:
                    draws = torch.from_numpy(uniforms(rows.seeds[live], rows.samples[live], position, DRAWN))
                tokens_B, logprobs_B = choose(logits_BV, self.parameters, draws[:, position % DRAWN])
            else:
                tokens_B, logprobs_B = choose(logits_BV, self.parameters, None)
            tokens = tokens_B.numpy()
            self._write(live, tokens, logprobs_B.numpy())
            stopped = self.stops[tokens]
            if self.strings is not None:
                stopped = stopped | self.strings.completed(live, tokens, ~(done | stopped))
            ended = ~done & (stopped | (rows.limits[live] <= position + 1))
            if ended.any():
                self.lengths[live[ended]], self.stopped[live[ended]] = position + 1, stopped[ended]
                done = done | ended
                writing = np.flatnonzero(~done)
                if len(writing) == 0:
                    return
                if len(writing) <= KEEP * len(live):
                    kept = torch.from_numpy(writing)
                    self.cache.keep(kept)
                    tokens_B, draws = tokens_B[kept], draws[kept] if len(draws) else draws
                    live, done = live[writing], done[writing]
            # Rows that are done and not yet dropped stay at the last position that they had.
            places_B = self.prompts[live] + np.minimum(position, rows.limits[live] - 2)
            hidden_BD = self._advance(tokens_B, torch.from_numpy(places_B), start + position)

    def _write(self, live: np.ndarray, tokens: np.ndarray, logprobs: np.ndarray) -> None:
        count = len(self.lengths)
        for column, values, dtype in ((self.tokens, tokens, np.int32), (self.logprobs, logprobs, np.float32)):
            row = np.zeros(count, dtype=dtype)
            row[live] = values
            column.append(row)

    def _prefill(self) -> Tensor:
        """Fills the cache with the prompts; returns the last hidden states [B, D]."""
        pieces: list[Tensor] = []
        count, begin = len(self.rows.prompts), 0
        while begin < count:
            # Neighbours with one prompt compute it once.
            index: dict[bytes, int] = {}
            owners: list[int] = []
            tokens, end = 0, begin
            while end < count:
                key = self.rows.prompts[end].tobytes()
                if key not in index:
                    if index and tokens + self.prompts[end] > PREFILL_TOKENS:
                        break
                    tokens += int(self.prompts[end])
                owners.append(index.setdefault(key, len(index)))
                end += 1
            distinct = [np.frombuffer(key, np.int32) for key in index]
            shared = None if len(distinct) == end - begin else torch.tensor(owners)
            pieces.append(self._prefill_piece(distinct, slice(begin, end), shared))
            begin = end
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def _prefill_piece(self, prompts: list[np.ndarray], rows: slice, shared: Tensor | None) -> Tensor:
        lengths = np.array([len(prompt) for prompt in prompts])
        tokens_N = torch.from_numpy(np.concatenate(prompts).astype(np.int64))
        bucket, last = self.cache.right_aligned(lengths), torch.from_numpy(np.cumsum(lengths) - 1)
        packing = Packing(lengths, shared_beginnings(tokens_N.numpy(), lengths))
        computed, which = packing.wanted(last)
        hidden = self.decoder.hidden(
            self.snapshot.weights,
            packing.computed(tokens_N),
            packing,
            computed,
            lambda layer, heads: self.cache.fill(layer, rows, packing.at_places(heads), bucket, shared),
        )
        if which is not None:
            hidden = hidden[which]
        return hidden if shared is None else hidden[shared]

    def _advance(self, tokens_B: Tensor, positions_B: Tensor, column: int) -> Tensor:
        """One column further: the hidden states [B, D] that predict the next token."""
        decoder, weights = self.decoder, self.snapshot.weights
        self.cache.open(column)
        x_BD = decoder.embed(weights, tokens_B, positions_B)
        rotation = decoder.rotation(positions_B, x_BD.dtype)
        for layer in range(self.config.layers):
            heads_BHd = decoder.heads(weights, layer, x_BD, rotation)
            x_BD = decoder.finish(weights, layer, x_BD, self.cache.attend(layer, column, heads_BHd))
        return decoder.normalise(weights, x_BD)


@torch.inference_mode()
def logprobs_of(snapshot: Snapshot, arrays: Arrays) -> np.ndarray:
    """The logprob of every token given those before it, fp32 [Σ]; NaN at each first."""
    architecture = snapshot.architecture
    lengths = sequence_lengths(arrays, "tokens")
    tokens = torch.from_numpy(array(arrays, "tokens", "i32").astype(np.int64))
    # Nothing follows a last token, which therefore takes no position.
    architecture.check(tokens, int(lengths.max()) - 1)
    out = np.full(len(tokens), np.nan, dtype=np.float32)
    order = np.flatnonzero(lengths > 1)
    order = order[np.argsort(lengths[order], kind="stable")]
    limit = max(1, min(FORWARD_TOKENS, FORWARD_LOGITS // architecture.config.vocabulary))
    begin = 0
    while begin < len(order):
        size = max(1, int(np.searchsorted(np.cumsum(lengths[order[begin:]]), limit, side="right")))
        rows = order[begin : begin + size]
        place_N = places(lengths, rows)
        inner = np.ones(len(place_N), dtype=bool)
        inner[np.cumsum(lengths[rows]) - 1] = False
        fed, predicted = place_N[inner], place_N[inner] + 1
        packing = Packing(lengths[rows] - 1, shared_beginnings(tokens[fed].numpy(), lengths[rows] - 1))
        hidden_ND = architecture.decoder.hidden(snapshot.weights, packing.computed(tokens[fed]), packing)
        logits_NV = architecture.decoder.logits(snapshot.weights, packing.at_places(hidden_ND))
        out[predicted] = target_logprobs(logits_NV, tokens[predicted]).numpy()
        begin += size
    if np.isnan(out).sum() > len(lengths):
        raise _not_finite()
    return out


def _not_finite() -> EngineError:
    return EngineError(
        "non-finite-logits", "engine", "its logits are not finite: the model's weights are broken"
    )
