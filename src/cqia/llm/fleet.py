"""One model behind several endpoints: a request goes to the one with the most room.

Each endpoint keeps its own limits and its own number of requests under way (`cqia.llm.gate`). One
that fails, or says that it has no room, is left in peace for a while that grows, and what it was
asked goes to the others at once; afterwards a single request tries whether it is well again. When
none answers any more, requests end as failures instead of waiting, and the next run asks them. The
cache knows the model by its name: which endpoint answered changes nothing.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from cqia.llm.completions import Completions
from cqia.llm.endpoint import LONGEST_WAIT, Endpoint, Try
from cqia.llm.protocol import Choosing, Failure, Outcome, Reply, Request

ITS_OWN = ("busy", "server", "timeout", "connection")
"""Failures that tell of the endpoint; the others tell of the request."""


@dataclass(slots=True)
class _Berth:
    """An endpoint's place in the fleet.

    falls: failures since it last answered, those of one crowd counted once. rests_until, fell:
    seconds of the clock that only goes forward.
    """

    endpoint: Endpoint
    under_way: int = 0
    falls: int = 0
    rests_until: float = 0.0
    fell: float = 0.0

    def room(self, now: float) -> float:
        """The share of its room that is free; 0: none, or it rests."""
        most = 1 if self.falls else self.endpoint.room
        return 0.0 if now < self.rests_until else max(0.0, 1 - self.under_way / most)


@dataclass(slots=True, kw_only=True)
class Fleet:
    """A model behind several endpoints, which all are called by its name."""

    endpoints: tuple[Endpoint, ...]
    name: str = field(init=False)
    family: str = field(init=False)
    concurrency: int = field(init=False)
    _berths: list[_Berth] = field(default_factory=list, init=False, repr=False)
    _waiting: deque[asyncio.Future[None]] = field(default_factory=deque, init=False, repr=False)
    _last: str = field(default="", init=False, repr=False)
    _stack: AsyncExitStack = field(init=False, repr=False)
    _weighing: Completions = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.name, self.family = self.endpoints[0].name, self.endpoints[0].family
        self.concurrency = sum(one.concurrency for one in self.endpoints)
        self._weighing = Completions(self._complete)

    async def __aenter__(self) -> Self:
        self._berths, self._waiting = [_Berth(one) for one in self.endpoints], deque()
        async with AsyncExitStack() as stack:
            for one in self.endpoints:
                await stack.enter_async_context(one)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *fault: object) -> None:
        await self._stack.aclose()

    async def generate(self, request: Request) -> Outcome:
        """One reply, of whichever endpoint."""
        return await self._insist(lambda endpoint: endpoint.once(request))

    async def choose(self, request: Choosing) -> Outcome:
        """The weights of the continuations; their askings may go to several endpoints."""
        return await self._weighing.choose(request)

    async def _complete(self, body: dict[str, Any]) -> Outcome:
        return await self._insist(lambda endpoint: endpoint.complete_once(body))

    async def _insist(self, once: Callable[[Endpoint], Awaitable[Try]]) -> Outcome:
        """Try, here and there, until there is a reply, or no use in trying, or no try left."""
        first = self.endpoints[0]
        outcome: Outcome = Failure("connection")
        for attempt in range(first.retries + len(self.endpoints)):
            berth = await self._berth()
            if berth is None:
                what = f"none of {len(self.endpoints)} endpoints answers"
                return Failure("connection", self._last or what, attempt)
            began = time.monotonic()
            try:
                outcome, wait = await once(berth.endpoint)
                self._judge(berth, outcome, wait, began)
            finally:
                berth.under_way -= 1
                self._wake(2)
            outcome = outcome._replace(attempts=attempt + 1)
            if isinstance(outcome, Reply) or wait is None:
                return outcome
            if outcome.reason not in ITS_OWN:
                grown = min(first.first_wait * 2**attempt, LONGEST_WAIT)
                await asyncio.sleep(random.uniform(0, grown))
        return outcome

    async def _berth(self) -> _Berth | None:
        """The endpoint with the most room, once one has any; None: all failed again and again."""
        while True:
            now = time.monotonic()
            best = max(self._berths, key=lambda one: one.room(now))
            if best.room(now) > 0:
                best.under_way += 1
                return best
            if self._all_down():
                return None
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn

    def _judge(self, berth: _Berth, outcome: Outcome, wait: float | None, began: float) -> None:
        """Let an endpoint that failed rest; of a crowd that was under way, the first counts."""
        if isinstance(outcome, Reply):
            recovered, berth.falls = berth.falls > 0, 0
            self._wake(berth.endpoint.room if recovered else 0)
            return
        if wait is None or outcome.reason not in ITS_OWN or began < berth.fell:
            return
        grown = min(berth.endpoint.first_wait * 2**berth.falls, LONGEST_WAIT)
        rest = max(wait, random.uniform(grown / 2, grown))
        berth.falls += 1
        berth.fell = time.monotonic()
        berth.rests_until = berth.fell + rest
        self._last = outcome.detail
        asyncio.get_running_loop().call_later(rest + 0.001, self._wake, 1)
        if self._all_down():
            self._wake(len(self._waiting))

    def _all_down(self) -> bool:
        """Whether every endpoint failed as often as a request may: then none waits for them."""
        return all(one.falls > one.endpoint.retries for one in self._berths)

    def _wake(self, count: int) -> None:
        """Let so many that wait look again."""
        while count > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                count -= 1
