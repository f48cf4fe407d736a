"""Any endpoint that speaks OpenAI's chat protocol, over aiohttp.

Sources: the OpenAI API reference (chat completions, structured outputs), which DashScope, DeepSeek,
Zhipu, Moonshot, vLLM, SGLang, Ollama and llama.cpp follow; RFC 9110 for `Retry-After`.

What may pass is asked again: 408, 409, 429, 5xx, broken connections, answers that are no JSON or
empty. The waits grow and are drawn at random (full jitter), and `Retry-After` is kept. How many
requests are under way adapts: a 429 halves it, successes let it grow by one a round (AIMD, Chiu and
Jain 1989).
"""

from __future__ import annotations

import asyncio
import os
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import orjson

from cqia.errors import UserError, missing_extra
from cqia.llm.completions import Completions
from cqia.llm.gate import Gate, Pace
from cqia.llm.protocol import Choosing, Failure, Outcome, Reply, Request, tokens_at_most

if TYPE_CHECKING:
    import aiohttp

LONGEST_WAIT = 60.0
"""Seconds that are waited at most before an address is asked again."""
LARGEST = 8 << 20
"""Bytes of the largest answer that is read."""
AGAIN = (408, 409, 425, 429)
"""Statuses below 500 that may pass."""
_SHOWN = 300
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
"""Only where one is set is the environment asked: aiohttp would look for a netrc each time."""


class Answer(NamedTuple):
    """What came over the wire. after: `Retry-After`."""

    status: int
    after: str
    body: bytes


Try = tuple[Outcome, float | None]
"""An outcome, and the seconds to wait before asking again; None: asking is no use."""


@dataclass(slots=True, kw_only=True)
class Endpoint:
    """A model behind a URL.

    Raises:
        UserError: the extra `llm` is missing, or the key's variable is not set.
    """

    name: str
    url: str
    """Up to and with `/v1`."""
    model: str = ""
    """What the endpoint calls it; empty: `name`."""
    family: str = "unknown"
    key: str = ""
    """The environment variable that holds the key; empty: no key is sent."""
    concurrency: int = 16
    """Requests under way at most."""
    per_minute: float = 0.0
    """Requests a minute; 0: no limit of its own."""
    tokens_per_minute: float = 0.0
    timeout: float = 120.0
    """Seconds for one answer."""
    retries: int = 5
    first_wait: float = 0.5
    """Seconds of the first wait at most; each next one is up to twice as long."""
    structured: str = "json_schema"
    """How a schema is asked for: json_schema, json_object or nothing; it steps down by itself when
    the endpoint refuses one."""
    _session: aiohttp.ClientSession | None = field(default=None, init=False, repr=False)
    _gate: Gate = field(init=False, repr=False)
    _pace: list[Pace] = field(init=False, repr=False)
    _weighing: Completions = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._weighing = Completions(self._complete)

    async def __aenter__(self) -> Self:
        try:
            import aiohttp
        except ImportError:
            raise missing_extra("aiohttp", "llm") from None
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.secret()}"
        self._gate = Gate(self.concurrency)
        self._pace = [Pace(self.per_minute), Pace(self.tokens_per_minute)]
        self._session = aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300),
            timeout=aiohttp.ClientTimeout(total=self.timeout),
            trust_env=any(os.environ.get(name) for name in PROXIES),
        )
        return self

    async def __aexit__(self, *fault: object) -> None:
        if self._session:
            await self._session.close()

    def secret(self) -> str:
        """The key itself, from the environment."""
        secret = os.environ.get(self.key, "")
        if not secret.strip():
            raise UserError(
                f"the key of model {self.name!r} is missing",
                where=f"${self.key}",
                mend=f"set it in the environment: export {self.key}=…",
            )
        return secret.strip()

    async def generate(self, request: Request) -> Outcome:
        """One reply; asked again as often as it may help."""
        return await self._insist(lambda: self.once(request))

    async def choose(self, request: Choosing) -> Outcome:
        """The weights of the continuations, where the endpoint's `/completions` tells them."""
        return await self._weighing.choose(request)

    async def _complete(self, body: dict[str, Any]) -> Outcome:
        """The whole answer of `/completions`; asked again as often as it may help."""
        return await self._insist(lambda: self.complete_once(body))

    async def once(self, request: Request) -> Try:
        """One reply, asked for once, when there is room and time for it."""
        tokens = tokens_at_most(request.messages) + request.sampling.max_tokens
        return await self._in_turn(lambda: self._once(request), tokens)

    async def complete_once(self, body: dict[str, Any]) -> Try:
        """The whole answer of `/completions`, asked for once."""
        whole = orjson.dumps({"model": self.model or self.name, **body})

        async def once() -> Try:
            answer = await self._post("completions", whole)
            if not isinstance(answer, Answer):
                return answer
            return self._whole(answer.body) if answer.status == 200 else self._refusal(answer)

        return await self._in_turn(once, tokens_at_most((("user", str(body["prompt"])),)))

    @property
    def room(self) -> int:
        """How many requests may be under way now."""
        return max(1, int(self._gate.limit))

    async def _in_turn(self, once: Callable[[], Awaitable[Try]], tokens: int) -> Try:
        await self._turn(tokens)
        async with self._gate:
            outcome, wait = await once()
        if isinstance(outcome, Reply):
            self._gate.widen()
        elif outcome.reason == "busy":
            self._gate.narrow()
        return outcome, wait

    async def _insist(self, once: Callable[[], Awaitable[Try]]) -> Outcome:
        """Try until there is a reply, or no use in trying, or no try left."""
        outcome: Outcome = Failure("connection")
        for attempt in range(self.retries + 1):
            outcome, wait = await once()
            outcome = outcome._replace(attempts=attempt + 1)
            if isinstance(outcome, Reply) or wait is None:
                return outcome
            if attempt < self.retries:
                grown = min(self.first_wait * 2**attempt, LONGEST_WAIT)
                await asyncio.sleep(max(wait, random.uniform(0, grown)))
        return outcome

    async def _turn(self, tokens: int) -> None:
        """Wait until limits of requests and tokens a minute let a request through."""
        requests, paced = self._pace
        await requests.wait(1)
        if self.tokens_per_minute:
            await paced.wait(tokens)

    async def _once(self, request: Request) -> Try:
        answer = await self._post("chat/completions", self.body(request))
        if not isinstance(answer, Answer):
            return answer
        if answer.status == 200:
            return self.read(answer.body)
        return self._step_down(request, answer) or self._refusal(answer)

    async def _post(self, route: str, sent: bytes) -> Answer | Try:
        """What comes back over the wire, or what went wrong on it."""
        import aiohttp

        assert self._session is not None
        url = f"{self.url.rstrip('/')}/{route}"
        try:
            async with self._session.post(url, data=sent) as answer:
                body = await answer.content.read(LARGEST + 1)
                while len(body) <= LARGEST and (more := await answer.content.read(LARGEST)):
                    body += more
                if len(body) > LARGEST:
                    return Failure("too large", f"more than {LARGEST >> 20} MB"), None
                return Answer(answer.status, answer.headers.get("Retry-After", ""), body)
        except TimeoutError:
            return Failure("timeout", f"no answer in {self.timeout:g} s"), 0.0
        except (aiohttp.ClientError, OSError) as fault:
            return Failure("connection", self.safe(f"{type(fault).__name__}: {fault}")), 0.0

    def body(self, request: Request) -> bytes:
        """A request in the words of the protocol."""
        sampling = request.sampling
        body: dict[str, Any] = {
            "model": self.model or self.name,
            "messages": [{"role": role, "content": text} for role, text in request.messages],
            "temperature": sampling.temperature,
            "max_tokens": sampling.max_tokens,
        }
        if sampling.top_p < 1:
            body["top_p"] = sampling.top_p
        if sampling.seed is not None:
            body["seed"] = sampling.seed
        if request.schema and self.structured == "json_schema":
            schema = {"name": request.name, "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif request.schema and self.structured == "json_object":
            body["response_format"] = {"type": "json_object"}
        return orjson.dumps(body)

    def read(self, body: bytes) -> Try:
        """What a completion says, and the seconds to wait before asking again, as `_once`."""
        try:
            value = orjson.loads(body)
            choice = value["choices"][0]
            text = choice["message"]["content"]
            usage = value.get("usage") or {}
            counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
        except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
            return Failure("malformed", self.safe(body.decode("utf-8", "replace"))), 0.0
        if not isinstance(text, str) or not text.strip():
            return Failure("empty", f"finish: {choice.get('finish_reason')}"), 0.0
        asked, told = (one if isinstance(one, int) else None for one in counts)
        return Reply(text, str(choice.get("finish_reason") or "stop"), asked, told), None

    def _whole(self, body: bytes) -> Try:
        """The answer as it stands, if it is an object of JSON."""
        try:
            asked = (orjson.loads(body).get("usage") or {}).get("prompt_tokens")
        except (orjson.JSONDecodeError, AttributeError):
            return Failure("malformed", self.safe(body.decode("utf-8", "replace"))), 0.0
        return Reply(body.decode(), "stop", asked if isinstance(asked, int) else None), None

    def _refusal(self, answer: Answer) -> Try:
        status, after = answer.status, answer.after
        said = self.safe(f"{status}: {answer.body.decode('utf-8', 'replace')}")
        if status in (401, 403):
            return Failure("unauthorized", said), None
        wait = min(float(after), LONGEST_WAIT) if re.fullmatch(r"\d{1,6}(\.\d+)?", after) else 0.0
        if status in AGAIN:
            return Failure("busy" if status == 429 else "server", said), wait
        if status >= 500:
            return Failure("server", said), wait
        return Failure("refused", said), None

    def _step_down(self, request: Request, answer: Answer) -> Try | None:
        """Ask for schemas in another way from now on, if it was this way that is refused."""
        steps = {"json_schema": "json_object", "json_object": "nothing"}
        status, body = answer.status, answer.body
        if not request.schema or self.structured not in steps or status not in (400, 404, 422):
            return None
        if not (b"format" in body or b"schema" in body or b"json" in body.lower()):
            return None
        self.structured = steps[self.structured]
        return Failure("refused", self.safe(f"{status}: {body.decode('utf-8', 'replace')}")), 0.0

    def safe(self, text: str) -> str:
        """The start of a text, without the key in it: it goes into the ledger."""
        secret = os.environ.get(self.key, "").strip() if self.key else ""
        text = text.replace(secret, "***") if secret else text
        text = re.sub(r"(?i)(bearer\s+|sk-)[\w.-]+", r"\1***", text)
        return "".join(one if one.isprintable() else " " for one in text[:_SHOWN])
