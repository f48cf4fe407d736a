"""What a judge is: it asks a model about a record, and reads what the model says.

Both are pure. A reply that does not follow the schema to the letter is unreadable: that is a state
of its own, with the reply kept, and never a number.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import Any, NamedTuple

import orjson

from cqia.llm.protocol import Request, Sampling

Verdict = dict[str, Any]
"""A reply's fields, each of the type and within the bounds of the schema."""

_FENCED = re.compile(r"```(?:json)?[^\S\n]*+\n(.*?)```", re.DOTALL)


class Case(NamedTuple):
    """What is judged: a record's texts. input: empty where there is none."""

    instruction: str
    input: str = ""
    output: str = ""


@dataclass(frozen=True)
class Judge:
    """A judge with its prompt and its schema.

    name, version: of the prompt's file, `prompts/NAME-VERSION.txt`; a changed prompt is a new one.
    parts: what of a case it sees. schema: of its replies. score: the field that is its number;
    empty: it gives labels. words: what is filled into the prompt.
    """

    name: str
    version: int
    about: str
    parts: tuple[str, ...]
    schema: Mapping[str, Any]
    score: str = ""
    words: tuple[tuple[str, str], ...] = ()

    @cached_property
    def prompt(self) -> str:
        """The text of its prompt."""
        place = files("cqia.judges") / "prompts" / f"{self.name}-{self.version}.txt"
        text = place.read_text(encoding="utf-8")
        for name, value in self.words:
            text = text.replace(f"{{{{{name}}}}}", value)
        return text

    @cached_property
    def mark(self) -> str:
        """A short hash of prompt and schema: it stands beside every verdict."""
        body = self.prompt.encode() + orjson.dumps(self.schema)
        return hashlib.sha256(body).hexdigest()[:12]

    def ask(self, case: Case, *, seed: int | None = None, max_tokens: int = 1_024) -> Request:
        """The question about a case.

        Args:
            case: what is judged.
            seed: repeats of a judgement differ in it; with one, the reply is drawn at temperature
                0.7 (this project's choice), without one at 0.
            max_tokens: of the reply.
        """
        return self.request(fenced(case, self.parts), seed=seed, max_tokens=max_tokens)

    def request(self, told: str, *, seed: int | None, max_tokens: int) -> Request:
        """The question about a text that stands in its fence already."""
        sampling = Sampling(
            temperature=0.0 if seed is None else 0.7, max_tokens=max_tokens, seed=seed
        )
        messages = (("system", self.prompt), ("user", told))
        return Request(messages=messages, sampling=sampling, schema=self.schema, name=self.name)

    def read(self, text: str) -> Verdict | None:
        """A reply's verdict; None: it is unreadable."""
        value = _object(text)
        return value if value is not None and follows(value, self.schema) else None


_TITLES = {"instruction": "指令", "input": "输入", "output": "回答"}


def fenced(case: Case, parts: tuple[str, ...]) -> str:
    """A case in its fence."""
    return fence([(_TITLES[part], getattr(case, part)) for part in parts])


def fence(told: list[tuple[str, str]], what: str = "待评内容") -> str:
    """Titled texts between two lines that nothing in them can imitate: they carry their hash."""
    body = "\n\n".join(f"【{title}】\n{text}" for title, text in told if text)
    number = hashlib.sha256(body.encode()).hexdigest()[:10]
    while number in body:
        number = hashlib.sha256(number.encode()).hexdigest()[:10]
    return f"====={what} {number} 开始=====\n{body}\n====={what} {number} 结束====="


def _object(text: str) -> Verdict | None:
    """The JSON object that a reply is, that its one fenced block holds, or that it ends with."""
    whole = text.strip()
    found = _FENCED.findall(whole)
    tries = [whole, *(found if len(found) == 1 else [])]
    if whole.endswith("}") and not whole.startswith("{") and not found:
        tries.append(whole[whole.find("{") :])
    for one in tries:
        try:
            value = orjson.loads(one)
        except orjson.JSONDecodeError:
            continue
        return value if isinstance(value, dict) else None
    return None


def follows(value: object, schema: Mapping[str, Any]) -> bool:
    """Whether a value follows a schema of the kinds that judges use; nothing is bent to fit."""
    kind = schema.get("type")
    if "enum" in schema:
        return isinstance(value, str) and value in schema["enum"]
    if kind == "object":
        inner = schema["properties"]
        return (
            isinstance(value, dict)
            and value.keys() == inner.keys()
            and all(follows(value[name], one) for name, one in inner.items())
        )
    if kind == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems", 100)
        return (
            isinstance(value, list)
            and least <= len(value) <= most
            and all(follows(one, schema["items"]) for one in value)
        )
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str) and bool(value.strip())
    number = isinstance(value, int | float) and not isinstance(value, bool)
    whole = kind != "integer" or isinstance(value, int)
    return number and whole and schema["minimum"] <= value <= schema["maximum"]


def shaped(**fields: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object that has just these fields."""
    return {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }


TEXT: Mapping[str, Any] = {"type": "string"}
YES_NO: Mapping[str, Any] = {"type": "boolean"}
TEN: Mapping[str, Any] = {"type": "integer", "minimum": 1, "maximum": 10}
SCORE: Mapping[str, Any] = {"type": "number", "minimum": 1, "maximum": 10}
