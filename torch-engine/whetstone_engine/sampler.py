"""Sampling with a key–value cache. Prompts are right-aligned, so that every row writes the same column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .decoder import Packing, pack
from .errors import bad_request
from .frames import Arrays
from .randomness import uniforms
from .trainer import Snapshot

ROWS = 512
"""Most rows that decode together."""
DRAWN = 64
"""Positions whose random numbers are drawn at once."""
KEEP = 0.75
"""Finished rows are dropped when at most this share of a batch is still writing."""


@dataclass
class Parameters:
    """What a batch of samples has in common."""

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    stop_tokens: tuple[int, ...] = ()
    stop_strings: tuple[bytes, ...] = ()

    @staticmethod
    def read(head: dict[str, Any]) -> Parameters:
        def number(name: str, default: float) -> float:
            value = head.get(name)
            return default if value is None else value

        read = Parameters(
            float(number("temperature", 1.0)),
            int(number("topK", 0)),
            float(number("topP", 1.0)),
            float(number("minP", 0.0)),
            tuple(head.get("stopTokens") or ()),
            tuple(text.encode() for text in head.get("stopStrings") or ()),
        )
        if read.temperature < 0 or read.top_k < 0 or not 0 < read.top_p <= 1 or not 0 <= read.min_p <= 1:
            raise bad_request("a sampling parameter is out of range")
        return read


@dataclass
class Row:
    """One sample: its prompt, its limits, and what was written."""

    prompt: np.ndarray
    seed: int
    sample: int
    most: int
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    stopped: bool = False
    tail: bytes = b""


def rows_of(arrays: Arrays, snapshot: Snapshot) -> list[Row]:
    """The rows that a request asks for, sample by sample."""
    model = snapshot.model
    model.check(torch.from_numpy(arrays["tokens"].astype(np.int64)), int(arrays["lengths"].max(initial=0)))
    limited = model.config.max_positions if model.config.positions != "none" else 0
    rows: list[Row] = []
    start = 0
    columns = zip(
        arrays["lengths"].tolist(),
        arrays["samples"].tolist(),
        arrays["maxTokens"].tolist(),
        arrays["seeds"].tolist(),
        strict=True,
    )
    for length, samples, most, seed in columns:
        if length < 1 or most < 1 or samples < 1:
            raise bad_request("a prompt, a sample count and a token limit must be at least 1")
        prompt = arrays["tokens"][start : start + length]
        start += length
        room = min(most, limited - length + 1) if limited else most
        rows.extend(Row(prompt, seed, sample, room) for sample in range(samples))
    return rows


@torch.inference_mode()
def sample(snapshot: Snapshot, rows: list[Row], parameters: Parameters, token_bytes: list[bytes] | None) -> None:
    """Writes every row's tokens. Rows of like prompts and limits decode together."""
    if parameters.stop_strings and token_bytes is None:
        raise bad_request("stop strings need the tokens' bytes, which the model was created without")
    order = sorted(range(len(rows)), key=lambda index: (len(rows[index].prompt), rows[index].most))
    for start in range(0, len(order), ROWS):
        _decode(snapshot, [rows[index] for index in order[start : start + ROWS]], parameters, token_bytes)


class _Cache:
    """Keys and values [B, K, T, d] of each layer, written a column at a time."""

    def __init__(self, snapshot: Snapshot, rows: int, columns: int) -> None:
        config = snapshot.model.config
        shape = (config.layers, 2, rows, config.key_value_heads, columns, config.head_width)
        self.tensor = torch.zeros(shape, dtype=snapshot.model.dtype)

    def select(self, kept: Tensor, columns: int) -> None:
        grown = torch.empty(
            (*self.tensor.shape[:2], len(kept), *self.tensor.shape[3:]), dtype=self.tensor.dtype
        )
        grown[..., :columns, :] = self.tensor[..., :columns, :].index_select(2, kept)
        self.tensor = grown


def _decode(
    snapshot: Snapshot, rows: list[Row], parameters: Parameters, token_bytes: list[bytes] | None
) -> None:
    model, weights = snapshot.model, snapshot.views
    longest = max(len(row.prompt) for row in rows)
    most = max(row.most for row in rows)
    cache = _Cache(snapshot, len(rows), longest + most)
    hidden_BD = _prefill(snapshot, rows, longest, cache)
    pads_B = torch.tensor([longest - len(row.prompt) for row in rows])
    hidden_columns = torch.arange(longest + most)[None, :] < pads_B[:, None]
    mask = None if not bool(hidden_columns.any()) else torch.zeros(hidden_columns.shape, dtype=model.dtype)
    if mask is not None:
        mask.masked_fill_(hidden_columns, -torch.inf)
    seeds = np.array([row.seed for row in rows], dtype=np.int64)
    samples = np.array([row.sample for row in rows], dtype=np.int64)
    draws = torch.empty(0)
    live = list(rows)
    done = torch.zeros(len(rows), dtype=torch.bool)
    stops = torch.tensor(parameters.stop_tokens, dtype=torch.long)
    limits = torch.tensor([row.most for row in rows])
    history: list[tuple[list[Row], Tensor, Tensor, Tensor]] = []
    for position in range(most):
        logits_BV = model.decoder.logits(weights, hidden_BD)
        if parameters.temperature > 0 and position % DRAWN == 0:
            draws = torch.from_numpy(uniforms(seeds, samples, position, DRAWN))
        draw_B = draws[:, position % DRAWN] if parameters.temperature > 0 else None
        tokens_B = choose(logits_BV, parameters, draw_B)
        logprobs_B = logits_BV.gather(1, tokens_B[:, None])[:, 0] - logits_BV.logsumexp(1)
        history.append((live, tokens_B, logprobs_B, ~done))
        if len(stops):
            done = done | torch.isin(tokens_B, stops)
        if parameters.stop_strings:
            done = done | _matched(live, tokens_B, done, parameters.stop_strings, token_bytes or [])
        done = done | (limits <= position + 1)
        writing = int((~done).sum())
        if writing == 0:
            break
        column = longest + position
        if writing <= KEEP * len(live):
            kept = (~done).nonzero()[:, 0]
            cache.select(kept, column)
            pads_B, limits, tokens_B, done = pads_B[kept], limits[kept], tokens_B[kept], done[kept]
            mask = None if mask is None else mask[kept]
            draws = draws[kept] if len(draws) else draws
            live = [live[index] for index in kept.tolist()]
            seeds, samples = seeds[kept.numpy()], samples[kept.numpy()]
        hidden_BD = _advance(snapshot, tokens_B, column - pads_B, cache, column, mask)
    _write(history, stops, parameters)


def choose(logits_BV: Tensor, parameters: Parameters, draw_B: Tensor | None) -> Tensor:
    """The next token of each row: the likeliest, or by inverting the filtered distribution at a uniform number."""
    if draw_B is None:
        return logits_BV.argmax(1)
    scaled = logits_BV / parameters.temperature if parameters.temperature != 1 else logits_BV
    if not parameters.top_k and parameters.top_p == 1 and not parameters.min_p:
        sums = scaled.softmax(1).cumsum(1)
        index = torch.searchsorted(sums, (draw_B * sums[:, -1])[:, None], right=True)[:, 0]
        return index.clamp_(max=logits_BV.shape[1] - 1)
    probabilities, order = scaled.softmax(1).sort(1, descending=True, stable=True)
    if parameters.top_k:
        probabilities[:, parameters.top_k :] = 0
    if parameters.top_p < 1:
        before = probabilities.cumsum(1) - probabilities
        probabilities[before >= parameters.top_p * probabilities.sum(1, keepdim=True)] = 0
    if parameters.min_p:
        probabilities[probabilities < parameters.min_p * probabilities[:, :1]] = 0
    sums = probabilities.cumsum(1)
    index = torch.searchsorted(sums, (draw_B * sums[:, -1])[:, None], right=True)
    return order.gather(1, index.clamp_(max=logits_BV.shape[1] - 1))[:, 0]


def _prefill(snapshot: Snapshot, rows: list[Row], longest: int, cache: _Cache) -> Tensor:
    """Fills the cache with the prompts, each distinct one once; returns the last hidden states [B, D]."""
    model, weights, decoder = snapshot.model, snapshot.views, snapshot.model.decoder
    index: dict[bytes, int] = {}
    places = torch.tensor([index.setdefault(row.prompt.tobytes(), len(index)) for row in rows])
    prompts = [np.frombuffer(key, np.int32) for key in index]
    lengths = [len(prompt) for prompt in prompts]
    packing = pack(lengths)
    shifts = [longest - length for length in lengths]
    right = _right_aligned(packing, lengths, shifts, longest)
    x_ND = decoder.embed(weights, torch.from_numpy(np.concatenate(prompts).astype(np.int64)), packing.positions_N)
    copied = len(prompts) != len(rows)
    for layer in range(model.config.layers):
        q, k, v = decoder.qkv(weights, layer, x_ND, packing.positions_N)
        for half, values in enumerate((k, v)):
            block = decoder.rectangle(values, right, model.config.key_value_heads)
            cache.tensor[layer, half, :, :, :longest] = block[places] if copied else block
        x_ND = decoder.finish(weights, layer, x_ND, decoder._attend(q, k, v, packing))
    last = torch.tensor(np.cumsum(lengths) - 1)
    hidden = F.rms_norm(x_ND[last], (model.config.width,), weights["norm"], model.config.epsilon)
    return hidden[places] if copied else hidden


def _right_aligned(packing: Packing, lengths: list[int], shifts: list[int], columns: int) -> Packing:
    if packing.place_N is None:
        return packing
    moved = torch.repeat_interleave(torch.tensor(shifts), torch.tensor(lengths))
    return Packing(packing.rows, columns, packing.positions_N, packing.place_N + moved)


def _advance(
    snapshot: Snapshot, tokens_B: Tensor, positions_B: Tensor, cache: _Cache, column: int, mask: Tensor | None
) -> Tensor:
    """One column further: the hidden states [B, D] that predict the next token."""
    model, weights, decoder = snapshot.model, snapshot.views, snapshot.model.decoder
    config = model.config
    x_BD = decoder.embed(weights, tokens_B, positions_B)
    seen = None if mask is None else mask[:, None, None, : column + 1]
    grouped = config.heads != config.key_value_heads
    for layer in range(config.layers):
        q, k, v = decoder.qkv(weights, layer, x_BD, positions_B)
        keys, values = cache.tensor[layer, 0], cache.tensor[layer, 1]
        keys[:, :, column] = k.view(-1, config.key_value_heads, config.head_width)
        values[:, :, column] = v.view(-1, config.key_value_heads, config.head_width)
        attended = F.scaled_dot_product_attention(
            q.view(-1, config.heads, 1, config.head_width),
            keys[:, :, : column + 1],
            values[:, :, : column + 1],
            attn_mask=seen,
            enable_gqa=grouped,
        )
        x_BD = decoder.finish(weights, layer, x_BD, attended.reshape(len(x_BD), -1))
    return F.rms_norm(x_BD, (config.width,), weights["norm"], config.epsilon)


def _matched(
    live: list[Row], tokens_B: Tensor, done: Tensor, stop_strings: tuple[bytes, ...], token_bytes: list[bytes]
) -> Tensor:
    longest = max(len(text) for text in stop_strings)
    matched = torch.zeros(len(live), dtype=torch.bool)
    for index, token in enumerate(tokens_B.tolist()):
        if bool(done[index]):
            continue
        row = live[index]
        written = token_bytes[token] if token < len(token_bytes) else b""
        # A match must end inside this token, wherever in it.
        text = row.tail + written
        row.tail = text[-longest:] if longest else b""
        if any(stop in text for stop in stop_strings):
            matched[index] = True
            row.stopped = True
    return matched


def _write(history: list[tuple[list[Row], Tensor, Tensor, Tensor]], stops: Tensor, parameters: Parameters) -> None:
    stopping = set(parameters.stop_tokens)
    for live, tokens, logprobs, written in history:
        for row, token, logprob, wrote in zip(
            live, tokens.tolist(), logprobs.tolist(), written.tolist(), strict=True
        ):
            if wrote:
                row.tokens.append(token)
                row.logprobs.append(logprob)
    for row in {id(row): row for live, *_ in history[:1] for row in live}.values():
        row.stopped = row.stopped or (bool(row.tokens) and row.tokens[-1] in stopping)


@torch.inference_mode()
def logprobs_of(snapshot: Snapshot, arrays: Arrays) -> np.ndarray:
    """The logprob of every token given those before it, fp32 [Σ]; NaN at each first."""
    lengths = arrays["lengths"].tolist()
    tokens = torch.from_numpy(arrays["tokens"].astype(np.int64))
    if len(tokens) != sum(lengths) or not lengths or min(lengths) < 1:
        raise bad_request("tokens and lengths do not fit together")
    model, decoder = snapshot.model, snapshot.model.decoder
    model.check(tokens, max(lengths))
    out = np.full(len(tokens), np.nan, dtype=np.float32)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    most = max(1, min(16384, 64 * 2**20 // model.config.vocabulary) // max(lengths))
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for begin in range(0, len(order), most):
        rows = order[begin : begin + most]
        place = np.concatenate([np.arange(starts[row], starts[row + 1]) for row in rows])
        first = np.concatenate([[True] + [False] * (lengths[row] - 1) for row in rows])
        hidden = decoder.hidden(snapshot.views, tokens[place], pack([lengths[row] for row in rows]))
        logits = decoder.logits(snapshot.views, hidden)[:-1]
        values = -F.cross_entropy(logits, tokens[place][1:], reduction="none")
        values = np.concatenate(([np.nan], values.numpy()))
        values[first] = np.nan
        out[place] = values
    return out
