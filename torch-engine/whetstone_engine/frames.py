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


class BrokenFrame(Exception):
    """What came is no frame: where the next one begins is not known either."""


def encode(head: Head, arrays: Arrays) -> bytes:
    """One frame of a head and its arrays."""
    pieces: list[bytes] = []
    listed = []
    size = 0
    for name, array in arrays.items():
        listed.append({"name": name, "dtype": NAMES[array.dtype], "length": int(array.size)})
        pieces += [bytes(-size % 8), array.tobytes()]
        size += -size % 8 + array.nbytes
    text = json.dumps({**head, "arrays": listed}, allow_nan=False).encode()
    return b"".join((struct.pack("<II", len(text), size), text, *pieces))


def decode(text: bytes, body: bytes) -> tuple[Head, Arrays]:
    """Head and arrays of a frame; the arrays are views of the body. Raises BrokenFrame."""
    arrays: Arrays = {}
    offset = 0
    try:
        head = json.loads(text)
        for entry in head.pop("arrays", None) or []:
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


def read_exactly(stream: socket.socket, count: int) -> bytearray | None:
    """`count` bytes, or None when the other side has gone."""
    buffer = bytearray(count)
    view = memoryview(buffer)
    done = 0
    while done < count:
        received = stream.recv_into(view[done:], count - done)
        if received == 0:
            return None
        done += received
    return buffer


def read_frame(stream: socket.socket) -> tuple[Head, Arrays] | None:
    """The next frame, or None when the other side has gone. Raises BrokenFrame."""
    sizes = read_exactly(stream, 8)
    if sizes is None:
        return None
    head_bytes, body_bytes = struct.unpack("<II", sizes)
    if head_bytes >= 2**31 or body_bytes >= 2**31:
        raise BrokenFrame(f"{head_bytes} and {body_bytes} bytes")
    text = read_exactly(stream, head_bytes)
    body = read_exactly(stream, body_bytes)
    return None if text is None or body is None else decode(text, body)
