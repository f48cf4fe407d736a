"""What stands before every page: who asks, whether they may, and what the browser is told.

Pure ASGI, around the whole application. A request must name a host of ours (so that a page from
elsewhere can't be made to speak to 127.0.0.1 under its own name); a POST must carry the session's
own mark, which another site can't read; a body is an ordinary form of bounded size. No part of a
request is ever used as a path.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

from anyio import to_thread

from cqia.reviewing import people
from cqia.reviewing.people import Person
from cqia.web.desk import Desk

COOKIE = "cqia"
AGE = 30 * 24 * 3600.0
"""Seconds that a session lasts."""
BODY = 32_000_000
"""Bytes of a request's body."""
AT_ONCE = 3
"""Requests worked on side by side; the others wait in line.

More threads that all compute only get into one another's way: with forty of them the slowest answer
to twenty clients took 2.5 s instead of 0.8 s (benchmarks/searching.py).
"""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """Lets a request through, or answers it itself in one line."""

    def __init__(self, app: App, *, desk: Desk, hosts: frozenset[str]) -> None:
        self._app, self._desk, self._hosts = app, desk, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        to_thread.current_default_thread_limiter().total_tokens = AT_ONCE

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                mine = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                kept = [one for one in message["headers"] if one[0].decode() not in HEADERS]
                message["headers"] = [*kept, *mine]
            await send(message)

        headers = {name.decode("latin-1"): value.decode("latin-1")
                   for name, value in scope["headers"]}  # fmt: skip
        person, cookie = self._who(headers.get("cookie", ""))
        state = scope.setdefault("state", {})
        state |= {"person": person, "csrf": self._mark(cookie), "form": {}, "desk": self._desk}
        refused = self._refused(scope, headers, person)
        if not refused and scope["method"] not in ("GET", "HEAD"):
            body, refused = await _body(receive, headers)
            form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True,
                                  max_num_fields=200)) if not refused else {}  # fmt: skip
            state["form"] = form
            if not refused and not hmac.compare_digest(
                form.pop("csrf", "").encode(), state["csrf"].encode()
            ):
                refused = (403, "this form is not from this session: load the page again")
        if refused:
            await _answer(with_headers, *refused)
            return
        await self._app(scope, receive, with_headers)

    def _who(self, cookies: str) -> tuple[Person | None, str]:
        try:
            jar = SimpleCookie(cookies)
        except CookieError:
            return None, ""
        cookie = jar[COOKIE].value if COOKIE in jar else ""
        person = people.session(self._desk.book, cookie, age=AGE) if cookie else None
        return person, cookie if person else ""

    def _mark(self, cookie: str) -> str:
        return people.signature(self._desk.book, "form", cookie)

    def _refused(
        self, scope: Scope, headers: dict[str, str], person: Person | None
    ) -> tuple[int, str] | None:
        host = headers.get("host", "").rpartition(":")
        name = host[0] if host[1] and host[2].isdigit() else headers.get("host", "")
        if name.lower() not in self._hosts:
            return 400, "this server does not go by that name"
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return 405, "only GET and POST"
        origin = headers.get("origin")
        if scope["method"] == "POST" and origin and origin.partition("//")[2] != headers["host"]:
            return 403, "a form from another site"
        address = (scope.get("client") or ("", 0))[0]
        who = f"person {person.id}" if person else f"address {address}"
        if not self._desk.asking.allows(who):
            return 429, "too many requests: wait a moment"
        if scope["path"] == "/enter" and not self._desk.knocking.allows(str(address)):
            return 429, "too many invitations tried: wait a minute"
        return None


async def _body(receive: Receive, headers: dict[str, str]) -> tuple[bytes, tuple[int, str] | None]:
    """A form's body, or why it is not taken."""
    kind = headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        return b"", (415, "a form is application/x-www-form-urlencoded")
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"", (400, "the request broke off")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY:
            return b"", (413, f"a form has at most {BODY:,} bytes")
        if not message.get("more_body"):
            return b"".join(parts), None


async def _answer(send: Send, status: int, said: str) -> None:
    head = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": f"{said}\n".encode()})
