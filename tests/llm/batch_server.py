"""An endpoint with OpenAI's files and batches, which do what a test tells them to.

python -m tests.llm.batch_server     prints its port, then serves until it is killed
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.llm.server import Stub, serve_forever

Fate = Callable[[str], str]
"""What is asked -> ok, a status as digits, missing, garbage or stranger."""


class Batches(Stub):
    """status: of batches that are looked at. slow: seconds between making a batch and answering.

    paid: whole replies that were fetched, by question. made: batches, by id. broken: how often a
    made batch is answered by 500. lists: whether batches can be listed.
    """

    def __init__(self, fate: Fate = lambda _: "ok", status: str = "completed") -> None:
        super().__init__()
        self.fate, self.status = fate, status
        self.files: dict[str, bytes] = {}
        self.made: dict[str, dict[str, Any]] = {}
        self.slow = 0.0
        self.broken = 0
        self.lists = True
        self.uploads_fail = 0

    def routes(self, app: web.Application) -> None:
        super().routes(app)
        app.router.add_post("/v1/files", self.upload)
        app.router.add_get("/v1/files/{id}/content", self.content)
        app.router.add_post("/v1/batches", self.create)
        app.router.add_get("/v1/batches", self.listed)
        app.router.add_get("/v1/batches/{id}", self.look)

    async def upload(self, request: web.Request) -> web.Response:
        self.headers.append(dict(request.headers))
        form = await request.post()
        assert form["purpose"] == "batch"
        if self.uploads_fail:
            self.uploads_fail -= 1
            return web.Response(status=503)
        file = form["file"]
        assert isinstance(file, web.FileField)
        id_ = f"file-{len(self.files)}"
        self.files[id_] = file.file.read()
        return web.json_response({"id": id_})

    async def create(self, request: web.Request) -> web.Response:
        told = await request.json()
        assert told["endpoint"] == "/v1/chat/completions"
        id_ = f"batch-{len(self.made)}"
        self.made[id_] = {"id": id_, **told}
        for line in self.files[told["input_file_id"]].splitlines():
            self.asked[json.loads(line)["body"]["messages"][-1]["content"]] += 1
        await asyncio.sleep(self.slow)
        if self.broken:
            self.broken -= 1
            return web.Response(status=500, text=f"no {request.headers.get('Authorization')}")
        return web.json_response({"id": id_, "status": "validating"})

    async def listed(self, request: web.Request) -> web.Response:
        if not self.lists:
            return web.Response(status=404)
        ids = list(self.made)
        after = request.query.get("after")
        rest = ids[ids.index(after) + 1 :] if after else ids
        told = {"data": [self.made[one] for one in rest[:1]], "has_more": len(rest) > 1}
        return web.json_response(told)

    async def look(self, request: web.Request) -> web.Response:
        id_ = request.match_info["id"]
        if self.status == "gone":
            return web.Response(status=404)
        told = {"id": id_, "status": self.status}
        if self.status == "failed":
            told["errors"] = {"data": [{"message": "line 1 is too long"}]}  # type: ignore[assignment]
        elif self.status in ("completed", "expired", "cancelled"):
            told |= {"output_file_id": f"out-{id_}", "error_file_id": f"err-{id_}"}
        return web.json_response(told)

    async def content(self, request: web.Request) -> web.Response:
        kind, _, id_ = request.match_info["id"].partition("-")
        lines = []
        for line in self.files[self.made[id_]["input_file_id"]].splitlines():
            told = json.loads(line)
            asked = told["body"]["messages"][-1]["content"]
            fate = self.fate(asked)
            if fate.isdigit() and kind == "err":
                body = {"error": {"message": f"no {request.headers.get('Authorization')}"}}
                answer = {"status_code": int(fate), "body": body}
                lines.append(json.dumps({"custom_id": told["custom_id"], "response": answer}))
            if fate == "garbage" and kind == "out":
                lines.append("{nonsense")
            if fate in ("ok", "stranger") and kind == "out":
                name = told["custom_id"] if fate == "ok" else "somebody-else"
                self.paid[asked] += 1
                lines.append(json.dumps(_line(name, asked)))
        return web.Response(text="\n".join(lines))


def _line(name: str, asked: str) -> dict[str, Any]:
    choice = {"message": {"content": f"答：{asked}"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    body = {"choices": [choice], "usage": usage}
    return {"custom_id": name, "response": {"status_code": 200, "body": body}, "error": None}


if __name__ == "__main__":
    alone = Batches()
    asyncio.run(serve_forever(alone, lambda: print(json.dumps(alone.port), flush=True)))
