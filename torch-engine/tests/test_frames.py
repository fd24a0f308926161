"""Frames are what PROTOCOL.md says, byte by byte, and come back as they went."""

import socket
import struct
import threading

import numpy as np
import pytest

from whetstone_engine.frames import BrokenFrame, decode, encode, read_frame

ARRAYS = {
    "a": np.array([1, -2, 3], np.int32),
    "b": np.array([2**40, -1], np.int64),
    "c": np.array([], np.float32),
    "d": np.array([1.5, np.nan, -np.inf], np.float32),
    "e": np.array([255], np.uint8),
    "f": np.array([], np.uint8),
    "g": np.array([7], np.int64),
}


def parted(frame: bytes) -> tuple[bytes, bytes]:
    head, body = struct.unpack("<II", frame[:8])
    assert len(frame) == 8 + head + body
    return frame[8 : 8 + head], frame[8 + head :]


def test_the_layout():
    text, body = parted(encode({"id": 3}, {"e": ARRAYS["e"], "a": ARRAYS["a"]}))
    assert body == b"\xff" + bytes(7) + struct.pack("<iii", 1, -2, 3)
    head, arrays = decode(text, body)
    assert head == {"id": 3}
    assert list(arrays) == ["e", "a"]


def test_what_goes_comes_back():
    head, arrays = decode(*parted(encode({"verb": "ä", "x": [1, None]}, ARRAYS)))
    assert head == {"verb": "ä", "x": [1, None]}
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert np.array_equal(arrays[name], array, equal_nan=array.dtype == np.float32)
    assert decode(*parted(encode({}, {}))) == ({}, {})
    assert decode(b'{"arrays": null}', b"") == ({}, {})


def test_a_number_that_json_has_no_word_for_is_never_written():
    with pytest.raises(ValueError, match="JSON"):
        encode({"lossSum": float("nan")}, {})


BROKEN = [
    b"{",
    b"\xff\xfe",
    b"3",
    b'{"arrays": 3}',
    b'{"arrays": [{"name": "a", "dtype": "i32"}]}',
    b'{"arrays": [{"name": "a", "dtype": "f16", "length": 1}]}',
    b'{"arrays": [{"name": "a", "dtype": "i32", "length": 3}]}',
    b'{"arrays": [{"name": "a", "dtype": "i32", "length": -1}]}',
    b'{"arrays": [{"name": "a", "dtype": "i32", "length": "1"}]}',
]


@pytest.mark.parametrize("text", BROKEN, ids=lambda text: text.decode("latin1"))
def test_what_is_no_frame_is_named(text):
    with pytest.raises(BrokenFrame):
        decode(text, bytes(8))


def test_frames_come_in_pieces_and_end_anywhere():
    frame = encode({"id": 1}, {"big": np.arange(100_000, dtype=np.int64)})
    ours, theirs = socket.socketpair()
    sender = threading.Thread(target=lambda: (theirs.sendall(frame + frame[:-1]), theirs.close()))
    sender.start()
    head, arrays = read_frame(ours)
    assert head == {"id": 1}
    assert arrays["big"].tolist() == list(range(100_000))
    assert read_frame(ours) is None
    sender.join()
    ours.close()


def test_a_size_beyond_two_gigabytes_is_broken():
    for sizes in ((2**31, 0), (0, 2**32 - 1)):
        ours, theirs = socket.socketpair()
        theirs.sendall(struct.pack("<II", *sizes))
        with pytest.raises(BrokenFrame):
            read_frame(ours)
        ours.close()
        theirs.close()
