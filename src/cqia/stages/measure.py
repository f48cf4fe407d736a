"""Measure: scores of records that need no judge and no key, into the ledger beside the judges'.

    measure(work, FREE["ngram"])                                   # no model at all
    weigh(work, WEIGHED["ifd"], model, cache=Path("replies.sqlite"))  # a small model

Both write `work/score/SCORER@MODEL/` as `score` does, a row a record; a scorer without a model has
the model name `rules`. A record without a text for the scorer is `unasked`, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import polars as pl

from cqia import store
from cqia.askable import Askable, askable, by_part, parts, records, records_of
from cqia.llm.ask import Tally, add, ask, plan
from cqia.llm.budget import Budget, Price
from cqia.llm.cache import Cache
from cqia.llm.protocol import Choosing, Failure, Model, Outcome, Reply
from cqia.record import TEXT
from cqia.scorers.base import RULES, Learnt, Numbers, Reading, Texts, Weighed
from cqia.scores import AGAIN, SCORES, folder_of
from cqia.workers import Progress, Workers, spread

TOLD = {name: SCORES[name] for name in ("state", "reason", "verdict")}
NO_TEXT = "no text for this scorer"


class Measured(NamedTuple):
    """The manifest, and what asking took in this run."""

    facts: store.Facts
    tally: Tally


def measure(
    work: Path,
    scorer: Reading | Learnt,
    *,
    sources: Sequence[str] = (),
    limit: int | None = None,
    writers: Sequence[str] = (),
    workers: Workers = 1,
    progress: Progress | None = None,
) -> Measured:
    """Score records without a model.

    Args:
        work: a working folder in which curate has run.
        scorer: what is measured.
        sources: only these; none: all. A scorer that learns from the collection learns from them.
        limit: only the first so many records of each source.
        writers: models whose drafted answers are scored where a record has none of its own.
        workers: a cluster scores as many parts at a time as it has cores, unless there is a limit;
            what is learnt is learnt here. Processes of this machine are not used: what was learnt
            would have to go to each of them.
        progress: told of every part.

    Raises:
        UserError: nothing was curated, an unknown source, or too little to learn from.
    """
    asked = askable(work, sources, limit=limit, writers=writers)
    facts = asked.facts | _facts(scorer.name, scorer.version, RULES, RULES)
    mark, folder = store.fingerprint(facts), folder_of(work, scorer.name, RULES)
    if done := store.finished(folder, mark):
        return Measured(done, Tally())

    def batches() -> Iterable[pl.DataFrame]:
        return records(asked)

    numbers = scorer.learn(batches)
    store.begin(folder, mark)
    tables: list[pl.DataFrame] = []
    for states in _measured(asked, numbers, folder, workers):
        tables.append(states)
        if progress:
            progress(sum(map(len, tables)), 0, scorer.name)
    return Measured(store.seal(folder, mark, {**facts, **_states(tables)}), Tally())


def _measured(
    asked: Askable, numbers: Numbers, folder: Path, workers: Workers
) -> Iterator[pl.DataFrame]:
    """Write the scores part by part; yields their states, in no order on a cluster."""
    if isinstance(workers, int) or asked.limit is not None:
        for at, (_, frame) in enumerate(by_part(asked)):
            yield _written(frame, numbers, folder, at)
        return
    known = workers.share(asked), workers.share(numbers)
    jobs = [(*known, part, folder.absolute(), at) for at, (_, part) in enumerate(parts(asked))]
    yield from (states for _, states in spread(_of_part, jobs, workers))


def _of_part(asked: Askable, numbers: Numbers, part: Path, folder: Path, at: int) -> pl.DataFrame:
    return _written(records_of(asked, part), numbers, folder, at)


def _written(frame: pl.DataFrame, numbers: Numbers, folder: Path, at: int) -> pl.DataFrame:
    table = _rows(frame, numbers(frame))
    with store.part(folder, f"{at:05d}") as place:
        store.write_frame(place / "scores.parquet", table)
    return table.select("state")


def weigh(
    work: Path,
    scorer: Weighed,
    model: Model,
    *,
    cache: Path,
    sources: Sequence[str] = (),
    limit: int | None = None,
    writers: Sequence[str] = (),
    price: Price | None = None,
    most: float | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Score records by how likely a model finds their answers.

    Args:
        work: a working folder in which curate has run.
        scorer: what is asked and made of it.
        model: any that tells log-probabilities.
        cache: the file of replies.
        sources: only these; none: all.
        limit: only the first so many records of each source.
        writers: models whose drafted answers are scored where a record has none of its own.
        price: what the model takes; None: nothing.
        most: the largest cost of this run; the rest is `unsent`.
        progress: told of every end.

    Raises:
        UserError: nothing was curated, or an unknown source.
    """
    asked = askable(work, sources, limit=limit, writers=writers)
    facts = asked.facts | _facts(scorer.name, scorer.version, model.name, model.family)
    facts["window"] = scorer.window
    mark, folder = store.fingerprint(facts), folder_of(work, scorer.name, model.name)
    if (done := store.finished(folder, mark)) and done["complete"]:
        return Measured(done, Tally())
    store.begin(folder, mark)
    budget, total = Budget(price or Price(), most), Tally()
    tables = []
    with Cache(cache) as replies:
        for number, frame in enumerate(records(asked)):
            cases = [Texts(*texts) for texts in frame.select(*TEXT).iter_rows()]
            told = [scorer.ask(case) for case in cases]
            flat = [one for some in told for one in some]
            found = ask(model, flat, cache=replies, budget=budget, progress=progress)
            table = _weighed(scorer, frame, cases, told, found.outcomes)
            with store.part(folder, f"{number:05d}") as place:
                store.write_frame(place / "scores.parquet", table)
            tables.append(table.select(*TOLD))
            add(total, found.tally)
    said, whole = _states(tables), pl.concat([pl.DataFrame(schema=TOLD), *tables])
    said["complete"] = whole.filter(AGAIN).is_empty()
    flags = whole["verdict"].str.contains('"mismatched":true').sum()
    return Measured(store.seal(folder, mark, {**facts, **said, "mismatched": flags}), total)


def forecast(
    work: Path,
    scorer: Weighed,
    model: Model,
    *,
    cache: Path,
    sources: Sequence[str] = (),
    limit: int | None = None,
    writers: Sequence[str] = (),
    price: Price | None = None,
) -> dict[str, Any]:
    """What `weigh` would take: records, requests, found in the cache, tokens and cost at most."""
    own = price or Price()
    found: dict[str, Any] = dict.fromkeys(
        ("records", "unasked", "requests", "repeated", "cached", "tokens", "cost"), 0
    )
    with Cache(cache) as replies:
        for frame in records(askable(work, sources, limit=limit, writers=writers)):
            told = [scorer.ask(Texts(*texts)) for texts in frame.select(*TEXT).iter_rows()]
            flat = [one for some in told for one in some]
            ahead = plan(model.name, flat, cache=replies, budget=Budget(own))
            found["records"] += len(frame)
            found["unasked"] += sum(not some for some in told)
            for name, amount in ahead._asdict().items():
                found[name] += amount
    tokens, cost = found.pop("tokens"), found.pop("cost")
    return {**found, "tokens_at_most": tokens, "cost_at_most": cost, "currency": own.currency}


def _facts(scorer: str, version: int, model: str, family: str) -> store.Facts:
    return {
        "stage": "measure",
        "program": store.program(),
        "scorer": scorer,
        "version": version,
        "model": model,
        "family": family,
    }


def _states(tables: Sequence[pl.DataFrame]) -> store.Facts:
    states: dict[str, int] = {}
    for table in tables:
        for state, n in table["state"].value_counts().iter_rows():
            states[state] = states.get(state, 0) + n
    count = sum(map(len, tables))
    return {"records": count, "states": dict(sorted(states.items())), "complete": True}


def _rows(frame: pl.DataFrame, numbers: pl.Series) -> pl.DataFrame:
    """A batch's rows as `score` would write them."""
    value = pl.col("score")
    made = frame.select(
        "id",
        pl.col("source").cast(pl.String),
        repeat=pl.lit(0, pl.Int64),
        score=numbers.cast(pl.Float64),
    ).with_columns(
        state=pl.when(value.is_null()).then(pl.lit("unasked")).otherwise(pl.lit("read")),
        reason=pl.when(value.is_null()).then(pl.lit(NO_TEXT)),
    )
    if not made["score"].is_finite().all():
        raise RuntimeError("a scorer gave a number that is none")
    return pl.concat([pl.DataFrame(schema=SCORES), made], how="diagonal")


def _weighed(
    scorer: Weighed,
    frame: pl.DataFrame,
    cases: Sequence[Texts],
    asked: Sequence[tuple[Choosing, ...]],
    outcomes: Sequence[Outcome],
) -> pl.DataFrame:
    ends = [0]
    for some in asked:
        ends.append(ends[-1] + len(some))
    ids, sources = frame["id"].to_list(), frame["source"].cast(pl.String).to_list()
    rows = [
        (id_, source, 0, *_row(scorer, case, outcomes[start:stop]))
        for id_, source, case, (start, stop) in zip(
            ids, sources, cases, pairwise(ends), strict=True
        )
    ]
    return pl.DataFrame(rows, schema=SCORES, orient="row")


def _row(scorer: Weighed, case: Texts, outcomes: Sequence[Outcome]) -> tuple[Any, ...]:
    """state, score, verdict, reply, reason, tokens."""
    if not outcomes:
        return "unasked", None, None, None, NO_TEXT, None, None
    for one in outcomes:
        if isinstance(one, Failure):
            return one.state, None, None, None, one.why, None, None
    replies = [one for one in outcomes if isinstance(one, Reply)]
    said = "\n".join(one.text for one in replies)
    tokens = (sum(one.prompt_tokens or 0 for one in replies), 0)
    verdict = scorer.read(case, outcomes)
    if verdict is None:
        return "unreadable", None, None, said, "no weight of the answer in it", *tokens
    number = float(verdict["score"])
    return "read", number, orjson.dumps(verdict).decode(), said, None, *tokens
