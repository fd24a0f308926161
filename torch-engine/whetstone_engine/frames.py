"""Frames: a JSON head and raw little-endian arrays at multiples of eight bytes (PROTOCOL.md)."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

import numpy as np

DTYPES: dict[str, np.dtype] = {
    "i32": np.dtype("<i4"),
    "i64": np.dtype("<i8"),
    "f32": np.dtype("<f4"),
    "u8": np.dtype("u1"),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
Head = dict[str, Any]
Arrays = dict[str, np.ndarray]


SIZES = struct.Struct("<II")
LIMIT = 2**31
BUFFERED = 2**16
"""Bytes that are taken from the system at once; what does not fit is read into memory of its own."""
UNREAD = "unread"
"""Member of a head whose arrays there was no memory for."""
_reader = json.JSONDecoder()
_writer = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":"))


class BrokenFrame(Exception):
    """What came is no frame: where the next one begins is not known either."""


def encode(head: Head, arrays: Arrays) -> bytes:
    """One frame of a head and its arrays."""
    if not arrays:
        text = _writer.encode(head).encode()
        return SIZES.pack(len(text), 0) + text
    pieces: list[bytes] = []
    listed = []
    size = 0
    for name, array in arrays.items():
        listed.append({"name": name, "dtype": NAMES[array.dtype], "length": int(array.size)})
        pieces += [bytes(-size % 8), array.tobytes()]
        size += -size % 8 + array.nbytes
    text = _writer.encode({**head, "arrays": listed}).encode()
    return b"".join((SIZES.pack(len(text), size), text, *pieces))


def decode(text: bytes | bytearray, body: bytes | bytearray, *, whole: bool = True) -> tuple[Head, Arrays]:
    """Head and arrays of a frame; the arrays are views of the body, none where this is not there. Raises
    BrokenFrame."""
    arrays: Arrays = {}
    offset = 0
    try:
        head = _reader.decode(text.decode())
        listed = head.pop("arrays", None) or ()
        for entry in listed if whole else ():
            offset += -offset % 8
            dtype, length = DTYPES[entry["dtype"]], entry["length"]
            end = offset + length * dtype.itemsize
            if length < 0 or end > len(body):
                raise BrokenFrame(f"{entry['name']} lies outside the body")
            arrays[entry["name"]] = np.frombuffer(body, np.uint8)[offset:end].view(dtype)
            offset = end
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BrokenFrame(f"a head that is none: {error!r}") from error
    return head, arrays


class FrameReader:
    """Takes frames from a socket: all that have come, however many they are, with one call of the system."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.begun = b""
        """The beginning of a frame that is not whole yet."""

    def read(self, *, wait: bool) -> list[tuple[Head, Arrays]] | None:
        """The frames that have come; with `wait` at least one. None when the other side has gone.
        Raises BrokenFrame."""
        while True:
            try:
                piece = self.stream.recv(BUFFERED, 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return []
            frames = self._frames(self.begun + piece) if piece else None
            if frames or frames is None or not wait:
                return frames

    def _frames(self, came: bytes) -> list[tuple[Head, Arrays]] | None:
        """What came as frames; a last one that is not whole is kept, or read to its end if large."""
        frames: list[tuple[Head, Arrays]] = []
        start = 0
        while len(came) - start >= SIZES.size:
            head_bytes, body_bytes = SIZES.unpack_from(came, start)
            if head_bytes >= LIMIT or body_bytes >= LIMIT:
                raise BrokenFrame(f"{head_bytes} and {body_bytes} bytes")
            begin = start + SIZES.size
            middle = begin + head_bytes
            end = middle + body_bytes
            if end <= len(came):
                frames.append(decode(came[begin:middle], bytearray(came[middle:end])))
                start = end
            elif end - start <= BUFFERED:
                break
            else:
                frame = self._large(came[begin:], head_bytes, body_bytes)
                if frame is None:
                    return None
                frames.append(frame)
                start = len(came)
        self.begun = came[start:]
        return frames

    def _large(self, begun: bytes, head_bytes: int, body_bytes: int) -> tuple[Head, Arrays] | None:
        """One that is read to its end. Where there is no memory for its body, a head that says so: who asked
        is told, and what comes next is read."""
        text, begun = self._rest(begun[:head_bytes], head_bytes), begun[head_bytes:]
        if text is None:
            return None
        try:
            body = self._rest(begun, body_bytes)
        except MemoryError:
            left = body_bytes - len(begun)
            while left > 0:
                passed = len(self.stream.recv(min(left, BUFFERED)))
                if passed == 0:
                    return None
                left -= passed
            head, _ = decode(text, b"", whole=False)
            return {**head, UNREAD: True}, {}
        return None if body is None else decode(text, body)

    def _rest(self, begun: bytes, count: int) -> bytearray | None:
        """`count` bytes that begin so; None when the other side goes before the last of them."""
        buffer = bytearray(count)
        buffer[: len(begun)] = begun
        view = memoryview(buffer)
        done = len(begun)
        while done < count:
            received = self.stream.recv_into(view[done:])
            if received == 0:
                return None
            done += received
        return buffer
