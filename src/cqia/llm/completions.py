"""Log-probabilities of continuations from the older route `/completions`.

Sources: the OpenAI API reference (legacy completions: `logprobs`, `echo`), which vLLM and SGLang
follow; llama.cpp's server answers in the form of chat completions (`logprobs.content`) and ignores
`echo`. What an endpoint can do is seen in its answers, not in its name:

1. The text is sent with one token to come and the likeliest tokens asked for. Where every
   continuation is one of them, that is all.
2. Else text and continuation are sent together to be echoed with the log-probability of each token,
   and the text alone, to see where the first continuation parts from the text's own tokens. An
   endpoint that doesn't echo can't weigh such a continuation: `not offered`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from cqia.llm.protocol import Choosing, Failure, Outcome, Reply, Weight, told

LIKELIEST = (20, 5)
"""Tokens that are asked for; where the first number is refused, the second: vLLM allows 20 unless
it is told otherwise, OpenAI 5."""
_NO_ROUTE = re.compile(r"(404|405|501):")
_SHOWN = 40


class Echo(NamedTuple):
    """A prompt's tokens and the log-probability of each; the first one has none."""

    tokens: list[str]
    logprobs: list[float | None]


class Spent(NamedTuple):
    """What all requests for one `Choosing` took."""

    attempts: int = 0
    tokens: int = 0

    def more(self, outcome: Outcome) -> Spent:
        asked = outcome.prompt_tokens or 0 if isinstance(outcome, Reply) else 0
        return Spent(self.attempts + outcome.attempts, self.tokens + asked)


@dataclass(slots=True)
class Completions:
    """Weighs continuations; remembers what the endpoint refused.

    post: sends one body and brings its answer, whole, as a reply's text.
    """

    post: Callable[[dict[str, Any]], Awaitable[Outcome]]
    likeliest: int = LIKELIEST[0]
    echoes: bool = True
    """Until an answer shows that it doesn't."""

    async def choose(self, request: Choosing) -> Outcome:
        """The weights, or why there are none."""
        found, spent = await self._next(request.text)
        if isinstance(found, Failure):
            return found._replace(attempts=spent.attempts)
        if all(one in found for one in request.continuations):
            return _reply([Weight(found[one], 1) for one in request.continuations], spent)
        missing = next(one for one in request.continuations if one not in found)
        why = f"{missing[:_SHOWN]!r} is not among the {len(found)} likeliest tokens"
        if not self.echoes:
            return Failure("not offered", f"{why}, and prompts are not echoed", spent.attempts)
        return await self._echoed(request, spent, why)

    async def _next(self, text: str) -> tuple[dict[str, float] | Failure, Spent]:
        """The likeliest next tokens."""
        count = self.likeliest
        outcome = await self.post(self._body(text))
        spent = Spent().more(outcome)
        if _too_many(outcome) and count != LIKELIEST[1]:
            self.likeliest = LIKELIEST[1]
            outcome = await self.post(self._body(text))
            spent = spent.more(outcome)
        if isinstance(outcome, Failure):
            absent = _NO_ROUTE.match(outcome.detail)
            return (outcome._replace(reason="not offered") if absent else outcome), spent
        return likeliest(outcome.text), spent

    def _body(self, text: str) -> dict[str, Any]:
        return {"prompt": text, "max_tokens": 1, "temperature": 1.0, "logprobs": self.likeliest}

    async def _echoed(self, request: Choosing, spent: Spent, why: str) -> Outcome:
        echoes: list[Echo] = []
        for text in (request.text, *(request.text + one for one in request.continuations)):
            if not text:
                echoes.append(Echo([], []))
                continue
            body = {"prompt": text, "max_tokens": 1, "temperature": 1.0, "logprobs": 1}
            outcome = await self.post({**body, "echo": True})
            spent = spent.more(outcome)
            if isinstance(outcome, Failure):
                return outcome._replace(attempts=spent.attempts)
            echo = echoed(outcome.text, text)
            if echo is None:
                self.echoes = False
                return Failure("not offered", f"{why}, and prompts are not echoed", spent.attempts)
            echoes.append(echo)
        own, *wholes = echoes
        cut = min([len(own.tokens), *(_common(own.tokens, one.tokens) for one in wholes)])
        found = [_sum(one.logprobs[cut:]) for one in wholes]
        if any(one is None for one in found):
            what = "the first token of a text has no log-probability"
            return Failure("not offered", what, spent.attempts)
        return _reply([one for one in found if one], spent)


def _too_many(outcome: Outcome) -> bool:
    refused = isinstance(outcome, Failure) and outcome.reason == "refused"
    return isinstance(outcome, Failure) and refused and "logprobs" in outcome.detail


def _reply(weights: list[Weight], spent: Spent) -> Reply:
    return Reply(told(weights), "stop", spent.tokens, 0, spent.attempts)


def likeliest(answer: str) -> dict[str, float]:
    """The next tokens that an answer tells of, with their log-probabilities; in either form."""
    told = _choice(answer).get("logprobs")
    if not isinstance(told, dict):
        return {}
    if isinstance(told.get("content"), list):
        first = _first(told["content"])
        listed = first.get("top_logprobs") if isinstance(first, dict) else None
        known = listed if isinstance(listed, list) else []
        pairs = [(one.get("token"), one.get("logprob")) for one in known if isinstance(one, dict)]
    else:
        first = _first(told.get("top_logprobs"))
        pairs = list(first.items()) if isinstance(first, dict) else []
    found: dict[str, float] = {}
    for token, value in pairs:
        if isinstance(token, str) and _number(value) and value is not None:
            found[token] = max(float(value), found.get(token, -math.inf))
    return found


def echoed(answer: str, prompt: str) -> Echo | None:
    """The tokens of a prompt in an answer; None: it was not echoed with its log-probabilities."""
    choice = _choice(answer)
    told = choice.get("logprobs")
    if not isinstance(told, dict) or not str(choice.get("text") or "").startswith(prompt):
        return None
    tokens, logprobs = told.get("tokens"), told.get("token_logprobs")
    count = (orjson.loads(answer).get("usage") or {}).get("prompt_tokens")
    if not isinstance(tokens, list) or not isinstance(logprobs, list) or type(count) is not int:
        return None
    if not len(tokens) == len(logprobs) >= count or len(tokens) > count + 1:
        return None
    values = [float(one) if _number(one) else None for one in logprobs[:count]]
    return Echo([str(one) for one in tokens[:count]], values)


def _choice(answer: str) -> dict[str, Any]:
    value = orjson.loads(answer)
    choices = value.get("choices") if isinstance(value, dict) else None
    first = _first(choices)
    return first if isinstance(first, dict) else {}


def _first(listed: object) -> Any:  # noqa: ANN401
    return listed[0] if isinstance(listed, list) and listed else None


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _sum(logprobs: list[float | None]) -> Weight | None:
    values = [one for one in logprobs if one is not None]
    return Weight(sum(values), len(values)) if len(values) == len(logprobs) else None


def _common(one: list[str], other: list[str]) -> int:
    same = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        same += 1
    return same
