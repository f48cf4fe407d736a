"""Gold items, chosen on the screen or from a file, and what a round makes of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from cqia.errors import UserError
from cqia.reviewing import gold, queue
from cqia.reviewing.book import PLACE, Book
from tests.reviewing.made import folder, person, read_all
from tests.web.made import application, visitor


def test_a_record_is_marked_on_its_page_and_a_round_draws_it(tmp_path: Path) -> None:
    work = folder(tmp_path)
    owner = visitor(application(work))
    owner.get("/record", id="one-k1")
    for id_, action in (("one-k1", "approve"), ("one-k2", "fix"), ("one-k3", "reject")):
        assert owner.post("/gold", id=id_, action=action, reason="看过").status_code == 303
    assert "金标: 通过" in owner.get("/record", id="one-k1")
    assert (
        owner.post("/gold", id="one-k2", action="undo", back="gold").headers["location"] == "/gold"
    )
    text = owner.get("/gold")
    assert ("one-k1" in text, "one-k2" in text, "one-k3" in text) == (True, False, True)
    assert "已标 2 条" in owner.get("/rounds/new")
    said = {"name": "一轮", "count": "5", "overlap": "0", "source": "two", "rule": "kept"}
    assert owner.post("/rounds/new", golden=3, **said).status_code == 400
    assert owner.post("/rounds/new", golden=2, **said).status_code == 303
    book = Book(work)
    items = book.rows("select record, gold, raters from item order by place")
    assert len(items) == 7
    known = {row["record"]: row["gold"] for row in items if row["gold"]}
    assert known == {"one-k1": "approve", "one-k3": "reject"}
    assert [bool(row["gold"]) for row in items].index(True) > 0, "they stand among the others"
    for name, wrong in (("小王", {}), ("小李", {"one-k1": "reject", "one-k3": "reject"})):
        read_all(book, 1, person(book, name), {"one-k3": "reject"} | wrong)
    told = {row["name"]: (row["right"], row["items"]) for row in queue.gold_of(book, 1)}
    assert told == {"小王": (2, 2), "小李": (1, 2)}
    assert "小李" in owner.get("/round", round=1)


@pytest.mark.parametrize(
    "text",
    [
        "one-k1 approve\none-k2 否决\n",
        "\ufeffid,action\n'one-k1,通过\none-k2,reject\n",
        "source, id, verdict\none,one-k1,pass\none,one-k2,不合格\n",
        '[{"id": "one-k1", "action": "approve"}, {"id": "one-k2", "verdict": "fail"}]',
        '{"id": "one-k1", "action": "approve"}\n{"id": "one-k2", "action": "reject"}\n',
    ],
)
def test_a_file_is_brought_in(tmp_path: Path, text: str) -> None:
    work = folder(tmp_path)
    owner = visitor(application(work))
    owner.get("/gold")
    answer = owner.post("/gold", text=text)
    assert "导入了 2 条金标" in answer.text
    found = {row["record"]: row["action"] for row in gold.marked(Book(work))}
    assert found == {"one-k1": "approve", "one-k2": "reject"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("one-k1 approve\nnobody reject", "no record"),
        ("one-k1 maybe", "no verdict"),
        ("one-k1", "no verdict"),
        ("id,other\none-k1,x", "columns id and action"),
        ('[{"id": 3, "action": "fix"}]', "no id"),
        ("[1, 2]", "no id"),
        ("{", "no JSON"),
    ],
)
def test_a_file_with_a_fault_marks_nothing(tmp_path: Path, text: str, says: str) -> None:
    book = Book(tmp_path)
    with pytest.raises(UserError, match=says):
        gold.bring(book, text, 1, lambda id_: {"source": "one"} if id_ == "one-k1" else None)
    assert gold.marked(book) == []


def test_a_book_of_the_first_version_gets_what_it_lacks(tmp_path: Path) -> None:
    book = Book(tmp_path)
    who = person(book, "小王")
    book.close()
    db = sqlite3.connect(tmp_path / PLACE)
    db.executescript("drop table gold; pragma user_version = 1")
    db.close()
    again = Book(tmp_path)
    gold.mark(again, record="a", source="one", person=who.id, action="fix")
    assert [row["name"] for row in gold.marked(again)] == ["小王"]
