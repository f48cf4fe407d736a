"""The application over a small folder, and a browser's half of a session."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from cqia.reviewing import people
from cqia.reviewing.book import Book
from cqia.web.app import create
from cqia.web.desk import Rate


@dataclass
class Visitor:
    """Somebody with a session."""

    client: TestClient
    csrf: str = ""

    def get(self, path: str, **params: object) -> str:
        answer = self.client.get(path, params={k: str(v) for k, v in params.items()} or None)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        if found := re.search(r'name="csrf" value="(\w+)"', answer.text):
            self.csrf = found[1]
        return str(answer.text)

    def post(self, path: str, **form: object) -> Response:
        data = {"csrf": self.csrf, **{k: str(v) for k, v in form.items()}}
        return self.client.post(path, data=data, follow_redirects=False)


def application(work: Path) -> FastAPI:
    return create(work)


def visitor(app: FastAPI, name: str = "主", role: str = "owner") -> Visitor:
    """A session of somebody new; the tests all come from one address, so it may knock again."""
    client = TestClient(app, base_url="http://127.0.0.1")
    app.state.desk.knocking = Rate(10, 1 / 6)
    book = app.state.desk.book
    assert isinstance(book, Book)
    answer = client.get("/enter", params={"token": people.invite(book, name, role)})
    assert answer.status_code == 200
    found = Visitor(client)
    found.get("/")
    return found
