"""Texts that end a sample, matched on the bytes of its tokens: a table, not a tokenizer."""

from __future__ import annotations

import numpy as np


class StopStrings:
    """The last bytes of each row, as far as a stop string may begin in them."""

    def __init__(self, texts: tuple[bytes, ...], token_bytes: list[bytes]) -> None:
        self.texts, self.token_bytes = texts, token_bytes
        self.reach = max(len(text) for text in texts) - 1
        self.tails: dict[int, bytes] = {}

    def completed(self, rows: np.ndarray, tokens: np.ndarray, writing: np.ndarray) -> np.ndarray:
        """Which rows' new token completes a stop string, wherever in it the string ends."""
        out = np.zeros(len(rows), dtype=bool)
        for place in np.flatnonzero(writing).tolist():
            row, token = int(rows[place]), int(tokens[place])
            written = self.token_bytes[token] if token < len(self.token_bytes) else b""
            text = self.tails.get(row, b"") + written
            out[place] = any(stop in text for stop in self.texts)
            self.tails[row] = text[-self.reach :] if self.reach else b""
        return out

    def resume(self, row: int, tokens: np.ndarray) -> None:
        """A row that goes on after these tokens."""
        written = [self.token_bytes[token] for token in tokens.tolist() if token < len(self.token_bytes)]
        self.tails[row] = b"".join(written)[-self.reach :] if self.reach else b""

    def forget(self, row: int) -> None:
        """A row that ended has no more bytes."""
        self.tails.pop(row, None)
