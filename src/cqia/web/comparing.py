"""Compare: two answers side by side, blind; and the bars and ranking that the votes make."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cqia.reviewing import duels, queue
from cqia.web.page import decimal, desk, form, go, page, person, rater, whole

router = APIRouter()


@router.get("/compare")
def compare(request: Request) -> Response:
    """The rounds of comparison."""
    person(request)
    here = desk(request)
    found = []
    for one in queue.rounds(here.book, "duel"):
        pairs = here.book.number("select count(*) from duel where round = ?", one["id"])
        found.append((one, pairs, len(duels.votes(here.book, one["id"]))))
    return page(request, "compare", rounds=found)


@router.get("/compare/vote")
def work(request: Request) -> Response:
    """The next pair."""
    who = rater(request)
    here = desk(request)
    number = whole(request.query_params.get("round", ""), "round")
    mine = [row for row in duels.votes(here.book, number) if row["person"] == who.id]
    return page(
        request,
        "vote",
        pair=duels.take(here.book, number, who.id),
        round=number,
        mine=len(mine),
        pairs=here.book.number("select count(*) from duel where round = ?", number),
    )


@router.post("/compare/vote")
def vote(request: Request) -> Response:
    """Write a vote down, and on to the next."""
    who = rater(request)
    here = desk(request)
    number, side = whole(form(request, "round"), "round"), form(request, "side")
    if side == "undo":
        duels.undo(here.book, round_=number, person=who.id)
    else:
        seconds = decimal(form(request, "seconds"), "seconds")
        duels.vote(
            here.book,
            duel=whole(form(request, "duel"), "duel"),
            person=who.id,
            side=side,
            seconds=seconds,
        )
    return go("/compare/vote?" + urlencode({"round": number}))


@router.get("/compare/results")
def results(request: Request) -> Response:
    """Bars, ranking and agreement; for a reviewer only after having voted on everything."""
    who = person(request)
    here = desk(request)
    number = whole(request.query_params.get("round", ""), "round")
    if who.role == "reviewer" and duels.take(here.book, number, who.id):
        return page(request, "results", votes=None, round=number)
    rows = duels.votes(here.book, number)
    return page(
        request,
        "results",
        round=number,
        votes=rows,
        bars=duels.bars(rows),
        ranking=duels.ranking(rows),
        judge=duels.judge_and_people(rows),
        raters=duels.raters(rows),
    )
