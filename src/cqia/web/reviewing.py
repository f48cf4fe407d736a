"""Review: one record at a time, blind, with the keyboard; and how far one is."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cqia.record import TEXT
from cqia.reviewing import outcomes, queue
from cqia.web.page import changed, decimal, desk, form, go, page, person, rater, whole

router = APIRouter()

REASONS = ("wrong", "offtopic", "broken", "unsafe", "advert", "poor")
"""Reasons that are a key away; any other can be typed."""
LONGEST = 3_600.0
"""Seconds after which somebody was away and not reading."""


@router.get("/review")
def review(request: Request) -> Response:
    """The rounds there are."""
    who = person(request)
    here = desk(request)
    found = [(one, queue.progress(here.book, one["id"], who.id)) for one in queue.rounds(here.book)]
    return page(request, "review", rounds=found)


@router.get("/review/work")
def work(request: Request) -> Response:
    """The next record."""
    who = rater(request)
    here = desk(request)
    round_ = whole(request.query_params.get("round", ""), "round")
    item = queue.take(here.book, round_, who.id)
    return page(
        request,
        "work",
        item=item,
        record=here.search.record(item["record"]) if item else None,
        round=round_,
        fields=TEXT,
        reasons=REASONS,
        progress=queue.progress(here.book, round_, who.id),
        last=request.query_params.get("last", ""),
    )


@router.post("/review/work")
def decide(request: Request) -> Response:
    """Write down what was decided, and on to the next."""
    who = rater(request)
    here = desk(request)
    round_, action = whole(form(request, "round"), "round"), form(request, "action")
    if action == "undo":
        queue.undo(here.book, round_=round_, person=who.id)
    else:
        id_ = form(request, "record")
        record = here.search.record(id_) or {}
        seconds = decimal(form(request, "seconds"), "seconds")
        queue.decide(
            here.book,
            round_=round_,
            record=id_,
            person=who.id,
            action=action,
            reason=form(request, "reason"),
            note=form(request, "note"),
            texts=changed(request, record),
            seconds=None if seconds is None or not 0 <= seconds <= LONGEST else seconds,
        )
    outcomes.export(here.book)
    return go("/review/work?" + urlencode({"round": round_, "last": action}))
