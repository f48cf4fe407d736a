"""Score: what a judge says of the records that curate and dedup left, every reply kept.

    score(work, QUALITY, model, price, cache=Path("replies.sqlite"))

writes `work/score/JUDGE@MODEL/`, a row a record and repeat: what the judge said, word for word, and
what was read in it. Nothing is dropped here; a threshold is assemble's, and moving it asks nobody.

A reply that can't be read is `unreadable`, a request without a reply `failed` with its reason, one
that the budget didn't reach `unsent`: states, never numbers. While there are failed or unsent ones
the result is not complete, and the same command asks for them again; replies that are in the cache
are never paid for twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from cqia import store
from cqia.askable import askable, records
from cqia.errors import UserError
from cqia.judges.base import Case, Judge
from cqia.llm.ask import Tally, add, ask, plan
from cqia.llm.budget import Budget, Price
from cqia.llm.cache import Cache
from cqia.llm.protocol import Model, Outcome, Reply, Request
from cqia.record import TEXT
from cqia.scores import AGAIN, SCORES, folder_of, verdict_of
from cqia.workers import Progress


class Scored(NamedTuple):
    """The manifest, and what asking took in this run."""

    facts: store.Facts
    tally: Tally


def score(
    work: Path,
    judge: Judge,
    model: Model,
    price: Price,
    *,
    cache: Path,
    sources: Sequence[str] = (),
    repeats: int = 1,
    limit: int | None = None,
    writers: Sequence[str] = (),
    most: float | None = None,
    progress: Progress | None = None,
) -> Scored:
    """Ask a judge about records.

    Args:
        work: a working folder in which curate has run.
        judge: what is asked.
        model: who is asked.
        price: what it takes.
        cache: the file of replies.
        sources: only these; none: all.
        repeats: how often each record is judged; the first time at temperature 0, more often at
            0.7 with a seed each.
        limit: only the first so many records of each source.
        writers: models whose drafted answers are judged where a record has none of its own.
        most: the largest cost of this run; the rest is `unsent`.
        progress: told of every end.

    Raises:
        UserError: nothing was curated, an unknown source, or a number out of bounds.
    """
    _check(repeats)
    asked = askable(work, sources, limit=limit, writers=writers)
    facts = asked.facts | {
        "stage": "score",
        "repeats": repeats,
        "program": store.program(),
        "judge": judge.name,
        "prompt": judge.mark,
        "model": model.name,
        "family": model.family,
        "price": asdict(price),
    }
    mark, folder = store.fingerprint(facts), folder_of(work, judge.name, model.name)
    if (done := store.finished(folder, mark)) and done["complete"]:
        return Scored(done, Tally())
    store.begin(folder, mark)
    budget, total = Budget(price, most), Tally()
    states: dict[str, int] = {}
    spent: dict[str, float] = {"cost": 0.0}
    count = again = 0
    with Cache(cache) as replies:
        for number, frame in enumerate(records(asked)):
            requests, rows = _requests(judge, frame, repeats)
            found = ask(model, requests, cache=replies, budget=budget, progress=progress)
            table = _table(judge, frame, rows, found.outcomes, repeats)
            with store.part(folder, f"{number:05d}") as place:
                store.write_frame(place / "scores.parquet", table)
            for state, n in table["state"].value_counts().iter_rows():
                states[state] = states.get(state, 0) + n
            pairs = zip(requests, found.outcomes, strict=True)
            spent["cost"] += sum(budget.cost(q, r) for q, r in pairs if isinstance(r, Reply))
            count += len(frame)
            again += len(table.filter(AGAIN))
            add(total, found.tally)
    if sum(states.values()) != count * repeats:
        raise RuntimeError(f"{folder}: {states} are not {count} records {repeats} times")
    said = {"records": count, "states": dict(sorted(states.items())), "complete": not again}
    return Scored(store.seal(folder, mark, {**facts, **said, **spent}), total)


def questions(
    work: Path,
    judge: Judge,
    *,
    sources: Sequence[str] = (),
    repeats: int = 1,
    limit: int | None = None,
    writers: Sequence[str] = (),
) -> list[Request]:
    """Every request that `score` would look for, for a provider's batch."""
    _check(repeats)
    asked = askable(work, sources, limit=limit, writers=writers)
    return [one for frame in records(asked) for one in _requests(judge, frame, repeats)[0]]


def forecast(
    work: Path,
    judge: Judge,
    model: Model,
    price: Price,
    *,
    cache: Path,
    sources: Sequence[str] = (),
    repeats: int = 1,
    limit: int | None = None,
    writers: Sequence[str] = (),
) -> dict[str, Any]:
    """What `score` would take: records, requests, found in the cache, tokens and cost at most."""
    _check(repeats)
    asked = askable(work, sources, limit=limit, writers=writers)
    found = {"records": 0, "unasked": 0, "requests": 0, "repeated": 0, "cached": 0}
    tokens, cost = 0, 0.0
    with Cache(cache) as replies:
        for frame in records(asked):
            requests, rows = _requests(judge, frame, repeats)
            ahead = plan(model.name, requests, cache=replies, budget=Budget(price))
            found["records"] += len(frame)
            found["unasked"] += (len(frame) - len({row for row, _ in rows})) * repeats
            for name in ("requests", "repeated", "cached"):
                found[name] += getattr(ahead, name)
            tokens, cost = tokens + ahead.tokens, cost + ahead.cost
    return {**found, "tokens_at_most": tokens, "cost_at_most": cost, "currency": price.currency}


def _check(repeats: int) -> None:
    if repeats < 1:
        raise UserError("repeats is 1 or more", mend="mend --repeats")


def _requests(
    judge: Judge, frame: pl.DataFrame, repeats: int
) -> tuple[list[Request], list[tuple[int, int]]]:
    """The requests, and of each which row and repeat it is."""
    requests: list[Request] = []
    rows: list[tuple[int, int]] = []
    needed = judge.parts[-1] if "output" in judge.parts else "instruction"
    for row, texts in enumerate(frame.select(*TEXT).iter_rows()):
        case = Case(*texts)
        if not getattr(case, needed).strip():
            continue
        for repeat in range(repeats):
            requests.append(judge.ask(case, seed=repeat or None))
            rows.append((row, repeat))
    return requests, rows


def _table(
    judge: Judge,
    frame: pl.DataFrame,
    rows: list[tuple[int, int]],
    outcomes: list[Outcome],
    repeats: int,
) -> pl.DataFrame:
    ids, sources = frame["id"].to_list(), frame["source"].cast(pl.String).to_list()
    asked = dict(zip(rows, outcomes, strict=True))
    table = []
    for row, (id_, source) in enumerate(zip(ids, sources, strict=True)):
        for repeat in range(repeats):
            table.append((id_, source, repeat, *verdict_of(judge, asked.get((row, repeat)))))
    return pl.DataFrame(table, schema=SCORES, orient="row")
