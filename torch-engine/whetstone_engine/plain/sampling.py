"""Sampling from a model of transformers: rows whose prompts are of one length decode together, so that none
is padded. Suffixes as in decoder.py."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..choice import Parameters, choose
from ..errors import EngineError, bad_request
from ..randomness import uniforms
from ..sampler import CACHE_BYTES, LONG, ROWS, Rows, Samples
from ..snapshot import Snapshot
from ..stops import StopStrings

PROMPT_TOKENS = 16384
"""Most tokens of different prompts that are read at once."""


@torch.no_grad()
def sample_plain(
    snapshot: Snapshot, rows: Rows, parameters: Parameters, token_bytes: list[bytes] | None
) -> Samples:
    """As `sample`: the same numbers, stops and limits."""
    if parameters.stop_strings and token_bytes is None:
        raise bad_request("stop strings need the tokens' bytes, which the model was created without")
    snapshot.pack()
    count = len(rows.prompts)
    out = Samples([np.empty(0, np.int32)] * count, [np.empty(0, np.float32)] * count, np.zeros(count, bool))
    decoder = snapshot.architecture.decoder
    try:
        for chunk in _chunks(snapshot, rows):
            _write(snapshot, rows, chunk, parameters, token_bytes, out)
    finally:
        decoder.unbind()
    return out


def _chunks(snapshot: Snapshot, rows: Rows) -> list[np.ndarray]:
    """Rows of one prompt length and like limits, as many as a cache and a pass over prompts may hold."""
    config = snapshot.architecture.config
    column_bytes = (
        2 * config.layers * config.key_value_heads * config.head_width * snapshot.architecture.dtype.itemsize
    )
    lengths = np.array([len(prompt) for prompt in rows.prompts])
    chunks: list[np.ndarray] = []
    for length in np.unique(lengths):
        of_length = np.flatnonzero(lengths == length)
        of_length = of_length[np.argsort(rows.limits[of_length], kind="stable")]
        columns = int(length) + min(int(rows.limits[of_length].max()), LONG)
        most = max(1, min(ROWS, CACHE_BYTES // (columns * column_bytes), PROMPT_TOKENS // int(length)))
        chunks += [of_length[start : start + most] for start in range(0, len(of_length), most)]
    return chunks


def _write(
    snapshot: Snapshot,
    rows: Rows,
    chunk: np.ndarray,
    parameters: Parameters,
    token_bytes: list[bytes] | None,
    out: Samples,
) -> None:
    """Writes the rows of a chunk, a token each at a time; who is done leaves."""
    decoder, vocabulary = snapshot.architecture.decoder, snapshot.architecture.config.vocabulary
    stops = np.zeros(vocabulary, dtype=bool)
    stops[[token for token in parameters.stop_tokens if token < vocabulary]] = True
    strings = StopStrings(parameters.stop_strings, token_bytes or []) if parameters.stop_strings else None
    prefixes, owners = np.unique([rows.prompts[row] for row in chunk], axis=0, return_inverse=True)
    owners_B = torch.from_numpy(owners.reshape(-1))
    decoder.bind(snapshot.weights)
    hidden, cache = decoder.step(torch.from_numpy(prefixes.astype(np.int64)))
    hidden_BD = hidden[owners_B]
    if cache is not None:
        cache.reorder_cache(owners_B)
    prefix_BT = torch.from_numpy(prefixes.astype(np.int64))[owners_B]
    prompt, live = prefix_BT.shape[1], chunk
    scores: dict[int, list[float]] = {int(row): [] for row in chunk}
    while len(live) > 0:
        position = prefix_BT.shape[1] - prompt
        logits_BV = decoder.logits(snapshot.weights, hidden_BD)
        draw_B: Tensor | None = None
        if parameters.temperature > 0:
            draw_B = torch.from_numpy(uniforms(rows.seeds[live], rows.samples[live], position, 1))[:, 0]
        tokens_B, logprobs_B = choose(logits_BV, parameters, draw_B)
        if not torch.isfinite(logprobs_B).all():
            raise EngineError(
                "non-finite-logits", "engine", "its logits are not finite: the model's weights are broken"
            )
        prefix_BT = torch.cat((prefix_BT, tokens_B[:, None]), 1)
        for row, logprob in zip(live.tolist(), logprobs_B.tolist(), strict=True):
            scores[row].append(logprob)
        stopped = stops[tokens_B.numpy()]
        if strings is not None:
            stopped = stopped | strings.completed(live, tokens_B.numpy(), ~stopped)
        ended = stopped | (rows.limits[live] <= position + 1)
        for place in np.flatnonzero(ended).tolist():
            row = int(live[place])
            out.tokens[row] = prefix_BT[place, prompt:].numpy().astype(np.int32)
            out.logprobs[row] = np.array(scores[row], np.float32)
            out.stopped[row] = stopped[place]
        if ended.all():
            return
        if ended.any():
            kept_B = torch.from_numpy(np.flatnonzero(~ended))
            prefix_BT, live = prefix_BT[kept_B], live[~ended]
            if cache is not None:
                cache.reorder_cache(kept_B)
        decoder.bind(snapshot.weights)
        hidden_BD, cache = decoder.step(prefix_BT if cache is None else prefix_BT[:, -1:], cache)
