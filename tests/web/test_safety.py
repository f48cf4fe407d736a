from __future__ import annotations

import html.parser
import re
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from cqia.reviewing import people
from cqia.web.desk import Rate
from cqia.web.guard import HEADERS
from tests.reviewing.made import folder
from tests.web import hostile
from tests.web.made import Visitor, application, visitor
from tests.workbench import Row, cure, rows

PAGES = (
    "/",
    "/records",
    "/whatif",
    "/review",
    "/compare",
    "/pairs",
    "/exchange",
    "/people",
    "/rounds/new",
    "/gold",
)
OWNERS = ("/exchange", "/people", "/rounds/new", "/gold")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return application(folder(tmp_path_factory.mktemp("web")))


@pytest.fixture(scope="module")
def owner(app: FastAPI) -> Visitor:
    return visitor(app)


@pytest.mark.parametrize("path", [*PAGES, "/record?id=one-k1", "/round?round=1", "/export?round=1"])
def test_nobody_without_an_invitation_sees_anything(app: FastAPI, path: str) -> None:
    answer = TestClient(app, base_url="http://127.0.0.1").get(path)
    assert answer.status_code == 401
    assert "答案" not in answer.text


@pytest.mark.parametrize("role", ["viewer", "reviewer"])
def test_a_role_sees_and_does_only_what_it_may(app: FastAPI, role: str) -> None:
    who = visitor(app, role, role)
    for path in PAGES:
        assert who.client.get(path).status_code == (403 if path in OWNERS else 200), path
    for path in ("/people", "/rounds/new", "/import", "/record", "/gold"):
        assert (
            who.post(
                path, name="x", role="owner", id="one-k1", action="drop", reason="x"
            ).status_code
            == 403
        )
    expected = 403 if role == "viewer" else 303
    assert who.post("/pairs", kind="x", verdict="same").status_code == (
        403 if role == "viewer" else 400
    )
    assert who.client.get("/review/work", params={"round": 1}).status_code == (
        403 if role == "viewer" else 200
    )
    assert who.post("/compare/vote", round=1, side="undo").status_code == expected
    assert app.state.desk.book.number("select count(*) from decision") == 0


@pytest.mark.parametrize(
    "path",
    [
        "/record",
        "/people",
        "/rounds/new",
        "/review/work",
        "/compare/vote",
        "/pairs",
        "/import",
        "/gold",
        "/settings",
        "/leave",
    ],
)
def test_a_form_without_the_sessions_mark_is_refused(
    app: FastAPI, owner: Visitor, path: str
) -> None:
    other = visitor(app, "另一个", "reviewer")
    for csrf in ("", "x", other.csrf, owner.csrf[:-1], "漢"):
        answer = owner.client.post(path, data={"csrf": csrf, "lang": "en"}, follow_redirects=False)
        assert answer.status_code == 403


def test_a_form_from_another_site_is_refused(owner: Visitor) -> None:
    data = {"csrf": owner.csrf, "lang": "en"}
    for origin, status in (("http://evil.example", 403), ("null", 403), ("http://127.0.0.1", 303)):
        answer = owner.client.post(
            "/settings", data=data, headers={"origin": origin}, follow_redirects=False
        )
        assert answer.status_code == status, origin


def test_other_kinds_of_body_and_method_are_refused(owner: Visitor) -> None:
    assert owner.client.post("/settings", json={"csrf": owner.csrf}).status_code == 415
    assert owner.client.post("/settings", files={"csrf": b"x"}).status_code == 415
    assert owner.client.put("/settings").status_code == 405
    assert owner.client.request("DELETE", "/people").status_code == 405


def test_a_name_that_is_not_ours_is_refused(app: FastAPI) -> None:
    for host in ("evil.example", "evil.example:8765", "", "127.0.0.1.evil.example"):
        client = TestClient(app, base_url="http://127.0.0.1")
        assert client.get("/", headers={"host": host}).status_code == 400
    assert TestClient(app, base_url="http://localhost:8765").get("/").status_code == 401


@pytest.mark.parametrize("path", [*PAGES, "/nowhere", "/static/app.js", "/enter?token=x"])
def test_every_answer_tells_the_browser_what_it_may_do(owner: Visitor, path: str) -> None:
    answer = owner.client.get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_page_has_inline_script_or_style(owner: Visitor, path: str, lang: str) -> None:
    owner.client.cookies.set("lang", lang)
    text = owner.get(path)
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert not re.search(r"<style|\sstyle=|\son\w+=", text)


def test_the_sessions_cookie_is_kept_from_scripts(app: FastAPI) -> None:
    client = TestClient(app, base_url="http://127.0.0.1")
    app.state.desk.knocking = Rate(10, 1)
    token = people.invite(app.state.desk.book, "饼", "viewer")
    said = client.get("/enter", params={"token": token}, follow_redirects=False).headers[
        "set-cookie"
    ]
    assert "HttpOnly" in said
    assert "SameSite=lax" in said
    assert token not in said


def test_a_revoked_person_is_out_at_once(app: FastAPI, owner: Visitor) -> None:
    who = visitor(app, "走的人", "reviewer")
    number = people.named(app.state.desk.book, "走的人").id
    assert owner.post("/people", revoke=number).status_code == 303
    assert who.client.get("/records").status_code == 401


def test_no_path_of_a_request_reaches_the_disk(app: FastAPI, owner: Visitor) -> None:
    secret = app.state.desk.work / "secret.txt"
    secret.write_text("geheim")
    for bad in (
        "../secret.txt",
        str(secret),
        "..%2fsecret.txt",
        "....//secret.txt",
        "\x00",
        "a" * 5_000,
    ):
        for path in (f"/static/{quote(bad, safe='/%')}", f"/record?id={quote(bad)}", f"/pairs?kind={quote(bad)}",
                     f"/export?round=1&format={quote(bad)}", f"/whatif?filter={quote(bad)}",
                     f"/records?measure={quote(bad)}&least=1"):  # fmt: skip
            answer = owner.client.get(path)
            assert answer.status_code in (200, 400, 404), path
            assert "geheim" not in answer.text


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_settings_lead_nowhere_else(owner: Visitor, back: str) -> None:
    assert owner.post("/settings", lang="zh", back=back).headers["location"] == "/"


@pytest.mark.parametrize(
    "query",
    [
        "low=x",
        "low=nan",
        "low=inf",
        "after=x",
        "after=-9",
        "after=99999999999",
        "least=1e999",
        "rule=passed:x",
        "text=" + "长" * 200,
        "text=%00",
        "text=%ff",
        "source=%00",
    ],
)
def test_odd_parameters_are_a_users_mistake(owner: Visitor, query: str) -> None:
    assert owner.client.get(f"/records?{query}").status_code in (200, 400)


def test_too_many_requests_have_to_wait() -> None:
    rate = Rate(3, 1)
    assert [rate.allows("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert rate.allows("b", 0.0)
    assert rate.allows("a", 1.0)
    assert not rate.allows("a", 1.0)


def test_invitations_cannot_be_guessed_quickly(tmp_path: Path) -> None:
    client = TestClient(application(folder(tmp_path)), base_url="http://127.0.0.1")
    codes = [client.get("/enter", params={"token": f"x{n}"}).status_code for n in range(12)]
    assert codes == [403] * 10 + [429] * 2


class Parsed(html.parser.HTMLParser):
    """The elements and attributes that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        for name, value in attrs:
            self.attributes.add((name, value or ""))


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    work = tmp_path_factory.mktemp("bad") / "work"
    texts = hostile.TEXTS
    more: Row = {name: (lambda n: texts[n]) for name in ("instruction", "output")}
    more |= {
        "key": lambda n: texts[n][:200].replace("\x00", "") + str(n),
        "task_minor": lambda n: [texts[n][:200]],
    }
    cure(work, "one", rows(len(texts), more))
    owner = visitor(application(work))
    owner.post("/rounds/new", name=hostile.TAGS[0], count=100, rule="")
    return owner


def test_fifty_hostile_records_are_only_text(bad: Visitor) -> None:
    desk = bad.client.app.state.desk  # type: ignore[attr-defined]
    facts = desk.search.facts
    assert len(facts) == len(hostile.TEXTS) >= 50
    allowed = Parsed()
    for path in ("/records", "/whatif", "/review", "/rounds/new"):
        allowed.feed(bad.get(path))
    usual = {"script", "style", "iframe", "object", "embed", "base", "img", "video", "math", "body"}
    for id_ in facts["id"]:
        begin = time.monotonic()
        text = bad.get("/record", id=id_)
        assert len(text) < 1_000_000
        assert time.monotonic() - begin < 20
        _only_text(text, usual)
    for number in range(len(facts)):
        text = bad.get("/review/work", round=1)
        _only_text(text, usual)
        found = re.search(r'name="record" value="([^"]*)"', text)
        assert found, number
        record = html.unescape(found[1])
        reason = hostile.TEXTS[number][:100]
        answer = bad.post(
            "/review/work",
            round=1,
            record=record,
            action="reject",
            reason=reason + "。",
            note=reason,
        )
        assert answer.status_code == 303, answer.text
    for id_, reason in zip(facts["id"], hostile.TEXTS, strict=True):
        assert bad.post("/gold", id=id_, action="fix", reason=reason[:400]).status_code == 303
    for path in ("/", "/records", "/round?round=1", "/review", "/exchange", "/rounds/new", "/gold"):
        _only_text(bad.get(path), usual)


def _only_text(text: str, usual: set[str]) -> None:
    parsed = Parsed()
    parsed.feed(text)
    assert parsed.found & (usual - {"script", "body"}) == set()
    assert text.count("<script") == 1
    assert text.count("<body") == 1
    for name, value in parsed.attributes:
        assert not name.startswith("on"), (name, value)
        assert not value.lower().startswith(("javascript:", "https:")) or name in (
            "value",
            "data-reason",
        ), (name, value)
    written = re.sub(r"<textarea.*?</textarea>", "", text, flags=re.DOTALL)
    shown = re.sub(r"<[^>]*>", "", written)
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\ufeff]", shown
    )


def test_hidden_characters_are_shown_by_their_number(bad: Visitor) -> None:
    text = bad.get("/records", text="反过来")
    assert '<span class="hidden">U+202E</span>反过来<span class="hidden">U+202C</span>' in text


def test_hostile_records_go_out_as_they_are_and_harm_nobody(bad: Visitor) -> None:
    answer = bad.client.get("/export", params={"round": 1, "format": "offline", "name": "离线"})
    assert answer.headers["content-disposition"].startswith("attachment")
    text = answer.text
    assert len(re.findall("<script[ >]", text)) == 3
    assert "<script>document" not in text
    for format_ in ("label-studio", "argilla"):
        told = bad.client.get("/export", params={"round": 1, "format": format_})
        assert told.headers["content-type"] == "application/json"
        assert len(told.json()) == len(hostile.TEXTS)
