"""Records: search and filter over kept and dropped, one record's story, and rulings by hand."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cqia.errors import unknown
from cqia.play import recipes
from cqia.queries.why import BY_PEOPLE, why
from cqia.record import TEXT
from cqia.reviewing import gold, outcomes
from cqia.reviewing.fates import STAGES
from cqia.reviewing.search import PASSED, Query
from cqia.web.page import changed, decimal, desk, form, go, owner, page, person, whole

router = APIRouter()


def asked(request: Request) -> Query:
    """The query that a request's parameters are."""
    take = request.query_params.get
    rule = take("rule", "")
    if rule.startswith(PASSED) and rule.removeprefix(PASSED) not in STAGES:
        raise unknown("stage", rule.removeprefix(PASSED), STAGES)
    return Query(
        text=take("text", "")[:200],
        source=take("source", ""),
        rule=rule,
        task=take("task", ""),
        measure=take("measure", ""),
        low=decimal(take("low", ""), "low"),
        high=decimal(take("high", ""), "high"),
        least=decimal(take("least", ""), "least"),
        most=decimal(take("most", ""), "most"),
    )


@router.get("/records")
def records(request: Request) -> Response:
    """A page of what is looked for."""
    person(request)
    here = desk(request)
    query, index = asked(request), here.search
    found = index.find(query, after=whole(request.query_params.get("after", ""), "after"))
    given = {name: value for name, value in request.query_params.items() if name != "after"}
    ahead = urlencode({**given, "after": str(found.after)}) if found.after is not None else ""
    return page(
        request,
        "records",
        found=found,
        query=query,
        ahead=ahead,
        given=given,
        choices={name: index.names(name) for name in ("source", "rule", "task")},
        passed=[PASSED + stage for stage in STAGES],
        measures=here.measures(),
    )


@router.get("/record")
def record(request: Request) -> Response:
    """One record's story."""
    who = person(request)
    here = desk(request)
    id_ = request.query_params.get("id", "")
    story = why(here.work, id_, steps=recipes(here.work))
    said = outcomes.said_of(here.book, id_)
    if not who.owns:
        said = [row for row in said if row["person"] == who.id]
        events = tuple(one for one in story.events if one.what not in BY_PEOPLE)
        story = replace(story, events=events)
    return page(
        request,
        "record",
        story=story,
        fields=TEXT,
        said=said,
        ruling=outcomes.ruling_of(here.book, id_),
        rulings=outcomes.RULINGS,
        gold=gold.of(here.book, id_) if who.owns else None,
        golds=gold.ACTIONS,
    )


@router.post("/record")
def rule(request: Request) -> Response:
    """A ruling on a record, by hand and with a reason."""
    who = owner(request)
    here = desk(request)
    id_, action = form(request, "id"), form(request, "action")
    story = why(here.work, id_, steps={})
    outcomes.rule(
        here.book,
        record=id_,
        source=story.record["source"],
        person=who.id,
        action=action,
        reason=form(request, "reason"),
        texts=changed(request, story.record),
    )
    outcomes.export(here.book)
    if form(request, "back").startswith("/round?"):
        return go(form(request, "back"))
    return go(f"/record?{urlencode({'id': id_})}")
