"""Answers frames on file descriptor 3 until the socket ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
from collections.abc import Iterable

from .frames import Arrays, BrokenFrame, Head, encode, read_frame
from .worker import Reply, Worker


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
    while True:
        frames: list[tuple[Head, Arrays]] = []
        while not (frames or worker.busy_sampling) or select.select([stream], [], [], 0)[0]:
            frame = read_frame(stream)
            if frame is None:
                return
            frames.append(frame)
            if frame[0].get("verb") == "shutdown":
                break
        last = frames.pop() if frames and frames[-1][0].get("verb") == "shutdown" else None
        send(stream, worker.receive(frames))
        while worker.busy_sampling:
            send(stream, worker.step())
            if last is None:
                # What came in the meantime may join.
                break
        if last is not None:
            send(stream, worker.receive([last]))
            return


def send(stream: socket.socket, replies: Iterable[Reply]) -> None:
    for head, arrays in replies:
        stream.sendall(encode(head, arrays))


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, ConnectionResetError):
        sys.exit(0)
    except BrokenFrame as broken:
        sys.exit(f"broken frame: {broken}")
