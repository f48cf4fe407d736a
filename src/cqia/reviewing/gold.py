"""Gold: records whose right verdict is known, by which a round tells how well people read.

They are marked on a record's own page, or come from a file; a round draws some of them. Like
everything in the book a mark is a row, taking it back is one too, and the newest counts.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from cqia.errors import UserError, unknown
from cqia.reviewing.book import Book, Row, now

ACTIONS = ("approve", "fix", "reject")
SAYS = {
    **dict.fromkeys(("approve", "通过", "合格", "pass"), "approve"),
    **dict.fromkeys(("fix", "修改"), "fix"),
    **dict.fromkeys(("reject", "否决", "不合格", "fail"), "reject"),
}
"""What a file may say, and what it means."""


def mark(
    book: Book, *, record: str, source: str, person: int, action: str, reason: str = ""
) -> None:
    """Write down what is right for a record; an empty action takes the mark away.

    Raises:
        UserError: an unknown action.
    """
    if action and action not in ACTIONS:
        raise unknown("gold action", action, ACTIONS)
    with book.writing() as db:
        db.execute(
            "insert into gold (at, person, record, source, action, reason)"
            " values (?, ?, ?, ?, ?, ?)",
            (now(), person, record, source, action, reason.strip()),
        )


def marked(book: Book) -> list[Row]:
    """The gold items there are, in the order in which they were marked."""
    return book.rows(
        "select gold.*, name from gold join person on person.id = person where seq in"
        " (select max(seq) from gold group by record) and action != '' order by seq"
    )


def of(book: Book, record: str) -> Row | None:
    """A record's mark."""
    return next((row for row in marked(book) if row["record"] == record), None)


def drawn(book: Book, count: int, *, seed: int) -> dict[str, str]:
    """So many of the gold items by lot, and what is right for each.

    Raises:
        UserError: more than there are.
    """
    found = {row["record"]: row["action"] for row in marked(book)}
    if count > len(found):
        raise UserError(
            f"{len(found)} gold items are marked, {count} are wanted",
            mend="mark more on records' pages, or bring in a file",
        )
    return {one: found[one] for one in random.Random(seed).sample(sorted(found), max(count, 0))}


def bring(book: Book, text: str, person: int, find: Callable[[str], Row | None]) -> int:
    """Mark what a file names, all or nothing, and return how many there were.

    Raises:
        UserError: a record that is not there, or a verdict that is none.
    """
    told = [(id_, action, find(id_)) for id_, action in read(text).items()]
    for id_, _, record in told:
        if record is None:
            raise UserError(f"no record has the id {id_!r}", where="gold")
    for id_, action, record in told:
        assert record is not None
        mark(book, record=id_, source=record["source"], person=person, action=action)
    return len(told)


def read(text: str) -> dict[str, str]:
    """Id -> right action, from JSON, CSV with a head, or lines of an id and a verdict.

    Raises:
        UserError: it is none of these, or a verdict that is none.
    """
    text = text.lstrip("\ufeff").strip()
    if text[:1] in ("[", "{"):
        rows = _json(text)
    elif "id" in (head := [one.strip() for one in text.partition("\n")[0].split(",")]):
        if not {"action", "verdict"} & set(head):
            raise UserError("a table of gold items has columns id and action")
        rows = [dict(row) for row in csv.DictReader(io.StringIO(text), skipinitialspace=True)]
    else:
        lines = (line.strip().rpartition(" ") for line in text.splitlines() if line.strip())
        rows = [{"id": id_.strip(), "action": action} for id_, _, action in lines]
    return dict(_item(row, number) for number, row in enumerate(rows, start=1))


def _json(text: str) -> list[Any]:
    try:
        found = orjson.loads(text) if text[0] == "[" else None
        return found or [orjson.loads(line) for line in text.splitlines() if line.strip()]
    except orjson.JSONDecodeError as fault:
        raise UserError(f"this is no JSON ({fault})", where="gold") from None


def _item(row: object, number: int) -> tuple[str, str]:
    table = row if isinstance(row, Mapping) else {}
    id_, said = table.get("id"), table.get("action") or table.get("verdict")
    action = SAYS.get(str(said).strip().lower())
    if not isinstance(id_, str) or not id_ or action is None:
        raise UserError(
            f"item {number} has no id, or no verdict: {str(said)[:40]!r}",
            where="gold",
            mend="say approve, fix or reject",
        )
    return id_.removeprefix("'"), action
