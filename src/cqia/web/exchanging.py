"""Import and export: other programs' JSON, and one HTML file for a rater without a server."""

from __future__ import annotations

import base64
import hashlib

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cqia.errors import unknown
from cqia.reviewing import exchange, outcomes, queue
from cqia.web.page import (
    HOME,
    desk,
    environment,
    file,
    form,
    language,
    owner,
    page,
    whole,
)
from cqia.web.texts import WORDS, said

router = APIRouter()


@router.get("/exchange")
def shown(request: Request) -> Response:
    """What can be taken out and brought in."""
    owner(request)
    here = desk(request)
    return page(request, "exchange", rounds=queue.rounds(here.book), formats=exchange.FORMATS,
                taken=None)  # fmt: skip


@router.get("/export")
def export(request: Request) -> Response:
    """A round as another program's JSON, or as an offline file."""
    owner(request)
    here = desk(request)
    take = request.query_params.get
    round_, format_ = whole(take("round", ""), "round"), take("format", "")
    if format_ == "offline":
        told = exchange.offline(here.book, round_, take("name", ""), here.search.record)
        return file(offline(told, language(request)).encode(), f"round-{round_}.html", "text/html")
    if format_ not in exchange.FORMATS:
        raise unknown("format", format_, (*exchange.FORMATS, "offline"))
    body = exchange.write(here.book, round_, format_, here.search.record)
    return file(body, f"round-{round_}-{format_}.json", "application/json")


@router.post("/import")
def bring(request: Request) -> Response:
    """Take in a results file; its text comes as a form's field, so that no file is opened."""
    owner(request)
    here = desk(request)
    taken = exchange.read(here.book, form(request, "text").encode())
    outcomes.export(here.book)
    return page(request, "exchange", rounds=queue.rounds(here.book), formats=exchange.FORMATS,
                taken=taken)  # fmt: skip


def offline(told: str, lang: str) -> str:
    """The HTML file: data, style and script in one, the script held to its hash by a policy."""
    script = (HOME / "static" / "offline.js").read_text("utf-8")
    style = (HOME / "static" / "app.css").read_text("utf-8")
    words = {key: said(lang, key) for key in WORDS if key.startswith(("do.", "offline.", "field."))}

    def hashed(text: str) -> str:
        digest = hashlib.sha256(text.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"

    return environment().get_template("offline.html").render(
        told=told, words=words, script=script, style=style, lang=lang,
        policy=f"default-src 'none'; script-src {hashed(script)}; style-src {hashed(style)}",
    )  # fmt: skip
