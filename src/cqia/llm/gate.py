"""How many requests may be under way, and how many a minute.

How many adapts: a 429 halves it, successes let it grow by one a round (AIMD, Chiu and Jain 1989).
"""

from __future__ import annotations

import asyncio
import time


class Gate:
    """How many requests may be under way: grows by one a round of successes, halves on a 429."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.under_way = 0
        self._deaf = 0
        """Ends that still belong to the crowd which the last halving was for."""
        self._waiting: list[asyncio.Future[None]] = []

    async def __aenter__(self) -> None:
        while self.under_way >= max(1, int(self.limit)):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self.under_way += 1

    async def __aexit__(self, *fault: object) -> None:
        self.under_way -= 1
        self._wake()

    def _wake(self) -> None:
        free = max(1, int(self.limit)) - self.under_way
        while free > 0 and self._waiting:
            turn = self._waiting.pop(0)
            if not turn.done():
                turn.set_result(None)
                free -= 1

    def widen(self) -> None:
        """A request went well."""
        self._deaf = max(self._deaf - 1, 0)
        self.limit = min(self.limit + 1 / max(self.limit, 1), float(self.most))

    def narrow(self) -> None:
        """The endpoint has no room; of a crowd that hears so, the first counts."""
        if self._deaf:
            self._deaf -= 1
            return
        self._deaf = self.under_way
        self.limit = max(self.limit / 2, 1.0)


class Pace:
    """So much a minute, and no more: amounts are let through evenly."""

    def __init__(self, per_minute: float) -> None:
        self._second = per_minute / 60
        self._next = 0.0

    async def wait(self, amount: float) -> None:
        """Wait for the turn of an amount."""
        if not self._second:
            return
        now = time.monotonic()
        turn = max(now, self._next)
        self._next = turn + amount / self._second
        if turn > now:
            await asyncio.sleep(turn - now)
