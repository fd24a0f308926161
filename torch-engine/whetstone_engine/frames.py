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


def encode(head: Head, arrays: Arrays) -> bytes:
    """One frame of a head and its arrays."""
    body = bytearray()
    listed = []
    for name, array in arrays.items():
        body.extend(bytes(-len(body) % 8))
        listed.append({"name": name, "dtype": NAMES[array.dtype], "length": int(array.size)})
        body.extend(np.ascontiguousarray(array).tobytes())
    text = json.dumps({**head, "arrays": listed}).encode()
    return struct.pack("<II", len(text), len(body)) + text + bytes(body)


def decode(text: bytes, body: bytes) -> tuple[Head, Arrays]:
    """Head and arrays of a frame; the arrays are views of the body. Raises ValueError on a broken frame."""
    head = json.loads(text)
    arrays: Arrays = {}
    offset = 0
    for entry in head.pop("arrays", []):
        offset += -offset % 8
        dtype = DTYPES[entry["dtype"]]
        array = np.frombuffer(body, dtype, count=entry["length"], offset=offset)
        arrays[entry["name"]] = array
        offset += array.nbytes
    return head, arrays


def read_exactly(stream: socket.socket, count: int) -> bytes | None:
    """`count` bytes, or None when the other side has gone."""
    buffer = bytearray(count)
    view = memoryview(buffer)
    done = 0
    while done < count:
        received = stream.recv_into(view[done:], count - done)
        if received == 0:
            return None
        done += received
    return bytes(buffer)


def read_frame(stream: socket.socket) -> tuple[Head, Arrays] | None:
    """The next frame, or None when the other side has gone."""
    sizes = read_exactly(stream, 8)
    if sizes is None:
        return None
    head_bytes, body_bytes = struct.unpack("<II", sizes)
    if head_bytes >= 2**31 or body_bytes >= 2**31:
        raise ValueError(f"broken frame: {head_bytes} and {body_bytes} bytes")
    text = read_exactly(stream, head_bytes)
    body = read_exactly(stream, body_bytes)
    return None if text is None or body is None else decode(text, body)
