"""Checksums of a checkpoint's files of weights, told in its `whetstone.json`: a byte that a disk or a copy
has changed is noticed."""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from .errors import EngineError

MEMBER = "checksums"
"""Of `whetstone.json`: sums by the files' names. Folders of other programs have none, nor have earlier
checkpoints."""
LANES = 4096
"""Words of 64 bits whose sums are kept apart: of two wrong bits one cannot make up for the other unless they
are in one lane."""


def sum_of(path: Path) -> int:
    """CRC-32 of the sums of a file's lanes, and of the rest. By itself CRC-32 takes four times as long, half
    of what writing does where no processor is idle. Others compute meanwhile."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _sum(np.frombuffer(content, np.uint8))


def _sum(content: np.ndarray) -> int:
    whole = len(content) // (8 * LANES) * 8 * LANES
    lanes = content[:whole].view("<u8").reshape(-1, LANES).sum(0, dtype="<u8")
    return zlib.crc32(content[whole:].tobytes(), zlib.crc32(lanes.tobytes()))


@contextmanager
def unchanged(files: list[Path], facts: Mapping[str, Any]) -> Iterator[None]:
    """Around reading files of one folder: computes their sums meanwhile, and raises checkpoint-damaged at the
    end where one is not what the folder's facts say."""
    told = facts.get(MEMBER)
    known = [path for path in files if isinstance(told, dict) and path.name in told]
    with ThreadPoolExecutor(1) as beside:
        sums = [beside.submit(sum_of, path) for path in known]
        yield
        for path, total in zip(known, sums, strict=True):
            if total.result() != told[path.name]:
                raise EngineError(
                    "checkpoint-damaged",
                    "user",
                    f"{path} does not hold what was saved there (its checksum is another): put a copy back, "
                    f"or use another checkpoint; where a program changed it on purpose, take {MEMBER} out of "
                    "whetstone.json beside it",
                )
