"""Keys and values that outlive their request: a conversation's next turn begins with what was read and
written before, and computes only what is new."""

from __future__ import annotations

from collections import OrderedDict, defaultdict

import numpy as np
from torch import Tensor

PROBE = 8
"""Tokens by which beginnings are looked up."""
WORTH = 16
"""Tokens from which a shared beginning is worth a copy."""


class Prefixes:
    """Token sequences with their keys and values [layers, 2, K, length, d], the least recently used gone
    first."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes, self.bytes = most_bytes, 0
        self.room = most_bytes
        """What rows that decode leave of the memory for keys and values, at the moment."""
        self._held: OrderedDict[bytes, Tensor] = OrderedDict()
        self._by_probe: dict[bytes, set[bytes]] = defaultdict(set)

    def find(self, tokens: np.ndarray) -> tuple[int, Tensor] | None:
        """The longest beginning that is held, without the last token, whose successor is to be predicted."""
        best, length = None, WORTH - 1
        for key in self._by_probe.get(tokens[:PROBE].tobytes(), ()):
            held = np.frombuffer(key, np.int32)
            most = min(len(held), len(tokens) - 1)
            different = np.flatnonzero(held[:most] != tokens[:most])
            common = int(different[0]) if len(different) > 0 else most
            if common > length:
                best, length = key, common
        if best is None:
            return None
        self._held.move_to_end(best)
        return length, self._held[best]

    def wants(self, tokens: np.ndarray, size: int) -> bool:
        """Whether so many bytes fit, and are worth it."""
        fits = size <= min(self.most_bytes, self.room)
        return len(tokens) >= WORTH and fits and tokens.tobytes() not in self._held

    def keep(self, tokens: np.ndarray, keys_values: Tensor) -> None:
        """What begins the new sequence is held by it from now on; what there is no room for goes."""
        key = tokens.tobytes()
        probe = tokens[:PROBE].tobytes()
        for other in [other for other in self._by_probe[probe] if key.startswith(other)]:
            self._drop(other)
        self._held[key] = keys_values
        self._by_probe[probe].add(key)
        self.bytes += keys_values.nbytes
        self.shrink(min(self.most_bytes, self.room))

    def shrink(self, most_bytes: int) -> None:
        """Drops the least recently used until what is held takes no more than so many bytes."""
        while self.bytes > most_bytes:
            self._drop(next(iter(self._held)))

    def _drop(self, key: bytes) -> None:
        self.bytes -= self._held.pop(key).nbytes
        probe = key[: 4 * PROBE]
        self._by_probe[probe].discard(key)
        if not self._by_probe[probe]:
            del self._by_probe[probe]
