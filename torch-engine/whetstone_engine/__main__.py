"""Answers frames on file descriptor 3 until the socket ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
from collections import deque

from .frames import Arrays, BrokenFrame, Head, encode, read_frame
from .worker import Worker

SAMPLE_MEMBERS = ("sampler", "temperature", "topK", "topP", "minP", "stopTokens", "stopStrings")


def die_with_parent() -> None:
    """The kernel kills this process when the one that started it is gone, however it went."""
    parent = os.getppid()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def main() -> None:
    die_with_parent()
    # A terminal's Ctrl-C reaches the whole process group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stream = socket.socket(fileno=3)
    stream.setblocking(True)
    worker = Worker()
    waiting: deque[tuple[Head, Arrays]] = deque()
    while True:
        while not waiting or select.select([stream], [], [], 0)[0]:
            frame = read_frame(stream)
            if frame is None:
                return
            waiting.append(frame)
        batch = [waiting.popleft()]
        while waiting and mergeable(batch[0][0], waiting[0][0]):
            batch.append(waiting.popleft())
        for head, arrays in worker.answer(batch):
            stream.sendall(encode(head, arrays))
        if batch[0][0].get("verb") == "shutdown":
            return


def mergeable(one: Head, other: Head) -> bool:
    """Sample requests for one sampler with equal parameters."""
    both = one.get("verb") == other.get("verb") == "sample"
    return both and all(one.get(name) == other.get(name) for name in SAMPLE_MEMBERS)


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, ConnectionResetError):
        sys.exit(0)
    except BrokenFrame as broken:
        sys.exit(f"broken frame: {broken}")
