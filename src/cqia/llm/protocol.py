"""What a model is asked, what it answers, and what can go wrong: the protocol of every model."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import orjson

Messages = tuple[tuple[str, str], ...]
"""(role, text), in order; roles are system, user and assistant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a reply is drawn."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 1_024
    seed: int | None = None
    """Sent where the model takes one; repeats of a judgement differ in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to a model.

    schema: the JSON schema that the reply should follow; empty: free text. name: the schema's.
    """

    messages: Messages
    sampling: Sampling = Sampling()
    schema: Mapping[str, Any] = field(default_factory=dict)
    name: str = "reply"

    def key(self, model: str) -> str:
        """A hash of all that the reply depends on; no address and no key is in it."""
        sampling = self.sampling
        facts = {
            "model": model,
            "messages": self.messages,
            "schema": dict(self.schema),
            "sampling": [
                sampling.temperature, sampling.top_p, sampling.max_tokens, sampling.seed,
            ],
        }  # fmt: skip
        body = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(body).hexdigest()

    def most(self) -> tuple[int, int]:
        """The most tokens that it can take: of the prompt, of the reply."""
        return tokens_at_most(self.messages), self.sampling.max_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """A text, and ways it may go on: how likely does a model find each of them?

    The primitive of multiple choice, of perplexity and of losses on references.

    text: what the model reads first, rendered already (no chat template is put around it); empty:
    the continuation is weighed from the start of a text. continuations: each is weighed by itself.
    """

    text: str
    continuations: tuple[str, ...]

    def key(self, model: str) -> str:
        """A hash of all that the reply depends on."""
        body = orjson.dumps(["choose", model, self.text, self.continuations])
        return hashlib.sha256(body).hexdigest()

    def most(self) -> tuple[int, int]:
        """The most tokens that it can take: the text with each continuation and twice alone.

        An endpoint may be asked for the likeliest next tokens first and for an echo then, and
        answers each time with one token.
        """
        texts = (self.text, self.text, *(self.text + one for one in self.continuations))
        return tokens_at_most(tuple(("user", one) for one in texts)), len(texts)


Asking = Request | Choosing
"""What a model can be asked."""


class Reply(NamedTuple):
    """What a model said, word for word.

    finish: why it stopped (`stop`, `length`, …). Tokens: as the model counts them; None where it
    doesn't say. attempts: requests that were sent for it. cached: it was not sent now.
    """

    text: str
    finish: str = "stop"
    prompt_tokens: int | None = None
    reply_tokens: int | None = None
    attempts: int = 1
    cached: bool = False


class Weight(NamedTuple):
    """How likely a continuation is: the natural logarithm of its probability, over so many tokens.

    The logarithm is the sum over the continuation's tokens, each given all that stands before it.
    """

    logprob: float
    tokens: int


def told(weights: Sequence[Weight]) -> str:
    """Weights as the text of a `Reply` to a `Choosing`, so that cache and budget treat it alike."""
    return orjson.dumps([list(one) for one in weights]).decode()


def weights(reply: Reply) -> tuple[Weight, ...]:
    """The weights in a reply to a `Choosing`, in the order of its continuations."""
    return tuple(
        Weight(float(logprob), int(tokens)) for logprob, tokens in orjson.loads(reply.text)
    )


class Failure(NamedTuple):
    """A request that brought no reply. reason: one word of REASONS; it is never cached."""

    reason: str
    detail: str = ""
    attempts: int = 0

    @property
    def state(self) -> Literal["failed", "unsent"]:
        """What it is called in tables: `unsent`, or `failed`."""
        return "unsent" if self.reason == "unsent" else "failed"

    @property
    def why(self) -> str:
        """The reason with its detail."""
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


REASONS = {
    "refused": "the endpoint refuses this request (4xx)",
    "unauthorized": "the endpoint doesn't accept the key (401, 403)",
    "busy": "the endpoint had no room, however often it was asked (429)",
    "server": "the endpoint failed, however often it was asked (5xx)",
    "timeout": "no answer in time",
    "connection": "the connection could not be made, or broke off",
    "malformed": "the answer is no JSON of the protocol",
    "empty": "the answer holds no text",
    "too large": "the answer is larger than the limit",
    "unsent": "the budget ended before it was sent",
    "too long": "the text is longer than the model can read",
    "not offered": "the model does not tell log-probabilities",
}
"""Why a request brought no reply."""

Outcome = Reply | Failure


class Model(Protocol):
    """Anything that answers requests.

    name: stands in cache keys, the ledger and reports. family: whose model it is (`qwen`, `gpt`),
    for the kinship of writers and judges; `scripted` for one that only plays a model. concurrency:
    requests that it has under way at most.
    """

    name: str
    family: str
    concurrency: int

    async def __aenter__(self) -> Model: ...

    async def __aexit__(self, *fault: object) -> None: ...

    async def generate(self, request: Request) -> Outcome:
        """One reply, or why there is none; faults of the wire are outcomes, not exceptions."""
        ...

    async def choose(self, request: Choosing) -> Outcome:
        """A reply that holds the `weights` of the continuations, or why there is none."""
        ...


def tokens_at_most(messages: Messages) -> int:
    """More tokens than the messages have: one a character beyond ASCII, one for two within.

    A bound for budgets, not an estimate: Chinese takes 0.6 to 1 tokens a character, English 0.25.
    """
    text = "".join(told for _, told in messages)
    narrow = len(text.encode("ascii", "ignore"))
    return len(text) - narrow + (narrow + 1) // 2 + 8 * len(messages)
