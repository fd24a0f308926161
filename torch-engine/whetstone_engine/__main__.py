"""Answers frames on file descriptor 3 until the socket ends."""

from __future__ import annotations

import gc
import signal
import socket
import sys
from collections.abc import Iterable

from .frames import Arrays, BrokenFrame, FrameReader, Head, encode
from .parent import die_with_parent
from .worker import Reply, Worker


def main() -> None:
    die_with_parent()
    # A terminal's Ctrl-C reaches the whole process group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stream = socket.socket(fileno=3)
    stream.setblocking(True)
    # What the imports made stays: to look through it for what may go takes longer than a request.
    gc.freeze()
    reader = FrameReader(stream)
    worker = Worker()
    while (frames := waiting(reader, worker)) is not None:
        verbs = [head.get("verb") for head, _ in frames]
        last = verbs.index("shutdown") if "shutdown" in verbs else None
        send(stream, worker.receive(frames[:last]))
        while worker.busy_sampling:
            send(stream, worker.step())
            if last is None:
                # What came in the meantime may join.
                break
        if last is not None:
            send(stream, worker.receive([frames[last]]))
            return


def waiting(reader: FrameReader, worker: Worker) -> list[tuple[Head, Arrays]] | None:
    """What came meanwhile; with nothing to do, what comes next. None when the other side has gone."""
    frames = reader.read(wait=not worker.busy_sampling)
    while frames and frames[-1][0].get("verb") == "sample":
        # Requests that are sent together begin together.
        more = reader.read(wait=False)
        if more is None:
            return None
        if not more:
            break
        frames += more
    return frames


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
