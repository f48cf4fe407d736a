"""Requests a second of the whole scoring step, beside a bare loop over the same endpoint.

    python -m benchmarks.asking [REQUESTS]

The endpoint is a stub in a process of its own that answers after 20 and after 200 ms; 64 requests
are under way. The bare loop posts the same bodies with aiohttp and parses the answers, and does
nothing else. The scoring step makes requests from records, looks into the cache, keeps every reply,
books its cost and reads its verdict; its second run finds everything in the cache.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import orjson

from cqia.judges.base import Case
from cqia.judges.catalogue import JUDGES
from cqia.llm.ask import ask
from cqia.llm.budget import Budget, Price
from cqia.llm.cache import Cache
from cqia.llm.endpoint import Endpoint
from cqia.llm.protocol import Reply

UNDER_WAY = 64
ROOT = Path(__file__).parents[1]


async def bare(url: str, bodies: list[bytes]) -> int:
    """Post all bodies, UNDER_WAY at a time; returns the answers."""
    left = iter(bodies)
    done = 0

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal done
        for body in left:
            async with session.post(f"{url}/chat/completions", data=body) as answer:
                orjson.loads(await answer.read())["choices"][0]["message"]["content"]
            done += 1

    headers = {"Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        await asyncio.gather(*(work(session) for _ in range(UNDER_WAY)))
    return done


def scored(url: str, cases: list[Case], place: Path) -> int:
    """The scoring step; returns the replies."""
    judge = JUDGES["quality"]
    model = Endpoint(name="stub", url=url, concurrency=UNDER_WAY, structured="nothing")
    requests = [judge.ask(case) for case in cases]
    with Cache(place) as cache:
        found = ask(model, requests, cache=cache, budget=Budget(Price(prompt=1.0, reply=2.0)))
    replies = [one for one in found.outcomes if isinstance(one, Reply)]
    for one in replies:
        judge.read(one.text)
    return len(replies)


def rate(count: int, began: float) -> float:
    return count / (time.perf_counter() - began)


def main(count: int) -> None:
    print("| stub | bare loop, requests/s | scoring step | share | from a full cache |")
    print("|---|---:|---:|---:|---:|")
    for delay in (0.02, 0.2):
        command = [sys.executable, "-m", "tests.llm.server", "fine", str(delay)]
        stub = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert stub.stdout
            url = f"http://127.0.0.1:{json.loads(stub.stdout.readline())}/v1"
            cases = [Case(f"第{n}个问题：{'问' * 60}", "", "答" * 400) for n in range(count)]
            judge = JUDGES["quality"]
            model = Endpoint(name="stub", url=url, structured="nothing")
            bodies = [model.body(judge.ask(case)) for case in cases]
            rates: dict[str, list[float]] = {"bare": [], "scored": [], "cached": []}
            for turn in range(3):
                began = time.perf_counter()
                assert asyncio.run(bare(url, bodies)) == count
                rates["bare"].append(rate(count, began))
                with tempfile.TemporaryDirectory() as folder:
                    place = Path(folder) / f"{turn}.sqlite"
                    for kind in ("scored", "cached"):
                        began = time.perf_counter()
                        assert scored(url, cases, place) == count
                        rates[kind].append(rate(count, began))
        finally:
            stub.kill()
            stub.wait()
        b, s, c = (max(rates[kind]) for kind in ("bare", "scored", "cached"))
        print(
            f"| {delay * 1000:.0f} ms | {b:,.0f} | {s:,.0f} | {s / b:.2f} | {c:,.0f} |", flush=True
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4_000)
