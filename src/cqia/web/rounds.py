"""Rounds of review: started by an owner; agreement, gold items, stopping and differences, live."""

from __future__ import annotations

import functools
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cqia.errors import UserError
from cqia.record import TEXT
from cqia.reviewing import agreement, drawing, gold, outcomes, queue, stopping
from cqia.reviewing.book import Book
from cqia.reviewing.search import Query
from cqia.web.page import decimal, desk, form, go, owner, page, person, whole

router = APIRouter()


@router.get("/rounds/new")
def new(request: Request) -> Response:
    """The form for a round."""
    owner(request)
    here = desk(request)
    index = here.search
    return page(
        request,
        "new_round",
        how=drawing.HOW,
        choices={name: index.names(name) for name in ("source", "rule", "task")},
        measures=here.measures(),
        golden=len(gold.marked(here.book)),
    )


@router.post("/rounds/new")
def start(request: Request) -> Response:
    """Start a round."""
    owner(request)
    here = desk(request)
    how = form(request, "how", "random")
    query = Query(
        source=form(request, "source"),
        rule=form(request, "rule"),
        task=form(request, "task"),
        measure=form(request, "measure"),
    )
    seed = whole(form(request, "seed"), "seed")
    drawn = drawing.draw(
        here.search,
        query,
        how=how,
        count=whole(form(request, "count"), "count", default=100),
        seed=seed,
        middle=decimal(form(request, "middle"), "middle") or 0.0,
    )
    golden = whole(form(request, "golden"), "gold items")
    known = gold.drawn(here.book, golden, seed=seed) | gold.read(form(request, "gold"))
    more = [(id_, found["source"]) for id_ in known if id_ not in dict(drawn)
            if (found := here.search.record(id_))]  # fmt: skip
    if lost := [id_ for id_ in known if id_ not in dict([*drawn, *more])]:
        raise UserError(f"no record has the id {lost[0]!r}", where="gold")
    number = queue.start(
        here.book,
        form(request, "name").strip()[:80] or how,
        _mixed(drawn, more),
        overlap=(decimal(form(request, "overlap"), "overlap") or 0.0) / 100,
        raters=whole(form(request, "raters"), "raters", default=2),
        gold=known,
        how=how,
        seed=seed,
    )
    return go(f"/round?round={number}")


def _mixed(drawn: list[tuple[str, str]], known: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The records with the gold items spread evenly among them."""
    found = list(drawn)
    for place, one in enumerate(known, start=1):
        found.insert(place * len(drawn) // (len(known) + 1) + place - 1, one)
    return found


@router.get("/round")
def shown(request: Request) -> Response:
    """How a round stands."""
    who = person(request, "owner", "viewer")
    here = desk(request)
    number = whole(request.query_params.get("round", ""), "round")
    found = [one for one in queue.rounds(here.book) if one["id"] == number]
    if not found:
        raise UserError(f"there is no round {number}")
    rate = (decimal(request.query_params.get("rate", ""), "rate") or 100 * stopping.RATE) / 100
    if not 0 < rate < 1:
        raise UserError("a pass rate lies between 0 and 100 %")
    _, disputed = outcomes.settled(here.book)
    mine = [rows for rows in disputed if any(row["round"] == number for row in rows)]
    return page(
        request,
        "round",
        round=found[0],
        progress=queue.progress(here.book, number, who.id),
        measured=_measured(here.book.path, here.book, number, _last(here.book)),
        gold=queue.gold_of(here.book, number),
        standing=stopping.standing(here.book, number, rate=rate),
        rate=rate,
        disputed=[(rows, here.search.record(rows[0]["record"])) for rows in mine[:20]],
        differ=len(mine),
        fields=TEXT,
    )


def _last(book: Book) -> int:
    return book.number("select max(seq) from decision")


@functools.lru_cache(maxsize=64)
def _measured(path: Path, book: Book, number: int, seq: int) -> list[agreement.Measured]:
    """Agreement after decision `seq`; the intervals take a second, so they are kept."""
    return agreement.measure(agreement.ratings(book, number))
