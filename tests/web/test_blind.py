"""Who has not decided yet is not shown what others said, of records and of pairs."""

from __future__ import annotations

from pathlib import Path

from cqia.reviewing import outcomes, people, queue
from cqia.reviewing.book import Book
from tests.test_pairs import build, item
from tests.web.made import application, visitor


def test_a_reviewer_does_not_see_what_others_said(tmp_path: Path) -> None:
    work = build(tmp_path / "work", drop=False)
    book = Book(work)
    first = people.named(book, "抢先的人")
    queue.start(book, "一轮", [("one-k1", "one")], overlap=0)
    assert queue.take(book, 1, first.id)
    queue.decide(book, round_=1, record="one-k1", person=first.id, action="reject", reason="差极了")
    outcomes.export(book)
    app = application(work)
    other, owner = visitor(app, "后来的人", "reviewer"), visitor(app)
    for who, sees in ((other, False), (owner, True)):
        text = who.get("/record", id="one-k1")
        assert ("抢先的人" in text, "差极了" in text) == (sees, sees)
    said = {"kind": "bio", "a": "one-k2", "b": item(work)}
    early = visitor(app, "小王", "reviewer")
    early.get("/pairs", kind="bio")
    assert early.post("/pairs", verdict="same", **said).status_code == 303
    for who, sees in ((early, True), (other, False), (owner, True)):
        assert ("ConfirmedContamination" in who.get("/pairs", kind="bio")) == sees
    assert "小王" not in other.get("/pairs", kind="bio")
    assert other.post("/pairs", verdict="different", **said).status_code == 303
    assert "ConfirmedContamination" not in owner.get("/pairs", kind="bio"), "they differ"


def test_a_pair_made_up_is_refused(tmp_path: Path) -> None:
    work = build(tmp_path / "work", drop=False)
    who = visitor(application(work), "小王", "reviewer")
    who.get("/pairs")
    for kind, a, b in (
        ("bio", "one-k3", item(work)),
        ("near", "one-k1", "one-k2"),
        ("x", "a", "b"),
    ):
        assert who.post("/pairs", kind=kind, a=a, b=b, verdict="same").status_code == 400
    assert Book(work).number("select count(*) from checked") == 0
