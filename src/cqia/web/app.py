"""The web application: its pages, and what stands around them."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.staticfiles import StaticFiles

from cqia.errors import UserError
from cqia.reviewing import people
from cqia.reviewing.book import now
from cqia.web import (
    comparing,
    exchanging,
    golding,
    inviting,
    overview,
    pairing,
    records,
    reviewing,
    rounds,
    whatif,
)
from cqia.web.desk import Desk
from cqia.web.guard import AGE, COOKIE, Guard
from cqia.web.page import HOME, THEMES, Refused, form, go, page
from cqia.web.texts import LANGUAGES

LOCAL = ("127.0.0.1", "localhost", "[::1]")


def create(work: Path, *, hosts: tuple[str, ...] = (), secure: bool = False) -> FastAPI:
    """The application over a working folder.

    Args:
        work: a folder in which curate has run.
        hosts: names under which the server is called, beside those of this machine itself.
        secure: whether it is reached over TLS only; its cookies are then never sent without.
    """
    desk = Desk(work)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = desk
    app.mount("/static", StaticFiles(directory=HOME / "static"))
    for one in (overview, records, whatif, reviewing, rounds, comparing, pairing, exchanging,
                inviting, golding):  # fmt: skip
        app.include_router(one.router)
    app.add_exception_handler(UserError, _mistaken)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(404, _missing)

    @app.get("/enter")
    def enter(request: Request) -> Response:
        found = people.admitted(desk.book, request.query_params.get("token", ""))
        if found is None:
            return page(request, "welcome", status=403, wrong=True)
        answer = go("/")
        cookie = people.signed(desk.book, found.id, now())
        answer.set_cookie(
            COOKIE, cookie, max_age=int(AGE), httponly=True, samesite="lax", secure=secure
        )
        return answer

    @app.post("/leave")
    def leave(request: Request) -> Response:
        answer = go("/")
        answer.delete_cookie(COOKIE)
        return answer

    @app.post("/settings")
    def settings(request: Request) -> Response:
        back = form(request, "back")
        answer = go(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/")
        for name, known in (("lang", LANGUAGES), ("theme", THEMES)):
            if (value := form(request, name)) in known:
                answer.set_cookie(name, value, max_age=int(AGE), samesite="lax", secure=secure)
        return answer

    app.add_middleware(Guard, desk=desk, hosts=frozenset(one.lower() for one in (*LOCAL, *hosts)))
    return app


async def _mistaken(request: Request, fault: Exception) -> Response:
    return page(request, "wrong", status=400, fault=str(fault))


async def _refused(request: Request, fault: Exception) -> Response:
    if request.state.person is None:
        return page(request, "welcome", status=401, wrong=False)
    return page(request, "wrong", status=403, fault="")


async def _missing(request: Request, fault: Exception) -> Response:
    return page(request, "wrong", status=404, fault="404")
