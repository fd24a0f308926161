"""Sequences and requests for tests, as the arrays of a frame."""

import numpy as np


def packed(sequences: list[list[int]], **fields) -> dict[str, np.ndarray]:
    """`tokens`, `targets` and `lengths` of sequences, each token predicting the next; fields are lists, one a
    position."""
    arrays = {
        "lengths": np.array([len(sequence) - 1 for sequence in sequences], np.int32),
        "tokens": np.concatenate([sequence[:-1] for sequence in sequences]).astype(np.int32),
        "targets": np.concatenate([sequence[1:] for sequence in sequences]).astype(np.int32),
    }
    return {**arrays, **{name: np.asarray(values, np.float32) for name, values in fields.items()}}


def random_sequences(seed: int, lengths: list[int], vocabulary: int = 11) -> list[list[int]]:
    random = np.random.default_rng(seed)
    return [random.integers(0, vocabulary, length).tolist() for length in lengths]


def positions(sequences: list[list[int]]) -> int:
    return sum(len(sequence) - 1 for sequence in sequences)


def requested(prompts, *, samples=1, most=8, seeds=None) -> dict[str, np.ndarray]:
    """The arrays of `sample`; numbers that are not lists are the same for every prompt."""
    count = len(prompts)

    def column(value, dtype):
        return np.array(value if isinstance(value, list) else [value] * count, dtype)

    return {
        "lengths": np.array([len(prompt) for prompt in prompts], np.int32),
        "tokens": np.concatenate(prompts).astype(np.int32),
        "samples": column(samples, np.int32),
        "maxTokens": column(most, np.int32),
        "seeds": column(list(range(count)) if seeds is None else seeds, np.int64),
    }
