"""Products of square matrices, a turn for every line of standard input, answered with how many million
operations they took (a multiplication and an addition are two). Called by peak.ts."""

from __future__ import annotations

import argparse
import sys
import time

import torch

SIZES = (1024, 2048, 4096)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dtype", required=True, choices=("bfloat16", "float32"))
    for name in ("threads", "milliseconds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    pairs = {size: torch.randn(2, size, size).to(getattr(torch, asked.dtype)) for size in SIZES}
    out = {size: torch.empty_like(pair[0]) for size, pair in pairs.items()}

    def rate(size: int, seconds: float) -> tuple[float, int]:
        begun, products = time.perf_counter(), 0
        while (passed := time.perf_counter() - begun) < seconds:
            torch.mm(pairs[size][0], pairs[size][1], out=out[size])
            products += 1
        operations = products * 2 * size**3
        return operations / passed, operations

    for size in SIZES:
        rate(size, 0.2)
    best = max(SIZES, key=lambda size: rate(size, 1)[0])
    print("ready", flush=True)
    for _ in sys.stdin:
        print(rate(best, asked.milliseconds / 1000)[1] // 1_000_000, flush=True)


if __name__ == "__main__":
    main()
