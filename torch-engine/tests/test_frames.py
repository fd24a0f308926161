"""Frames are what PROTOCOL.md says, byte by byte, and come back as they went."""

import socket
import struct
import threading

import numpy as np
import pytest

from whetstone_engine.frames import BUFFERED, BrokenFrame, FrameReader, decode, encode

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


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_what_has_come_is_taken_at_once_and_what_is_not_whole_waits(ends):
    ours, theirs = ends
    reader = FrameReader(ours)
    assert reader.read(wait=False) == []
    frames = [encode({"id": index}, {"a": ARRAYS["a"]}) for index in range(3)]
    theirs.sendall(b"".join(frames) + frames[0][:5])
    came = reader.read(wait=True)
    assert [head["id"] for head, _ in came] == [0, 1, 2]
    assert [arrays["a"].tolist() for _, arrays in came] == [[1, -2, 3]] * 3
    assert reader.read(wait=False) == []
    theirs.sendall(frames[0][5:20])
    assert reader.read(wait=False) == []
    theirs.sendall(frames[0][20:] + frames[1][:-1])
    assert [head["id"] for head, _ in reader.read(wait=True)] == [0]
    theirs.sendall(frames[1][-1:])
    assert [head["id"] for head, _ in reader.read(wait=False)] == [1]


@pytest.mark.parametrize("cut", [1, 7, 8, 30, 40, 41, 2000])
def test_a_frame_may_come_in_pieces_of_any_length(ends, cut):
    ours, theirs = ends
    bytes_ = b"".join(encode({"id": index}, ARRAYS) for index in range(9))

    def drip() -> None:
        for start in range(0, len(bytes_), cut):
            theirs.sendall(bytes_[start : start + cut])

    sender = threading.Thread(target=drip)
    sender.start()
    reader, came = FrameReader(ours), []
    while len(came) < 9:
        came += reader.read(wait=True)
    sender.join()
    assert [head["id"] for head, _ in came] == list(range(9))
    for _, arrays in came:
        assert arrays["b"].tolist() == ARRAYS["b"].tolist()


def test_a_frame_that_no_buffer_holds_is_read_to_its_end(ends):
    ours, theirs = ends
    small = encode({"id": 0}, ARRAYS)
    sizes = [BUFFERED // 8 - 7, BUFFERED // 8 - 6, BUFFERED // 8, 100_000]
    large = [encode({"id": size}, {"big": np.arange(size, dtype=np.int64)}) for size in sizes]
    long_head = encode({"id": 1, "text": "x" * BUFFERED}, {"a": ARRAYS["a"]})
    sent = small + b"".join(large) + long_head + small
    sender = threading.Thread(target=theirs.sendall, args=(sent,))
    sender.start()
    reader, came = FrameReader(ours), []
    while len(came) < 7:
        came += reader.read(wait=True)
    sender.join()
    assert [head["id"] for head, _ in came] == [0, *sizes, 1, 0]
    for (_, arrays), size in zip(came[1:5], sizes, strict=True):
        assert np.array_equal(arrays["big"], np.arange(size))
    assert len(came[5][0]["text"]) == BUFFERED
    assert came[5][1]["a"].tolist() == [1, -2, 3]


@pytest.mark.parametrize("length", [1, 100_000])
@pytest.mark.parametrize("kept", [0, 5, 30, -1])
def test_the_other_side_may_end_anywhere(ends, kept, length):
    ours, theirs = ends
    frame = encode({"id": 1}, {"big": np.arange(length, dtype=np.int64)})
    sender = threading.Thread(target=lambda: (theirs.sendall(frame[:kept]), theirs.close()))
    sender.start()
    assert FrameReader(ours).read(wait=True) is None
    sender.join()


def test_a_size_beyond_two_gigabytes_is_broken(ends):
    ours, theirs = ends
    for sizes in ((2**31, 0), (0, 2**32 - 1)):
        theirs.sendall(struct.pack("<II", *sizes))
        with pytest.raises(BrokenFrame):
            FrameReader(ours).read(wait=True)
