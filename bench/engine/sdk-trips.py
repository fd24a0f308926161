"""The official Tinker SDK and the HTTP library under it, each in turns: `sdk-trips.py OURS BARE KEY MODEL
TRIPS`. For every line of standard input, `request`, `operation` or `bare`, goes there and back so many times,
one after the other, and prints how many a second. An operation is a step without a gradient, as the SDK's
TrainingClient makes it: it is sent, and its result is fetched."""

import asyncio
import sys
import time

import httpx
import tinker
from tinker import types
from tinker._client import AsyncTinker

NOTHING = types.AdamParams(learning_rate=0.0, weight_decay=0.0)


async def main(ours: str, bare: str, key: str, model: str, trips: int) -> None:
    # Only this client asks for something without an operation.
    sdk = AsyncTinker(base_url=ours, api_key=key, max_retries=0)
    service = tinker.ServiceClient(base_url=ours, api_key=key)
    training = await service.create_lora_training_client(model, rank=0)

    async def operation() -> None:
        await training.optim_step(NOTHING)

    async with httpx.AsyncClient() as plain:
        calls = {
            "request": sdk.service.health_check,
            "operation": operation,
            "bare": lambda: plain.get(bare),
        }
        for line in sys.stdin:
            call = calls[line.strip()]
            begun = time.perf_counter()
            for _ in range(trips):
                await call()
            print(trips / (time.perf_counter() - begun), flush=True)


asyncio.run(main(*sys.argv[1:5], int(sys.argv[5])))
