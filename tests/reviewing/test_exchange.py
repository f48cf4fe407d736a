from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cqia.errors import UserError
from cqia.reviewing import exchange, outcomes, people, queue
from cqia.reviewing.book import Book
from cqia.reviewing.search import opened
from tests.reviewing.made import folder, person

IDS = [(f"one-k{n}", "one") for n in range(4)]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    found = Book(folder(tmp_path))
    queue.start(found, "一轮", IDS, overlap=1.0)
    who = person(found, "甲")
    for n, (action, reason, texts) in enumerate(
        [("approve", "", None), ("reject", "不好", None), ("fix", "", {"output": "改"})]
    ):
        assert queue.take(found, 1, who.id)
        queue.decide(
            found,
            round_=1,
            record=f"one-k{n}",
            person=who.id,
            action=action,
            reason=reason,
            texts=texts,
            seconds=2.5,
        )
    return found


@pytest.mark.parametrize("format_", exchange.FORMATS)
def test_what_goes_out_comes_back_the_same(book: Book, tmp_path: Path, format_: str) -> None:
    find = opened(book.work).record
    body = exchange.write(book, 1, format_, find)
    assert exchange.read(book, body) == 0
    other = Book(tmp_path / "other")
    queue.start(other, "一轮", IDS, overlap=1.0)
    assert exchange.read(other, body) == 3
    query = "select record, action, reason, output, seconds from decision order by record"
    theirs = other.rows(query)
    mine = book.rows(query)
    if format_ == "argilla":
        mine = [{**row, "seconds": None} for row in mine]
    assert theirs == mine


def test_label_studio_finds_its_texts_under_data(book: Book) -> None:
    told = json.loads(exchange.write(book, 1, "label-studio", opened(book.work).record))
    assert [one["data"]["id"] for one in told] == [id_ for id_, _ in IDS]
    assert told[1]["annotations"][0]["result"][0]["value"] == {"choices": ["reject"]}


def offline(book: Book, decisions: list[dict[str, Any]], **more: object) -> bytes:
    told = json.loads(exchange.offline(book, 1, "乙", opened(book.work).record))
    assert "said" not in json.dumps(told)
    facts = {name: told[name] for name in ("round", "person", "signature")}
    return json.dumps({**facts, "decisions": decisions, **more}).encode()


def test_an_offline_result_comes_back_in_and_only_once(book: Book) -> None:
    body = offline(
        book,
        [
            {"record": "one-k0", "action": "approve", "seconds": 3},
            {"record": "one-k1", "action": "reject", "reason": "差"},
        ],
    )
    assert exchange.read(book, body) == 2
    assert exchange.read(book, body) == 0
    assert {row["name"] for row in outcomes.said_of(book, "one-k1")} == {"甲", "乙"}
    assert outcomes.export(book)["id"].to_list() == ["one-k0", "one-k1"]


def test_an_offline_result_in_anothers_name_is_refused(book: Book) -> None:
    other = people.named(book, "甲")
    body = offline(book, [{"record": "one-k0", "action": "reject", "reason": "x"}], person=other.id)
    with pytest.raises(UserError, match="not made from this book"):
        exchange.read(book, body)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"3", b"null", b"{}", b"[1]", b'"x"', b"[[]]",
        b'[{"data": {"id": "one-k0", "round": 1}, "annotations": [{"completed_by": "x", "result": []}]}]',
        b'[{"data": {"id": "nobody", "round": 1}, "annotations": [{"completed_by": "x"}]}]',
        b'[{"data": {"id": "one-k0", "round": "1; drop table decision"}, "annotations": [{"completed_by": "x"}]}]',
        b'[{"data": {"id": ["one-k0"], "round": 1}, "annotations": [{"completed_by": "x"}]}]',
        b'[{"data": 3, "annotations": [{"completed_by": "x"}]}]',
        b'[{"data": {"id": "one-k0", "round": 1}, "annotations": [{"completed_by": "", "result": 3}]}]',
        b'[{"id": "one-k0", "metadata": {"round": 1}, "responses": [{"user": "x", "values": 3}]}]',
        b'[{"id": "one-k0", "metadata": {"round": 1}, "responses": 7}]',
        b'[{"id": "one-k0", "metadata": {"round": true}, "responses": [{"user": "x", "values": {"action": {"value": "approve"}}}]}]',
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_whole(book: Book, body: bytes) -> None:
    before = book.number("select count(*) from decision")
    with pytest.raises(UserError):
        exchange.read(book, body)
    assert book.number("select count(*) from decision") == before
