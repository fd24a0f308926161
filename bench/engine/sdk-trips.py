"""The official Tinker SDK and the HTTP library under it, each in turns: `sdk-trips.py OURS BARE KEY TRIPS`.
For every line of standard input, `sdk` or `bare`, goes there and back so many times, one round trip after the
other, and prints how many a second."""

import asyncio
import sys
import time

import httpx
from tinker._client import AsyncTinker


async def main(ours: str, bare: str, key: str, trips: int) -> None:
    sdk = AsyncTinker(base_url=ours, api_key=key, max_retries=0)
    async with httpx.AsyncClient() as plain:
        calls = {"sdk": sdk.service.health_check, "bare": lambda: plain.get(bare)}
        for line in sys.stdin:
            call = calls[line.strip()]
            begun = time.perf_counter()
            for _ in range(trips):
                await call()
            print(trips / (time.perf_counter() - begun), flush=True)


asyncio.run(main(*sys.argv[1:4], int(sys.argv[4])))
