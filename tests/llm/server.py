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
from typing import Any, TypeVar

from aiohttp import web

Body = dict[str, Any]
S = TypeVar("S", bound="Stub")
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

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/chat/completions", self.answer)
        app.router.add_get("/v1/models", self.models)
        app.router.add_post("/v1/completions", self.answer)

    async def models(self, _: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "stub"}]})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self._answer(request)
        finally:
            self.under_way -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        asked = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
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
        if "prompt" in body:
            self.paid[asked] += 1
            return completion(what, body)
        told = (
            "" if what == "empty" else what.removeprefix("say ") if " " in what else f"答：{asked}"
        )
        if told:
            self.paid[asked] += 1
        usage = {"prompt_tokens": len(asked), "completion_tokens": len(told)}
        choice = {"message": {"content": told}, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], "usage": usage})


def logprob(before: str, token: str) -> float:
    """A language model of single characters, made of a hash."""
    return -1 - int(hashlib.md5(f"{before[-3:]}|{token}".encode()).hexdigest()[:4], 16) / 20_000


def likeliest(before: str, count: int) -> dict[str, float]:
    found = {one: logprob(before, one) for one in "ABCD是否对错你我他一二三四五六七八九十百千万"}
    return dict(sorted(found.items(), key=lambda one: -one[1])[:count])


def completion(what: str, body: Body) -> web.Response:
    """`/completions`: in OpenAI's form, in that of llama.cpp (`llama`), or without logprobs (`null`).

    `few` refuses more than five likeliest tokens; `deaf` does not echo.
    """
    prompt, count = body["prompt"], body["logprobs"]
    if what == "few" and count > 5:
        return web.json_response({"error": "logprobs must be at most 5"}, status=400)
    top = likeliest(prompt, count)
    said = next(iter(top))
    usage = {"prompt_tokens": len(prompt), "completion_tokens": 1}
    choice: Body = {"text": said, "finish_reason": "length", "logprobs": None}
    if what == "llama":
        listed = [{"token": one, "logprob": value} for one, value in top.items()]
        choice["logprobs"] = {"content": [{"token": said, "top_logprobs": listed}]}
    elif what != "null" and body.get("echo") and what != "deaf":
        tokens = [*prompt, said]
        told = [logprob(prompt[:n], one) if n else None for n, one in enumerate(tokens)]
        choice["text"] = prompt + said
        choice["logprobs"] = {"tokens": tokens, "token_logprobs": told, "top_logprobs": [None]}
    elif what != "null":
        choice["logprobs"] = {
            "tokens": [said],
            "token_logprobs": [top[said]],
            "top_logprobs": [top],
        }
    return web.json_response({"choices": [choice], "usage": usage})


async def serve_forever(stub: Stub, started: Callable[[], None]) -> None:
    app = web.Application(client_max_size=1 << 26)
    stub.routes(app)
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
    with serving(Stub(plan, delay)) as stub:
        yield stub


@contextmanager
def serving(stub: S) -> Iterator[S]:
    """An endpoint of any kind in a thread, until the block ends."""
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
