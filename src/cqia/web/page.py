"""What every page has: the person, their language, their form's mark, and the way it is drawn."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cqia.errors import UserError
from cqia.record import TEXT
from cqia.reviewing.people import Person
from cqia.web import show
from cqia.web.desk import Desk
from cqia.web.texts import LANGUAGES, known, said

HOME = Path(__file__).parent
THEMES = ("auto", "light", "dark")


class Refused(Exception):
    """This person may not do this; nobody's fault and no bug."""


def desk(request: Request) -> Desk:
    """The working folder."""
    found = request.state.desk
    assert isinstance(found, Desk)
    return found


def person(request: Request, *roles: str) -> Person:
    """Who asks.

    Raises:
        Refused: nobody who was invited, or somebody with another role.
    """
    found = request.state.person
    if not isinstance(found, Person) or (roles and found.role not in roles):
        raise Refused
    return found


def owner(request: Request) -> Person:
    """Who asks, an owner."""
    return person(request, "owner")


def rater(request: Request) -> Person:
    """Who asks, somebody who rates."""
    return person(request, "owner", "reviewer")


def form(request: Request, name: str, default: str = "") -> str:
    """A field of the form that was sent; line ends as in a file."""
    return str(request.state.form.get(name, default)).replace("\r\n", "\n")


def changed(request: Request, record: Mapping[str, Any]) -> dict[str, str]:
    """The texts of a record that a form holds otherwise; a browser's line ends are no change."""
    found = {}
    for name in TEXT:
        old = str(record.get(name) or "")
        new = form(request, name, old)
        if new not in (old, old.replace("\r\n", "\n").replace("\r", "\n")):
            found[name] = new
    return found


def whole(text: str, name: str, *, default: int = 0) -> int:
    """A whole number from a request.

    Raises:
        UserError: it is none.
    """
    if not text.strip():
        return default
    try:
        return int(text)
    except ValueError:
        raise UserError(f"{name} is no whole number") from None


def decimal(text: str, name: str) -> float | None:
    """A number from a request, or None where it is empty.

    Raises:
        UserError: it is none.
    """
    if not text.strip():
        return None
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if found != found or abs(found) == float("inf"):
        raise UserError(f"{name} is no number")
    return found


def language(request: Request) -> str:
    """The language of the page: Chinese, unless the switch says otherwise."""
    found = request.cookies.get("lang", "")
    return found if found in LANGUAGES else LANGUAGES[0]


@functools.cache
def environment() -> Environment:
    """The templates; every text is escaped unless it is marked as safe by `cqia.web.show`."""
    made = Environment(
        loader=FileSystemLoader(HOME / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = {
        "shown": show.shown, "line": show.line, "n": show.number, "percent": show.percent,
        "raw": show.ours, "data": show.data,
    }  # fmt: skip
    made.filters.update(filters)
    made.globals.update(marked=show.marked, words=known)
    return made


def page(request: Request, name: str, /, status: int = 200, **values: object) -> HTMLResponse:
    """A page from its template."""
    lang = language(request)
    theme = request.cookies.get("theme", "")
    body = environment().get_template(f"{name}.html").render(
        t=functools.partial(said, lang),
        lang=lang,
        theme=theme if theme in THEMES else "auto",
        person=request.state.person,
        csrf=request.state.csrf,
        path=request.url.path,
        here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        **values,
    )  # fmt: skip
    return HTMLResponse(body, status_code=status)


def go(path: str) -> RedirectResponse:
    """On to a page, after a form."""
    return RedirectResponse(path, status_code=303)


def file(body: bytes, name: str, kind: str) -> Response:
    """A file to be saved, never opened in place."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=kind, headers=headers)
