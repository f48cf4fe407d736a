"""Answer: a model drafts answers for the records that have none, with a person's note where given.

    wish = Wish(notes={"ruozhiba-1": "偷换了概念"})
    answer(work, model, price, wish, cache=Path("replies.sqlite"))

writes `work/answer/MODEL/`, a row a record without an answer: what the model wrote, word for word,
and the answer that was made of it. Nothing that curate kept is changed; assemble takes the answers
of the models that it is told of. A reply that refuses or breaks off is a state and no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from cqia import store
from cqia.answers import ANSWERS, WAITING, folder_of
from cqia.askable import Askable, askable, records
from cqia.drafting import draft
from cqia.drafting.notes import mark as mark_of_notes
from cqia.llm.ask import Tally, add, ask, plan
from cqia.llm.budget import Budget, Price
from cqia.llm.cache import Cache
from cqia.llm.protocol import Failure, Model, Outcome, Reply, Request
from cqia.scores import AGAIN
from cqia.thresholds import Threshold, below, prints
from cqia.workers import Progress


class Answered(NamedTuple):
    """The manifest, and what asking took in this run."""

    facts: store.Facts
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which records are to be answered, and how."""

    notes: Mapping[str, str]
    """A person's note by the record's id."""
    noted: bool = False
    """Whether only records with a note are answered."""
    sources: Sequence[str] = ()
    """Only these; none: all."""
    limit: int | None = None
    """Only the first so many records of each source."""
    thresholds: Sequence[Threshold] = ()
    """On what judges said of the question; what misses one is `unasked`."""
    max_tokens: int = 1_024
    """Of one answer."""


class _Batch(NamedTuple):
    """Waiting records: which are asked, with which request and note; why the others are not."""

    frame: pl.DataFrame
    requests: list[Request]
    rows: list[int]
    unasked: dict[int, str]


def answer(
    work: Path,
    model: Model,
    price: Price,
    wish: Wish,
    *,
    cache: Path,
    most: float | None = None,
    progress: Progress | None = None,
) -> Answered:
    """Have answers drafted.

    Args:
        work: a working folder in which curate has run.
        model: who writes.
        price: what it takes.
        wish: which records, and how.
        cache: the file of replies.
        most: the largest cost of this run; the rest is `unsent`.
        progress: told of every end.

    Raises:
        UserError: nothing was curated, an unknown source, or a number out of bounds.
    """
    asked = askable(work, wish.sources, limit=wish.limit)
    facts = asked.facts | {
        "stage": "answer",
        "program": store.program(),
        "prompt": draft.mark(),
        "max_tokens": wish.max_tokens,
        "model": model.name,
        "family": model.family,
        "price": asdict(price),
        "notes": mark_of_notes(wish.notes),
        "noted": wish.noted,
        "scores": prints(work, wish.thresholds),
        "thresholds": [asdict(one) for one in wish.thresholds],
    }
    mark, folder = store.fingerprint(facts), folder_of(work, model.name)
    if (done := store.finished(folder, mark)) and done["complete"]:
        return Answered(done, Tally())
    store.begin(folder, mark)
    budget, total = Budget(price, most), Tally()
    states: dict[str, int] = {}
    cost, known, again = 0.0, 0, 0
    with Cache(cache) as replies:
        for number, one in enumerate(_batches(asked, wish)):
            found = ask(model, one.requests, cache=replies, budget=budget, progress=progress)
            table = _table(one, found.outcomes, model, wish.notes)
            with store.part(folder, f"{number:05d}") as place:
                store.write_frame(place / "answers.parquet", table)
            for state, n in table["state"].value_counts().iter_rows():
                states[state] = states.get(state, 0) + n
            pairs = zip(one.requests, found.outcomes, strict=True)
            cost += sum(budget.cost(q, r) for q, r in pairs if isinstance(r, Reply))
            known += table["note"].drop_nulls().len()
            again += len(table.filter(AGAIN))
            add(total, found.tally)
    said = {
        "records": sum(states.values()),
        "states": dict(sorted(states.items())),
        "complete": not again,
        "with_note": known,
        "notes_elsewhere": len(wish.notes) - known,
        "cost": cost,
    }
    return Answered(store.seal(folder, mark, {**facts, **said}), total)


def questions(work: Path, wish: Wish) -> list[Request]:
    """Every request that `answer` would look for, for a provider's batch."""
    prints(work, wish.thresholds)
    asked = askable(work, wish.sources, limit=wish.limit)
    return [request for one in _batches(asked, wish) for request in one.requests]


def forecast(work: Path, model: Model, price: Price, wish: Wish, *, cache: Path) -> dict[str, Any]:
    """What `answer` would take: records, requests, found in the cache, tokens and cost at most."""
    asked = askable(work, wish.sources, limit=wish.limit)
    prints(work, wish.thresholds)
    found = {"records": 0, "unasked": 0, "with_note": 0, "requests": 0, "repeated": 0, "cached": 0}
    tokens, cost = 0, 0.0
    with Cache(cache) as replies:
        for one in _batches(asked, wish):
            ahead = plan(model.name, one.requests, cache=replies, budget=Budget(price))
            found["records"] += len(one.frame)
            found["unasked"] += len(one.unasked)
            found["with_note"] += sum(id_ in wish.notes for id_ in one.frame["id"])
            for name in ("requests", "repeated", "cached"):
                found[name] += getattr(ahead, name)
            tokens, cost = tokens + ahead.tokens, cost + ahead.cost
    return {**found, "tokens_at_most": tokens, "cost_at_most": cost, "currency": price.currency}


def _batches(asked: Askable, wish: Wish) -> Iterator[_Batch]:
    """The records without an answer, and what is asked about them."""
    for frame in records(asked):
        waiting = frame.filter(WAITING)
        _, low = below(asked.work, waiting, wish.thresholds)
        missed = dict(low.select("id", "rule").iter_rows())
        one = _Batch(waiting, [], [], {})
        texts = waiting.select("id", "instruction", "input").iter_rows()
        for row, (id_, instruction, given) in enumerate(texts):
            why = missed.get(id_) or ("no note" if wish.noted and id_ not in wish.notes else "")
            why = why or ("" if instruction.strip() else "no question")
            if why:
                one.unasked[row] = why
                continue
            note = wish.notes.get(id_, "")
            one.requests.append(draft.ask(instruction, given, note, max_tokens=wish.max_tokens))
            one.rows.append(row)
        yield one


def _table(
    one: _Batch, outcomes: list[Outcome], model: Model, notes: Mapping[str, str]
) -> pl.DataFrame:
    said: dict[int, tuple[Any, ...]] = {
        row: ("unasked", None, None, why, None, None) for row, why in one.unasked.items()
    }
    replies = [(row, end) for row, end in zip(one.rows, outcomes, strict=True)]
    read = draft.read([(end.text, end.finish) for _, end in replies if isinstance(end, Reply)])
    drafts = iter(read)
    for row, end in replies:
        if isinstance(end, Failure):
            said[row] = (end.state, None, None, end.why, None, None)
            continue
        found = next(drafts)
        tokens = (end.prompt_tokens, end.reply_tokens)
        said[row] = (found.state, found.output, end.text, found.reason, *tokens)
    who = (model.name, model.family, draft.mark())
    table = []
    for row, (id_, source) in enumerate(one.frame.select("id", "source").iter_rows()):
        state, output, reply, why, *counts = said[row]
        note = mark_of_notes({id_: notes[id_]}) if id_ in notes else None
        table.append((id_, source, state, output, reply, why, *who, note, *counts))
    return pl.DataFrame(table, schema=ANSWERS, orient="row")
