"""An endpoint on 127.0.0.1 that answers, and misbehaves as it is told.

python -m tests.llm.server PLAN     prints its port, then serves until it is killed
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web

Body = dict[str, Any]
Plan = Callable[[str, int], str]
"""(what is asked, how often it was asked before) -> what happens."""


def fine(_: str, __: int) -> str:
    return "ok"


def rough(asked: str, before: int) -> str:
    """Every fault to some requests, none twice in a row to the same one."""
    if before % 2:
        return "ok"
    often = ["429", "500", "503", "cut", "garbage", "empty", "list", "nul"]
    faults = ["ok"] * 160 + often * 6 + ["hang"] * 2
    draw = int(hashlib.md5(f"{asked}{before}".encode()).hexdigest(), 16)
    return faults[draw % len(faults)]


class Stub:
    """paid: whole answers that went out, by question. asked: requests that came, by question."""

    def __init__(self, plan: Plan = fine, delay: float = 0.0) -> None:
        self.plan, self.delay = plan, delay
        self.asked: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self.bodies: list[Body] = []
        self.headers: list[dict[str, str]] = []
        self.under_way = self.most_under_way = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self._answer(request)
        finally:
            self.under_way -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        asked = body["messages"][-1]["content"]
        before = self.asked[asked]
        self.asked[asked] += 1
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        if self.delay:
            await asyncio.sleep(self.delay)
        what = self.plan(asked, before)
        if what.isdigit():
            said = f'{{"error": "no {request.headers.get("Authorization")}"}}'
            return web.Response(status=int(what), text=said, headers={"Retry-After": "0"})
        if what.startswith("after "):
            return web.Response(status=429, headers={"Retry-After": what.removeprefix("after ")})
        if what == "schema" and "response_format" in body:
            return web.json_response({"error": "response_format is not supported"}, status=400)
        if what == "cut":
            assert request.transport
            request.transport.close()
            return web.Response(status=500)
        if what == "hang":
            await asyncio.sleep(30)
            return web.Response(status=500)
        texts = {"garbage": "{nonsense", "list": "[1]", "nul": "{}"}
        if what in texts:
            return web.Response(text=texts[what])
        if what == "huge":
            return web.Response(text="x" * (9 << 20))
        told = (
            "" if what == "empty" else what.removeprefix("say ") if " " in what else f"答：{asked}"
        )
        if told:
            self.paid[asked] += 1
        usage = {"prompt_tokens": len(asked), "completion_tokens": len(told)}
        choice = {"message": {"content": told}, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], "usage": usage})


async def serve_forever(stub: Stub, started: Callable[[], None]) -> None:
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/chat/completions", stub.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stub.port = runner.addresses[0][1]
    started()
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


@contextmanager
def serve(plan: Plan = fine, delay: float = 0.0) -> Iterator[Stub]:
    """The endpoint in a thread, until the block ends."""
    stub = Stub(plan, delay)
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    task: list[asyncio.Task[None]] = []

    def run() -> None:
        asyncio.set_event_loop(loop)
        task.append(loop.create_task(serve_forever(stub, ready.set)))
        try:
            loop.run_until_complete(task[0])
        except asyncio.CancelledError:
            pass
        finally:
            left = asyncio.all_tasks(loop)
            for one in left:
                one.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield stub
    finally:
        loop.call_soon_threadsafe(task[0].cancel)
        thread.join(10)


if __name__ == "__main__":
    plans: dict[str, Plan] = {"fine": fine, "rough": rough}
    alone = Stub(plans[sys.argv[1]], float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)
    asyncio.run(serve_forever(alone, lambda: print(json.dumps(alone.port), flush=True)))
