"""Named errors, as they travel in a reply."""

from __future__ import annotations

import errno

NO_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "Cannot allocate memory",
    "CUDA out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
"""How PyTorch says that memory ran out; it has no exception of its own for that on a processor."""

OUT_OF_MEMORY = (
    "memory ran out, and nothing was changed: use shorter sequences (a pass holds at least one whole), "
    "gradientCheckpointing, adapters (lora) in place of all weights, precision bf16, fewer models at a time, "
    "or a smaller model"
)


class EngineError(Exception):
    """An error with a stable code and a category (user, environment, engine, internal)."""

    def __init__(self, code: str, category: str, message: str, **details: str | int | float) -> None:
        super().__init__(message)
        self.code = code
        self.category = category
        self.details = details


def bad_request(message: str) -> EngineError:
    return EngineError("bad-request", "engine", message)


def no_space() -> EngineError:
    return EngineError("no-space", "environment", "the disk is full: free some space and run it again")


def of_exception(error: BaseException) -> EngineError:
    """Names what was thrown."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, OSError):
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return no_space()
        return EngineError("file-unreadable", "environment", str(error))
    if isinstance(error, MemoryError) or any(sign in str(error) for sign in NO_MEMORY):
        return EngineError("out-of-memory", "environment", OUT_OF_MEMORY)
    return EngineError("internal", "internal", f"{type(error).__name__}: {error}")
