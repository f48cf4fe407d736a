"""People: invitations by link, and taking them back."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cqia.reviewing import people
from cqia.web.page import desk, form, go, owner, page, whole

router = APIRouter()


@router.get("/people")
def shown(request: Request) -> Response:
    """Who takes part."""
    owner(request)
    found = people.everyone(desk(request).book)
    return page(request, "people", people=found, roles=people.ROLES, link="", invited="")


@router.post("/people")
def change(request: Request) -> Response:
    """Invite somebody, or take an invitation back; the link is shown this once."""
    owner(request)
    here = desk(request)
    if form(request, "revoke"):
        people.revoke(here.book, whole(form(request, "revoke"), "person"))
        return go("/people")
    name = form(request, "name")
    token = people.invite(here.book, name, form(request, "role"))
    link = f"{request.base_url}enter?token={token}"
    found = people.everyone(here.book)
    return page(request, "people", people=found, roles=people.ROLES, link=link, invited=name)
