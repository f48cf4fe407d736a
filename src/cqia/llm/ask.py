"""Ask a model many things: cache first, then the wire, within the budget; every request has an end.

    outcomes = ask(model, requests, cache=cache, budget=Budget(price, most=20.0))

The same request is sent once, however often it stands in the list. Replies are on file before they
are counted; a run that is killed sends, when it is run again, only what is missing. It takes up no
more than twice the model's concurrency at a time: under way, or waiting to be put on file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cqia.llm.budget import Budget
from cqia.llm.cache import Cache
from cqia.llm.protocol import Asking, Choosing, Failure, Model, Outcome, Reply
from cqia.workers import Progress

MOMENT = 0.005
"""Seconds in which replies are gathered before they are put into the cache together."""
REACHED = "the largest cost was reached"


@dataclass(slots=True)
class Tally:
    """What became of the requests: asked = cached + replies + failed + unsent, counted once each.

    repeated: requests that stood in the list before. attempts: what went over the wire.
    """

    asked: int = 0
    repeated: int = 0
    cached: int = 0
    replies: int = 0
    failed: int = 0
    unsent: int = 0
    attempts: int = 0
    prompt_tokens: int = 0
    reply_tokens: int = 0
    cost: float = 0.0


def add(total: Tally, one: Tally) -> None:
    """Count one tally into another."""
    for name in Tally.__dataclass_fields__:
        setattr(total, name, getattr(total, name) + getattr(one, name))


class Asked(NamedTuple):
    """An outcome for each request, in their order."""

    outcomes: list[Outcome]
    tally: Tally


class Plan(NamedTuple):
    """What asking would take: requests to send, found in the cache, and the most it can cost."""

    requests: int
    repeated: int
    cached: int
    tokens: int
    cost: float


def plan(model: str, requests: Sequence[Asking], *, cache: Cache, budget: Budget) -> Plan:
    """Look ahead without sending anything."""
    by_key = {request.key(model): request for request in requests}
    known = cache.get(by_key)
    missing = [request for key, request in by_key.items() if key not in known]
    tokens = sum(sum(one.most()) for one in missing)
    cost = sum(map(budget.most_of, missing))
    return Plan(len(missing), len(requests) - len(by_key), len(known), tokens, cost)


def ask(
    model: Model,
    requests: Sequence[Asking],
    *,
    cache: Cache,
    budget: Budget,
    progress: Progress | None = None,
) -> Asked:
    """Ask a model, and wait for all ends.

    Args:
        model: who is asked; how many requests are under way is its own matter.
        requests: what is asked.
        cache: where replies are looked for and kept.
        budget: what may be spent; when it ends, the rest is `unsent`.
        progress: told of every end.
    """
    return asyncio.run(_ask(model, requests, cache, budget, progress))


async def _ask(
    model: Model,
    requests: Sequence[Asking],
    cache: Cache,
    budget: Budget,
    progress: Progress | None,
) -> Asked:
    keys = [request.key(model.name) for request in requests]
    by_key = dict(zip(keys, requests, strict=True))
    ends: dict[str, Outcome] = dict(cache.get(by_key))
    tally = Tally(asked=len(by_key), repeated=len(keys) - len(by_key), cached=len(ends))
    missing = iter([key for key in by_key if key not in ends])
    done = len(ends)
    keeper = _Keeper(cache, model.name)

    async def work() -> None:
        nonlocal done
        for key in missing:
            request = by_key[key]
            if not budget.hold(request):
                ends[key] = Failure("unsent", REACHED)
                tally.unsent += 1
                continue
            outcome: Outcome | None = None
            try:
                outcome = await _answer(model, request)
            finally:
                reply = outcome if isinstance(outcome, Reply) else None
                if reply:
                    await keeper.keep(key, reply)
                tally.cost += budget.settle(request, reply)
            _count(tally, outcome)
            ends[key] = outcome
            done += 1
            if progress:
                progress(done, len(by_key), model.name)

    if done < len(by_key):
        async with model:
            hands = min(2 * model.concurrency, len(by_key) - done)
            crew = [asyncio.create_task(work()) for _ in range(hands)]
            try:
                await asyncio.gather(*crew)
            finally:
                for one in crew:
                    one.cancel()
                await asyncio.gather(*crew, return_exceptions=True)
    return Asked([ends[key] for key in keys], tally)


async def _answer(model: Model, request: Asking) -> Outcome:
    if isinstance(request, Choosing):
        return await model.choose(request)
    return await model.generate(request)


class _Keeper:
    """Puts replies into the cache, those of a moment together: a commit each is slow."""

    def __init__(self, cache: Cache, model: str) -> None:
        self._cache, self._model = cache, model
        self._held: dict[str, Reply] = {}
        self._kept: asyncio.Future[None] | None = None

    async def keep(self, key: str, reply: Reply) -> None:
        """Keep a reply; it is on file when this returns."""
        self._held[key] = reply
        loop = asyncio.get_running_loop()
        if self._kept is None:
            self._kept = loop.create_future()
            loop.call_later(MOMENT, self._write)
        await asyncio.shield(self._kept)

    def _write(self) -> None:
        held, kept = self._held, self._kept
        self._held, self._kept = {}, None
        assert kept is not None
        try:
            self._cache.put(self._model, held)
        except BaseException as fault:
            kept.set_exception(fault)
            raise
        kept.set_result(None)


def _count(tally: Tally, outcome: Outcome) -> None:
    tally.attempts += outcome.attempts
    if isinstance(outcome, Reply):
        tally.replies += 1
        tally.prompt_tokens += outcome.prompt_tokens or 0
        tally.reply_tokens += outcome.reply_tokens or 0
    else:
        tally.failed += 1
