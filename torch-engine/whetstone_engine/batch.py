"""Rows that decode together, a token each at a time; they come and go between two tokens. Suffixes as in
decoder.py."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .cache import ROOM, Cache, column_bytes
from .captured import CapturedSteps
from .choice import Choice, most_probable
from .decoding_rows import DecodingRows
from .device import fetched, moved, on_host
from .errors import bad_request
from .folded import straight_of
from .packing import NARROWEST
from .prefill import Prefill, first_layer_of
from .prefixes import Prefixes
from .randomness import uniforms
from .rows import Row, not_finite
from .snapshot import Snapshot
from .stops import StopStrings

ROWS = 512
"""Most rows that decode together."""
DRAWN = 64
"""Positions whose random numbers are drawn at once."""
KEEP = 0.75
"""Finished rows give their places up when at most this share of a batch is still writing, or when others
wait."""
LONG = 2048
"""Most tokens that are thought of ahead: limits are often far above what is written."""


class Batch:
    """Rows in the order of their places in the cache."""

    def __init__(self, snapshot: Snapshot, prefixes: Prefixes, token_bytes: list[bytes] | None) -> None:
        self.snapshot, self.prefixes, self.token_bytes = snapshot, prefixes, token_bytes
        self.decoder, self.config = snapshot.architecture.decoder, snapshot.architecture.config
        self.column_bytes = column_bytes(self.config, snapshot.architecture.dtype)
        self.cache = Cache(self.config, snapshot.architecture.dtype)
        self.clear()

    def clear(self) -> None:
        """No rows."""
        self.cache.empty()
        self.rows: list[Row] = []
        self.done = np.zeros(0, dtype=bool)
        self.ended = 0
        """How many rows are done."""
        self.positions = np.zeros(0, dtype=np.int64)
        """Tokens that each row has written."""
        self.hidden_BD = torch.empty(0, self.config.width)
        self.tokens, self.logprobs = np.zeros((0, 0), np.int32), np.zeros((0, 0), np.float32)
        self.top_tokens, self.top_logprobs = np.zeros((0, 0, 0), np.int32), np.zeros((0, 0, 0), np.float32)
        self.strings: dict[tuple[bytes, ...], StopStrings] = {}
        self.decoding: DecodingRows | None = None
        self.captured: CapturedSteps | None = None

    @property
    def bytes(self) -> int:
        return self.cache.bytes

    def fitting(self, waiting: list[Row], most_bytes: int) -> int:
        """How many of the rows that wait, first come first, may begin: as many as have room, where that is
        not too few to be worth a pass over their prompts."""
        live = len(self.rows) - self.ended
        columns = max(self.cache.columns, NARROWEST)
        count = 0
        for row in waiting[: max(0, ROWS - live)]:
            # One that was put aside is to be written to its end.
            columns = max(columns, _columns(row, LONG if len(row.tokens) > 0 else ROOM))
            if (live + count + 1) * columns * self.column_bytes > most_bytes and live + count > 0:
                break
            count += 1
        return count if count >= min(len(waiting), max(1, live // 8)) else 0

    def admit(self, rows: list[Row]) -> None:
        """Reads the rows' prompts: they write their next token with the others. Raises bad-request."""
        if self.token_bytes is None and any(row.parameters.stop_strings for row in rows):
            raise bad_request("stop strings need the tokens' bytes, which the model was created without")
        self._drop()
        self._begin(rows, *self._read(rows))

    def _read(self, rows: list[Row]) -> tuple[Tensor, list[int]]:
        """The hidden states [B, D] after the rows' texts, and how many tokens of each were there already."""
        texts = [row.text for row in rows]
        lengths = np.array([len(text) for text in texts])
        count = len(self.rows) + len(rows)
        columns = max(self.cache.columns, NARROWEST, *(_columns(row, ROOM) for row in rows))
        if count > self.cache.places or columns > self.cache.columns:
            places = self.cache.places
            places = places if count <= places else max(count, min(ROWS, places + places // 2))
            self._resize(places, columns)
        return Prefill(self.snapshot, self.cache, self.prefixes).run(texts, lengths)

    def _begin(self, rows: list[Row], hidden_BD: Tensor, cached: list[int]) -> None:
        for row, hits in zip(rows, cached, strict=True):
            if len(row.tokens) == 0:
                row.cached = hits
        self.rows = self.rows + rows
        self.hidden_BD = hidden_BD if len(self.hidden_BD) == 0 else torch.cat((self.hidden_BD, hidden_BD))
        self.done = np.concatenate((self.done, np.zeros(len(rows), dtype=bool)))
        self.positions = np.concatenate((self.positions, [len(row.tokens) for row in rows]))
        self._compose()
        first = len(self.rows) - len(rows)
        for place, row in enumerate(rows, first):
            if not row.parameters.stop_strings and len(row.tokens) == 0:
                continue
            written = len(row.tokens)
            self.tokens[place, :written], self.logprobs[place, :written] = row.tokens, row.logprobs
            top = row.top_tokens.shape[1]
            if top > 0:
                self.top_tokens[place, :written, :top] = row.top_tokens
                self.top_logprobs[place, :written, :top] = row.top_logprobs
            if row.parameters.stop_strings:
                self.strings[row.parameters.stop_strings].resume(id(row), row.tokens)

    def _compose(self) -> None:
        """What depends on which rows there are."""
        self.choice = Choice([row.parameters for row in self.rows], self.config.vocabulary)
        self.decoding = None
        self.places, self.ended = np.arange(len(self.rows)), int(self.done.sum())
        self.limits = np.array([row.limit for row in self.rows])
        self.seeds = np.array([row.seed for row in self.rows])
        self.samples = np.array([row.sample for row in self.rows])
        self.draws: Tensor | None = None
        """Random numbers of the next positions, [positions, B]; so many of them are used."""
        self.drawn = 0
        sets: dict[tuple[int, ...], int] = {}
        of = [sets.setdefault(row.parameters.stop_tokens, len(sets)) for row in self.rows]
        self.stop_set = np.array(of)
        self.stops = np.zeros((len(sets), self.config.vocabulary), dtype=bool)
        for tokens, number in sets.items():
            self.stops[number, [token for token in tokens if token < self.config.vocabulary]] = True
        self.by_strings: dict[tuple[bytes, ...], np.ndarray] = {}
        for texts in {row.parameters.stop_strings for row in self.rows} - {()}:
            self.by_strings[texts] = np.array([row.parameters.stop_strings == texts for row in self.rows])
            if texts not in self.strings:
                self.strings[texts] = StopStrings(texts, self.token_bytes or [])
        self.strings = {texts: self.strings[texts] for texts in self.by_strings}
        self._make_room()

    def _make_room(self) -> None:
        """Of what is written: a place for the next token of every row. `room` is how many more there are."""
        need, top = int(self.positions.max(initial=0)) + 1, self.choice.top
        rows, width = self.tokens.shape
        self.room = width - need
        if len(self.rows) <= rows and need <= width and top <= self.top_tokens.shape[2]:
            return
        width = max(need, ROOM, 2 * width if need > width else width)
        self.room = width - need
        rows, top = max(rows, len(self.rows)), max(top, self.top_tokens.shape[2])
        for name, shape in (
            ("tokens", ()),
            ("logprobs", ()),
            ("top_tokens", (top,)),
            ("top_logprobs", (top,)),
        ):
            old = getattr(self, name)
            new = np.zeros((rows, width, *shape), old.dtype)
            new[tuple(slice(size) for size in old.shape)] = old
            setattr(self, name, new)

    @torch.inference_mode()
    def step(self) -> list[Row]:
        """Every row's next token; returns the rows that ended."""
        logits_BV = self.decoder.logits(self.snapshot.weights, self.hidden_BD, exact=False)
        tokens_B, logprobs_B = self.choice.choose(logits_BV, self._draw())
        (tokens, logprobs), places = fetched(tokens_B, logprobs_B), self.places
        if self.room < 0:
            self._make_room()
        # A row that is done has no more to write than fits.
        at = np.minimum(self.positions, self.tokens.shape[1] - 1) if self.ended else self.positions
        self.tokens[places, at], self.logprobs[places, at] = tokens, logprobs
        if self.choice.top > 0:
            top_tokens, top_logprobs = most_probable(logits_BV, self.choice.top)
            self.top_tokens[places, at, : self.choice.top] = top_tokens.cpu().numpy()
            self.top_logprobs[places, at, : self.choice.top] = top_logprobs.cpu().numpy()
        self.positions = self.positions + (~self.done if self.ended else 1)
        self.room -= 1
        stopped = self.stops[self.stop_set, tokens]
        serials = np.array([id(row) for row in self.rows]) if self.by_strings else places
        for texts, of in self.by_strings.items():
            stopped = stopped | self.strings[texts].completed(serials, tokens, of & ~(self.done | stopped))
        broken = ~np.isfinite(logprobs)
        ended = stopped | broken | (self.limits <= self.positions)
        if self.ended:
            ended &= ~self.done
        finished: list[Row] = []
        if ended.any():
            finished = [
                self._finish(place, bool(stopped[place]), bool(broken[place]))
                for place in np.flatnonzero(ended).tolist()
            ]
            self.done = self.done | ended
            self.ended += len(finished)
        if self.ended == len(self.rows):
            self.clear()
            return finished
        self.hidden_BD = self._after(tokens_B)
        return finished

    def _draw(self) -> Tensor | None:
        """A uniform number of each row, by its seed, its sample and its position alone."""
        if not self.choice.draws:
            return None
        if self.draws is None or self.drawn == len(self.draws):
            count = min(DRAWN, max(1, int((self.limits - self.positions).max())))
            drawn = uniforms(self.seeds, self.samples, self.positions, count)
            self.draws, self.drawn = moved(np.ascontiguousarray(drawn.T)), 0
        self.drawn += 1
        return self.draws[self.drawn - 1]

    def _finish(self, place: int, stopped: bool, broken: bool) -> Row:
        row = self._written(place)
        row.stopped = stopped
        if broken:
            self.cache.sound = False
            row.request.error = row.request.error or not_finite()
        if row.parameters.stop_strings:
            self.strings[row.parameters.stop_strings].forget(id(row))
        self._keep(place, row)
        return row

    def _keep(self, place: int, row: Row) -> None:
        """What was computed of a row that ended, for others that begin like it."""
        if self.prefixes.most_bytes == 0:
            return
        length = int(self.cache.lengths[place])
        text = row.text[:length]
        if self.prefixes.wants(text, length * self.column_bytes):
            self.prefixes.keep(text, self.cache.copy(place))

    def _written(self, place: int) -> Row:
        row, length = self.rows[place], int(self.positions[place])
        row.tokens, row.logprobs = self.tokens[place, :length].copy(), self.logprobs[place, :length].copy()
        top = row.parameters.top
        if top > 0:
            row.top_tokens = self.top_tokens[place, :length, :top].copy()
            row.top_logprobs = self.top_logprobs[place, :length, :top].copy()
        return row

    def _drop(self) -> None:
        """Rows that are done give their places up."""
        if self.ended:
            self._move(self._leave(self.done))

    def _leave(self, gone: np.ndarray) -> np.ndarray:
        """Rows (True where one goes) give up what they hold of keys and values. Returns which row each of the
        others' places has now."""
        return self.cache.drop(gone)

    def _move(self, order: np.ndarray) -> None:
        self.rows = [self.rows[place] for place in order.tolist()]
        self.done, self.positions = self.done[order], self.positions[order]
        self.hidden_BD = self.hidden_BD[moved(order)]
        for name in ("tokens", "logprobs", "top_tokens", "top_logprobs"):
            setattr(self, name, getattr(self, name)[order])
        self._compose()

    def forget(self, requests: set[int]) -> None:
        """Rows of requests that failed write no more."""
        self.done = self.done | np.array([id(row.request) in requests for row in self.rows], dtype=bool)
        self.ended = int(self.done.sum())
        if self.ended == len(self.rows):
            self.clear()

    def _after(self, tokens_B: Tensor) -> Tensor:
        """The hidden states [B, D] after the tokens that were chosen."""
        if len(self.rows) - self.ended <= KEEP * len(self.rows):
            kept = self._leave(self.done)
            tokens_B = tokens_B[moved(kept)]
            self._move(kept)
        return self._decode(tokens_B)

    def _decode(self, tokens_B: Tensor) -> Tensor:
        if not on_host():
            return self._decode_on_gpu(tokens_B)
        cache, straight = self.cache, straight_of(self.snapshot.weights)
        if straight is not None and self.decoding is None:
            self.decoding = self._decoding_rows()
        # Rows that are done stay where they are.
        column = cache.open(~self.done if self.ended else None)
        if straight is not None and self.decoding is not None:
            return straight.step(tokens_B, self.decoding, column)

        def attend(layer: int, heads_BHd: Tensor) -> Tensor:
            return cache.attend(layer, column, heads_BHd)

        return self.decoder.run(self.snapshot.weights, tokens_B, column.column_N, attend)

    def _decode_on_gpu(self, tokens_B: Tensor) -> Tensor:
        column_B = self.cache.next_columns(~self.done if self.ended else None)
        weights = self.snapshot.weights
        # Other memory, too, takes another one: `_resize`.
        if self.captured is None or self.captured.weights is not weights:
            self.captured = CapturedSteps(self.decoder, weights, self.cache)
        return self.captured.step(tokens_B, column_B)

    def _decoding_rows(self) -> DecodingRows:
        first_layer = first_layer_of(self.snapshot, self.prefixes, self.cache.columns)
        texts: list[np.ndarray] = []
        if first_layer is not None:
            # The newest token of each is in no column yet.
            texts = [
                row.prompt if count < 2 else np.concatenate((row.prompt, self.tokens[place, : count - 1]))
                for place, (row, count) in enumerate(zip(self.rows, self.positions.tolist(), strict=True))
            ]
        columns = torch.arange(self.cache.columns)
        rotation = self.decoder.rotation(self.snapshot.weights, columns)
        return DecodingRows(self.cache, rotation, first_layer, texts)

    def enlarge(self, most_bytes: int) -> list[Row]:
        """Room for the next token of every row. Where memory has none for all of them, those in the
        last places are put aside; they are returned, with what they have written, and go on later."""
        if not self.rows or self.cache.longest < self.cache.columns:
            return []
        need = int(self.cache.lengths.max(initial=0, where=~self.done)) + 1
        if need <= self.cache.columns:
            return []
        self._drop()
        last = max(need, *(len(row.prompt) + row.limit for row in self.rows))
        each = most_bytes // self.column_bytes
        count = len(self.rows)
        while count > 1 and each // count < min(need + ROOM // 4, last):
            count = max(1, count - max(1, count // 4))
        parked = [self._written(place) for place in range(count, len(self.rows))]
        columns = max(need, min(2 * self.cache.columns, last, each // count))
        if parked:
            self._resize(count, columns, np.arange(count))
            self._move(np.arange(count))
        else:
            self._resize(self.cache.places, columns)
        return parked

    def _resize(self, places: int, columns: int, kept_B: np.ndarray | None = None) -> None:
        # Its views would keep the memory that the cache gives up.
        self.decoding, self.captured = None, None
        self.cache.resize(places, columns, kept_B)


def _columns(row: Row, ahead: int) -> int:
    """Columns that a row needs for so many more tokens."""
    written = len(row.tokens)
    return len(row.prompt) + written + min(row.limit - written, ahead)
