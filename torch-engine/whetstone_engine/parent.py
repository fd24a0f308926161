"""The process that started this one."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal


def die_with_parent(parent: int | None = None) -> None:
    """The kernel kills this process when the one that started it is gone, however it went;
    `parent` is that one, where it may be gone already."""
    parent = os.getppid() if parent is None else parent
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
