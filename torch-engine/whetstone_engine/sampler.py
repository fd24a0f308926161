"""Sampling from one snapshot: requests that wait join the rows that decode, and leave them when they are
done."""

from __future__ import annotations

from collections import deque

import numpy as np

from .batch import ROWS, Batch
from .device import rows_bytes
from .lanes import LARGE
from .plain.batch import PlainBatch
from .prefixes import Prefixes
from .rows import Request, Row
from .snapshot import Snapshot
from .threads import decoding_threads

CACHE_BYTES = 7 * 2**28
"""Most bytes of keys and values of the rows that decode and of what is kept of rows that ended: 1.75 GiB in
fp32, half of it in the other precisions, whose users have less memory."""
KEPT_SHARE = 4
"""At most one part in so many of these is kept of rows that ended."""


class Sampler:
    """Rows that wait, rows that decode, and the beginnings that are kept of others."""

    def __init__(self, snapshot: Snapshot, token_bytes: list[bytes] | None) -> None:
        self.snapshot, self.token_bytes = snapshot, token_bytes
        # Where a token costs less than a look at what is kept, nothing is kept.
        large = snapshot.architecture.size >= LARGE
        most_bytes = CACHE_BYTES if snapshot.architecture.precision == "fp32" else CACHE_BYTES // 2
        self.most_bytes = rows_bytes(most_bytes)
        self.prefixes = Prefixes(self.most_bytes // KEPT_SHARE if large else 0)
        batch = PlainBatch if snapshot.architecture.plain else Batch
        self.batch = batch(snapshot, self.prefixes, token_bytes)
        self.waiting: deque[Row] = deque()
        self.joining: list[Row] = []
        self.failed: deque[Request] = deque()
        """Requests that failed together: each runs once more, by itself."""
        self.single: deque[Row] = deque()
        """Rows of such a one that wait."""

    @property
    def busy(self) -> bool:
        return bool(self.batch.rows or self.waiting or self.single or self.failed)

    @property
    def bytes(self) -> int:
        return self.batch.bytes + self.prefixes.bytes

    def enqueue(self, requests: list[Request]) -> None:
        """Rows begin with others of like prompts and limits, which leaves little to be hidden."""
        rows = [row for request in requests for row in request.rows]
        order = np.lexsort(([row.limit for row in rows], [len(row.prompt) for row in rows]))
        self.waiting.extend(rows[place] for place in order.tolist())

    def step(self, others_bytes: int = 0) -> list[Request]:
        """One token of every row that decodes; returns the requests that are done. `others_bytes` is what
        other samplers have of the memory for keys and values."""
        try:
            with decoding_threads(self.snapshot.architecture.config):
                return self._step(self.most_bytes - others_bytes)
        except Exception as error:
            return self._part(error)

    def _step(self, most_bytes: int) -> list[Request]:
        self.snapshot.lay_out()
        batch, kept = self.batch, self.prefixes
        parked = batch.enlarge(most_bytes - kept.bytes)
        if parked:
            # Rows that are written are worth more than what is kept.
            kept.shrink(0)
            self.waiting.extendleft(reversed(parked))
        else:
            self._join(most_bytes)
        kept.room = most_bytes - batch.bytes
        done: dict[int, Request] = {}
        for row in batch.step():
            row.request.unfinished -= 1
            if row.request.done:
                done[id(row.request)] = row.request
        self._forget({key for key, request in done.items() if request.error is not None})
        return list(done.values())

    def _join(self, most_bytes: int) -> None:
        """Rows that wait begin, where there is room for them."""
        queue, kept = self._queue(), self.prefixes
        if not queue:
            return
        first = [queue[place] for place in range(min(ROWS, len(queue)))]
        count = self.batch.fitting(first, most_bytes - kept.bytes)
        if count < len(first) and kept.bytes > 0 and self.batch.fitting(first, most_bytes) > count:
            kept.shrink(kept.bytes // 2)
            count = self.batch.fitting(first, most_bytes - kept.bytes)
        if count > 0:
            self.joining = [queue.popleft() for _ in range(count)]
            self.batch.admit(self.joining)
            self.joining = []

    def _queue(self) -> deque[Row]:
        if not self.single and self.failed:
            if self.batch.rows:
                return deque()
            self.single.extend(self.failed.popleft().rows)
        return self.single or self.waiting

    def _forget(self, requests: set[int]) -> None:
        """Rows of requests that failed are not written."""
        if not requests:
            return
        for queue in (self.waiting, self.single):
            left = [row for row in queue if id(row.request) not in requests]
            queue.clear()
            queue.extend(left)
        if self.batch.rows:
            self.batch.forget(requests)

    def _part(self, error: Exception) -> list[Request]:
        """What is wrong with one request is not the others' fault: those that decoded together begin again,
        each by itself."""
        begun = {id(row.request): row.request for row in [*self.batch.rows, *self.joining]}
        if not begun:
            return self._refuse(error)
        self.batch.clear()
        self.joining = []
        self._forget(set(begun))
        if len(begun) == 1:
            (request,) = begun.values()
            request.error = error
            return [request]
        for request in begun.values():
            request.reset()
            self.failed.append(request)
        return []

    def _refuse(self, error: Exception) -> list[Request]:
        """Nothing could begin, as where there is no memory to lay the weights out: all that wait hear of
        it."""
        asked = [*self.failed, *(row.request for row in (*self.single, *self.waiting))]
        if not asked:
            raise error
        for queue in (self.failed, self.single, self.waiting):
            queue.clear()
        for request in asked:
            request.error = error
        return list({id(request): request for request in asked}.values())
