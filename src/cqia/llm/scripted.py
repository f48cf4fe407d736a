"""A model that only plays one: for tests, demonstrations and dry runs. Its replies mean nothing.

Where a script has a line for the request, that is the reply; else, where the request has a schema,
a value of it that depends on the request alone; else a fixed sentence. Everything made with it
says so: its name is `scripted`, and so is its family.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from cqia.llm import protocol
from cqia.llm.protocol import Choosing, Outcome, Reply, Request, Weight, tokens_at_most

SAID = "（这是脚本模型的占位回复，没有任何含义。）"


class Scripted:
    """Answers from a script.

    Args:
        script: part of a request's last message -> the reply.
        name: to tell several apart.
    """

    def __init__(self, script: Mapping[str, str] | None = None, name: str = "scripted") -> None:
        self.name = name
        self.family = "scripted"
        self.concurrency = 64
        self.script = dict(script or {})
        self.asked = 0

    async def __aenter__(self) -> Scripted:
        return self

    async def __aexit__(self, *fault: object) -> None:
        return None

    async def generate(self, request: Request) -> Outcome:
        """The script's reply, or one made up from the schema."""
        self.asked += 1
        last = request.messages[-1][1]
        told = next((reply for part, reply in self.script.items() if part in last), None)
        if told is None and request.schema:
            told = orjson.dumps(made_up(request.schema, request.key(self.name))).decode()
        told = SAID if told is None else told
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


def made_up(schema: Mapping[str, Any], seed: str) -> Any:  # noqa: ANN401
    """A value that follows a JSON schema (objects, arrays, enums, numbers, texts, booleans)."""
    draw = int(hashlib.sha256(seed.encode()).hexdigest()[:8], 16)
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
