"""Products of square matrices, a turn for every line of standard input, answered with how many million
operations they took (a multiplication and an addition are two). Called by peak.ts."""

from __future__ import annotations

import argparse
import sys
import time

import torch

SIZES = {"cpu": (1024, 2048, 4096), "cuda": (4096, 8192)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dtype", required=True, choices=("bfloat16", "float32"))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    for name in ("threads", "milliseconds"):
        parser.add_argument(f"--{name}", type=int, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    sizes, dtype = SIZES[asked.device], getattr(torch, asked.dtype)
    pairs = {size: torch.randn(2, size, size).to(asked.device, dtype) for size in sizes}
    out = {size: torch.empty_like(pair[0]) for size, pair in pairs.items()}

    def rate(size: int, seconds: float) -> tuple[float, int]:
        begun, products, events = time.perf_counter(), 0, []
        while time.perf_counter() - begun < seconds:
            torch.mm(pairs[size][0], pairs[size][1], out=out[size])
            products += 1
            if asked.device == "cuda":
                # One is asked for while another is computed, and no more.
                events.append(torch.cuda.Event())
                events[-1].record()
                if len(events) > 2:
                    events.pop(0).synchronize()
        while events:
            events.pop(0).synchronize()
        operations, passed = products * 2 * size**3, time.perf_counter() - begun
        return operations / passed, operations

    for size in sizes:
        rate(size, 0.2)
    best = max(sizes, key=lambda size: rate(size, 1)[0])
    print("ready", flush=True)
    for _ in sys.stdin:
        print(rate(best, asked.milliseconds / 1000)[1] // 1_000_000, flush=True)


if __name__ == "__main__":
    main()
