"""A real worker process and the other end of its socket."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from whetstone_engine.frames import Arrays, FrameReader, Head, encode

PACKAGE = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "whetstone_engine"]


def on_descriptor_3(stream: socket.socket, also=lambda: None):
    """What a child does before it becomes the worker."""

    def prepare() -> None:
        os.dup2(stream.fileno(), 3)
        also()

    return prepare


class WorkerProcess:
    """Started with its log in a file; `call` waits for one answer, `send` and `receive` do not."""

    def __init__(self, log: Path, also=lambda: None) -> None:
        self.stream, theirs = socket.socketpair()
        self.log = log
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                COMMAND,
                cwd=PACKAGE,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                pass_fds=(3,),
                preexec_fn=on_descriptor_3(theirs, also),
            )
        theirs.close()
        self.stream.settimeout(60)
        self.reader = FrameReader(self.stream)
        self.received: list[tuple[Head, Arrays]] = []
        self.sent = 0

    def frame(self, verb: str, arrays: Arrays | None = None, **members) -> bytes:
        self.sent += 1
        return encode({"id": self.sent, "verb": verb, **members}, arrays or {})

    def receive(self) -> tuple[Head, Arrays]:
        if not self.received:
            frames = self.reader.read(wait=True)
            assert frames is not None, self.log.read_text()
            self.received = frames
        return self.received.pop(0)

    def call(self, verb: str, arrays: Arrays | None = None, **members) -> tuple[Head, Arrays]:
        self.stream.sendall(self.frame(verb, arrays, **members))
        head, out = self.receive()
        assert head["id"] == self.sent
        return head, out

    def ended(self) -> int:
        return self.process.wait(60)

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.stream.close()
        self.process.kill()
        self.process.wait()


def gone(pid: int, seconds: float = 30) -> bool:
    """Whether a process that is nobody's child of ours ends in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                time.sleep(0.02)
                continue
        return True
    os.kill(pid, signal.SIGKILL)
    return False
