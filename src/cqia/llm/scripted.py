"""A model that only plays one: for tests, demonstrations and dry runs. Its replies mean nothing.

Where a script has a line for the request, that is the reply; else, where the request has a form, a
reply of that form which depends on the request alone: a value of its schema, a score behind `得分:`
where its prompt asks for that (Belle-Eval), a letter behind a question's options; else a fixed
sentence. Everything made with it says so: its name is `scripted`, and so is its family.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import orjson

from cqia.llm import protocol
from cqia.llm.protocol import Choosing, Outcome, Reply, Request, Weight, tokens_at_most

SAID = "（这是脚本模型的占位回复，没有任何含义。）"


_SCORE = re.compile(r"[\"“'「]得分[:：][\"”'」]")
_OPTION = re.compile(r"^\(([A-G])\) ", re.MULTILINE)


class Scripted:
    """Answers from a script.

    Args:
        script: part of a request's last message -> the reply.
        name: to tell several apart; empty: `scripted`, with the share of unreadable replies if
            there is one, since caches know a model by its name.
        unreadable: the share of requests, 0 to 1, whose reply follows no form.
    """

    def __init__(
        self, script: Mapping[str, str] | None = None, name: str = "", unreadable: float = 0.0
    ) -> None:
        shared = f"scripted-{unreadable:g}-unreadable" if unreadable else "scripted"
        self.name = name or shared
        self.unreadable = unreadable
        self.family = "scripted"
        self.concurrency = 64
        self.script = dict(script or {})
        self.asked = 0

    async def __aenter__(self) -> Scripted:
        return self

    async def __aexit__(self, *fault: object) -> None:
        return None

    async def generate(self, request: Request) -> Outcome:
        """The script's reply, or one made up in the request's form."""
        self.asked += 1
        last = request.messages[-1][1]
        told = next((reply for part, reply in self.script.items() if part in last), None)
        if told is None:
            seed = request.key(self.name)
            amiss = _draw(f"{seed}.unreadable") < self.unreadable * 2**32
            told = SAID if amiss else formed(request, seed)
        asked = tokens_at_most(request.messages)
        return Reply(told, "stop", asked, tokens_at_most((("assistant", told),)))

    async def choose(self, request: Choosing) -> Outcome:
        """Weights made up from the request's hash: chance, and always the same."""
        self.asked += 1
        weights = []
        for one in request.continuations:
            digest = hashlib.sha256(f"{request.text}\n{one}".encode()).digest()
            weights.append(Weight(-1 - digest[0] / 32, max(len(one), 1)))
        return Reply(protocol.told(weights), "stop", request.most()[0], 0)


def formed(request: Request, seed: str) -> str:
    """A reply in the form that a request asks for; a fixed sentence where it asks for none."""
    last = request.messages[-1][1]
    if request.schema:
        return orjson.dumps(made_up(request.schema, seed)).decode()
    if last.endswith("答案：") and (letters := _OPTION.findall(last.rpartition("选项：")[2])):
        return f"答案：{letters[_draw(seed) % len(letters)]}"
    if _SCORE.search(last):
        return f"得分:{_draw(seed) % 11 / 10:g}\n理由：{SAID}"
    return SAID


def _draw(seed: str) -> int:
    return int(hashlib.sha256(seed.encode()).hexdigest()[:8], 16)


def made_up(schema: Mapping[str, Any], seed: str) -> Any:  # noqa: ANN401
    """A value that follows a JSON schema (objects, arrays, enums, numbers, texts, booleans)."""
    draw = _draw(seed)
    if "enum" in schema:
        return schema["enum"][draw % len(schema["enum"])]
    kind = schema.get("type")
    if kind == "object":
        inner = schema.get("properties", {})
        return {name: made_up(one, f"{seed}.{name}") for name, one in inner.items()}
    if kind == "array":
        least = int(schema.get("minItems", 1))
        return [made_up(schema["items"], f"{seed}.{n}") for n in range(max(least, 1))]
    if kind in ("integer", "number"):
        low, high = int(schema.get("minimum", 0)), int(schema.get("maximum", 10))
        return low + draw % (high - low + 1)
    return bool(draw % 2) if kind == "boolean" else SAID
