"""Processes beside this one that compute parts of its passes. Threads would share each product and meet at
its end, which takes about as long as a small product itself. Helpers begin as copies of this process, before
it holds anything; weights and gradients lie in memory that all of them see."""

from __future__ import annotations

import contextlib
import gc
import mmap
import os
import pickle
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .errors import EngineError
from .parent import die_with_parent
from .passes import Passes, Rows
from .weights import Architecture

THERE = sys.platform == "linux"
"""Whether a process can go on as a copy, and memory be a file: elsewhere there are no helpers."""
LATER = 5
"""How much nicer than its worker a helper is: other workers come first."""
MOST_FILES = 2**16
SIZE = struct.Struct("<Q")
Part = tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]
"""`Rows`, as they travel."""
Result = tuple[float, Tensor]
"""The loss of a part, and its logprobs [N]."""


class Shared:
    """Memory that several processes see: a model's weights, and a gradient for each part but the first."""

    def __init__(self, numbers: int, parts: int, file: int | None = None) -> None:
        """Of so many fp32 numbers each, in a file that is there or a new one. Raises OSError."""
        self.file = os.memfd_create("whetstone") if file is None else file
        self.numbers, self.parts, size = numbers, parts, 4 * numbers * parts
        try:
            if file is None:
                os.ftruncate(self.file, size)
            memory = mmap.mmap(self.file, size)
        except BaseException:
            self.close()
            raise
        # Tensors of their own: autograd takes what is written to one for a change of all that are its views.
        self.weights, *self.gradients = (
            torch.frombuffer(memory, dtype=torch.float32, count=numbers, offset=4 * numbers * part)
            for part in range(parts)
        )

    def close(self) -> None:
        """Nobody else can be told of it any more."""
        os.close(self.file)


class Helper:
    """A process that waits for parts of passes, until it is stopped or its worker ends. One that is gone does
    nothing."""

    def __init__(self) -> None:
        """Gone from the beginning where the system gives no process."""
        self.stream, theirs = socket.socketpair()
        # What is written to a socket wakes its reader on the writer's processor, as writers mostly wait next.
        # This one computes, and where no processor is idle the reader would wait for its end.
        self.bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_SEMAPHORE)
        self.process: int | None = None
        parent = os.getpid()
        with self._or_gone():
            self.process = os.fork()
        if self.process == 0:
            # Whatever happens, it never goes on as the worker that it was.
            try:
                _live(theirs, self.bell, parent)
            except EOFError:
                """The worker has ended."""
            except BaseException:
                _tell()
            finally:
                os._exit(1)
        theirs.close()

    def meet(self, model: int, passes: Passes, shared: Shared, which: int) -> None:
        """Tells it of a model, and which of the gradients in shared memory it writes."""
        with self._or_gone():
            how = {"recompute": passes.recompute, "pass_bytes": passes.pass_bytes}
            sizes = shared.numbers, shared.parts
            self._send("meet", model, passes.architecture, sizes, which, how)
            socket.send_fds(self.stream, [b"f"], [shared.file])

    def begin(self, model: int, rows: Rows, loss: dict[str, Any], wanted: str, *, backward: bool) -> None:
        """Gives it a part of a pass."""
        fields = {name: values.numpy() for name, values in rows.fields.items()}
        with self._or_gone():
            arrays: Part = (rows.lengths, rows.tokens_N.numpy(), rows.targets_N.numpy(), fields)
            self._send("part", model, arrays, loss, wanted, backward)

    def end(self) -> Result | None:
        """Waits for what was begun; None where it failed, of whatever. The gradient is in shared memory."""
        with self._or_gone():
            result = _received(self.stream)
            return None if result is None else (result[0], torch.from_numpy(result[1]))
        return None

    def forget(self, model: int) -> None:
        with self._or_gone():
            self._send("forget", model)

    def stop(self) -> None:
        if self.stream.fileno() < 0:
            return
        self.stream.close()
        os.close(self.bell)
        process, self.process = self.process, None
        if process is not None:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)

    def _send(self, *message: object) -> None:
        written = memoryview(_written(message))
        try:
            sent = self.stream.send(written, socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        os.eventfd_write(self.bell, 1)
        # What the system does not hold is read meanwhile.
        self.stream.sendall(written[sent:])

    @contextlib.contextmanager
    def _or_gone(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError) as error:
            if self.process is not None:
                # Nothing is lost; the worker's log says why it has more to do.
                print(f"process {self.process}, which helped, is gone: {error!r}", file=sys.stderr)
            self.stop()


def _live(stream: socket.socket, bell: int, parent: int) -> None:
    """As a helper, to its end."""
    # What the worker would clean up is not a helper's: files that it closes are others by then.
    gc.freeze()
    die_with_parent(parent)
    # What it says goes where the worker's errors do; by its output the worker itself is known.
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    # The worker's socket, which must end with the worker, and the other helpers'.
    first, second = sorted((stream.fileno(), bell))
    os.closerange(3, first)
    os.closerange(first + 1, second)
    os.closerange(second + 1, MOST_FILES)
    os.nice(LATER)
    held: dict[int, Passes] = {}
    while True:
        os.eventfd_read(bell)
        verb, model, *given = _received(stream)
        if verb == "meet":
            held[model] = _met(stream, *given)
        elif verb == "part":
            stream.sendall(_written(_computed(held[model], *given)))
        else:
            held.pop(model, None)


def _tell() -> None:
    """What is wrong, and not by a stream of the worker's, whose file may be closed."""
    os.write(2, traceback.format_exc().encode())


def _written(message: object) -> bytes:
    text = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return SIZE.pack(len(text)) + text


def _received(stream: socket.socket) -> Any:  # noqa: ANN401
    """What the other side wrote. Raises EOFError when it has gone."""
    return pickle.loads(_exactly(stream, *SIZE.unpack(_exactly(stream, SIZE.size))))


def _exactly(stream: socket.socket, count: int) -> bytearray:
    buffer = bytearray(count)
    view = memoryview(buffer)
    while view:
        came = stream.recv_into(view)
        if came == 0:
            raise EOFError
        view = view[came:]
    return buffer


def _met(
    stream: socket.socket, architecture: Architecture, sizes: tuple[int, int], which: int, how: dict[str, Any]
) -> Passes:
    _, [file], _, _ = socket.recv_fds(stream, 1, 1)
    shared = Shared(*sizes, file)
    shared.close()
    return Passes(architecture, shared.weights, shared.gradients[which], **how)


def _computed(
    passes: Passes, arrays: Part, loss: dict[str, Any], wanted: str, backward: bool
) -> tuple[float, np.ndarray] | None:
    """None where it fails: it is computed again where someone can be told why."""
    lengths, tokens_N, targets_N, fields = arrays
    named = {name: torch.from_numpy(values) for name, values in fields.items()}
    rows = Rows(lengths, torch.from_numpy(tokens_N), torch.from_numpy(targets_N), named)
    passes.grad.zero_()
    try:
        lost, out_N = passes.over(rows, loss, wanted, backward=backward)
    except Exception as error:
        if not isinstance(error, EngineError):
            _tell()
        return None
    return lost, out_N.numpy()
