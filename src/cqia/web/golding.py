"""Gold items: marked on a record's page, taken away, or brought in from a file."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cqia.errors import UserError
from cqia.reviewing import gold
from cqia.web.page import desk, form, go, owner, page

router = APIRouter()

SHOWN = 200


@router.get("/gold")
def shown(request: Request) -> Response:
    """The gold items there are."""
    owner(request)
    return _page(request, None)


@router.post("/gold")
def mark(request: Request) -> Response:
    """Mark a record, take its mark away, or bring in a file."""
    who = owner(request)
    here = desk(request)
    if text := form(request, "text"):
        return _page(request, gold.bring(here.book, text, who.id, here.search.record))
    id_, action = form(request, "id"), form(request, "action")
    record = here.search.record(id_)
    if record is None:
        raise UserError(f"no record has the id {id_!r}")
    gold.mark(
        here.book, record=id_, source=record["source"], person=who.id,
        action="" if action == "undo" else action, reason=form(request, "reason")[:500],
    )  # fmt: skip
    return go("/gold" if form(request, "back") else f"/record?{urlencode({'id': id_})}")


def _page(request: Request, taken: int | None) -> Response:
    here = desk(request)
    found = gold.marked(here.book)
    told = [{**row, "text": here.search.record(row["record"])} for row in found[-SHOWN:]]
    return page(request, "gold", items=told[::-1], total=len(found), taken=taken)
