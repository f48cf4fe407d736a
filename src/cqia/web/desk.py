"""What the server holds while it runs: the book, the open index, and who asks how often."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from pathlib import Path

import polars as pl

from cqia import store
from cqia.reviewing import outcomes, search
from cqia.reviewing.book import Book
from cqia.reviewing.search import Search


class Rate:
    """A bucket of requests for everyone who asks: so many at once, so many a second."""

    def __init__(self, burst: float, each_second: float, *, most: int = 10_000) -> None:
        self._burst, self._each, self._most = burst, each_second, most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, who: str, at: float | None = None) -> bool:
        """Whether this request may be answered."""
        at = time.monotonic() if at is None else at
        with self._lock:
            left, before = self._left.pop(who, (self._burst, at))
            left = min(self._burst, left + (at - before) * self._each)
            self._left[who] = (max(left - 1, 0.0) if left >= 1 else left, at)
            while len(self._left) > self._most:
                self._left.popitem(last=False)
            return left >= 1


class Desk:
    """A working folder, opened."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.book = Book(work)
        self.asking = Rate(240, 60)
        self.knocking = Rate(10, 1 / 6)
        self._lock = threading.Lock()
        self._search: Search | None = None
        self._measures: list[str] = []
        self._looked = 0.0
        outcomes.export(self.book)

    @property
    def search(self) -> Search:
        """The index; opened anew when a stage has run since, which is looked for once a second."""
        with self._lock:
            found = self._search
            if found is not None and time.monotonic() - self._looked < 1:
                return found
            if found is None or found.mark != search.later(self.work):
                found = search.opened(self.work)
                for name in self.scores():
                    found.lay(f"measure {name}", _scores(self.work / "score" / name))
                self._search, self._measures = found, self._measured()
            self._looked = time.monotonic()
            return found

    def scores(self) -> list[str]:
        """The judges' scores that there are: JUDGE@MODEL."""
        return sorted(path.parent.name for path in (self.work / "score").glob("*@*/manifest.json"))

    def measures(self) -> list[str]:
        """Every filter's measure and every judge's score by which records can be picked."""
        return self._measures

    def _measured(self) -> list[str]:
        found: set[str] = set()
        for path in (self.work / "curate").glob("*/manifest.json"):
            found |= set((store.manifest(path.parent) or {}).get("bounds", {}))
        return [*self.scores(), *sorted(found)]


def _scores(folder: Path) -> pl.DataFrame:
    """A record's mean score over repeats."""
    parts = [pl.read_parquet(part / "scores.parquet") for part in store.parts(folder)]
    empty = pl.DataFrame(schema=search.VALUES)
    if not parts:
        return empty
    read = pl.concat(parts, how="diagonal").filter(state="read").drop_nulls("score")
    return read.group_by("id").agg(value=pl.col("score").mean())
