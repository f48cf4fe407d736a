"""Rounds for other programs and for raters without a server, and their results back.

Label Studio: a list of tasks with `data` and, where decided, `annotations`. Argilla: records with
`fields`, `metadata`, `responses`. Offline: one HTML file that holds the round; the file it saves
comes back in. What comes in is checked like any request: strangers wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson

from cqia.errors import UserError
from cqia.record import TEXT
from cqia.reviewing import people, queue
from cqia.reviewing.book import Book, Row, now

FORMATS = ("label-studio", "argilla")
LONGEST = 200_000
"""Characters of a text that comes in."""

Finding = Callable[[str], Row | None]
"""From an id to its record."""


def items(book: Book, round_: int, find: Finding) -> list[Row]:
    """A round's items in order, with texts and with everybody's decisions.

    Raises:
        UserError: there is no such round.
    """
    if not book.one("select 1 from round where id = ? and kind = 'review'", round_):
        raise UserError(f"there is no round {round_}")
    said: dict[str, list[Row]] = {}
    for row in book.rows(f"select * from ({queue.LATEST}) where round = ?", "review", round_):
        said.setdefault(row["record"], []).append(row)
    found = []
    for item in book.rows("select * from item where round = ? order by place", round_):
        record = find(item["record"]) or {}
        texts = {name: str(record.get(name) or "") for name in TEXT}
        found.append({**item, **texts, "said": said.get(item["record"], [])})
    return found


def write(book: Book, round_: int, format_: str, find: Finding) -> bytes:
    """A round in another program's JSON."""
    one = _task if format_ == "label-studio" else _record
    found = [one(item, round_) for item in items(book, round_, find)]
    return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _task(item: Row, round_: int) -> Row:
    return {
        "data": {"id": item["record"], "source": item["source"], "round": round_}
        | {name: item[name] for name in TEXT},
        "annotations": [
            {
                "completed_by": row["name"],
                "lead_time": row["seconds"],
                "result": [
                    {"from_name": "action", "to_name": "output", "type": "choices",
                     "value": {"choices": [row["action"]]}},
                    *({"from_name": name, "to_name": "output", "type": "textarea",
                       "value": {"text": [row[name]]}}
                      for name in ("reason", "note", *TEXT) if row[name]),
                ],
            }
            for row in item["said"]
        ],
    }  # fmt: skip


def _record(item: Row, round_: int) -> Row:
    return {
        "id": item["record"],
        "fields": {name: item[name] for name in TEXT},
        "metadata": {"source": item["source"], "round": round_},
        "responses": [
            {
                "user": row["name"],
                "status": "submitted",
                "values": {
                    name: {"value": row[name]}
                    for name in ("action", "reason", "note", *TEXT)
                    if row[name]
                },
            }
            for row in item["said"]
        ],
    }


def offline(book: Book, round_: int, name: str, find: Finding) -> str:
    """The JSON that an offline file for one rater holds; others' decisions are not in it."""
    person = people.named(book, name)
    facts = {"round": round_, "person": person.id}
    told = {
        **facts,
        "name": person.name,
        "signature": people.signature(book, "offline", json.dumps(facts)),
        "items": [
            {"record": item["record"], "source": item["source"]}
            | {name: item[name] for name in TEXT}
            for item in items(book, round_, find)
        ],
    }
    return json.dumps(told, ensure_ascii=False)


def read(book: Book, body: bytes) -> int:
    """Take in a results file of any of the three kinds, and return the number of decisions taken.

    All of it is looked through before any of it is written. What the same person decided in the
    same words before is not written again.

    Raises:
        UserError: the file can't be read, was not made here, or says what can't be.
    """
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise UserError(f"this is no JSON ({fault})", mend="export it anew") from None
    if isinstance(found, dict) and "signature" in found:
        rows = _of_offline(book, found)
    elif isinstance(found, list):
        rows = [row for one in found for row in (_of_task(_table(one)) or _of_record(_table(one)))]
    else:
        raise UserError("this is neither a list of tasks nor an offline result")
    good = [_checked(book, row, number) for number, row in enumerate(rows, start=1)]
    return sum(_take(book, one) for one in good)


def _table(value: object) -> Row:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UserError("this is no list of tasks: where an object should be is something else")
    return value


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise UserError("this is no list of tasks: where a list should be is something else")
    return value


def _of_offline(book: Book, found: Row) -> list[Row]:
    facts = {"round": found.get("round"), "person": found.get("person")}
    good = people.signature(book, "offline", json.dumps(facts))
    known = found.get("signature") == good and _number(facts["person"])
    person = book.one("select name from person where id = ?", facts["person"]) if known else None
    if person is None:
        raise UserError("this file was not made from this book", mend="export it anew")
    return [{**_table(one), "round": facts["round"], "name": person["name"]}
            for one in _list(found.get("decisions"))]  # fmt: skip


def _of_task(one: Row) -> list[Row]:
    rows = []
    for said in map(_table, _list(one.get("annotations"))):
        data = _table(one.get("data"))
        row = {"record": data.get("id"), "round": data.get("round")}
        row |= {"name": said.get("completed_by"), "seconds": said.get("lead_time")}
        for part in map(_table, _list(said.get("result"))):
            value = _table(part.get("value"))
            told = _list(value.get("choices")) or _list(value.get("text"))
            if (name := part.get("from_name")) in FIELDS and told:
                row[name] = told[0]
        rows.append(row)
    return rows


def _of_record(one: Row) -> list[Row]:
    rows = []
    for said in map(_table, _list(one.get("responses"))):
        values = {name: _table(value).get("value") for name, value in
                  _table(said.get("values")).items() if name in FIELDS}  # fmt: skip
        row = {"record": one.get("id"), "round": _table(one.get("metadata")).get("round")}
        rows.append({**row, "name": said.get("user"), **values})
    return rows


def _number(value: object) -> bool:
    """Whether it can be the number of a round or a person."""
    return type(value) is int and 0 < value < 1 << 31


FIELDS = ("action", "reason", "note", *TEXT)


def _checked(book: Book, row: Row, number: int) -> Row:
    """A decision from outside that can be written down.

    Raises:
        UserError: it can't.
    """
    told: Row = {}
    for name in ("record", "name", *FIELDS):
        value = row.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > LONGEST):
            raise UserError(f"decision {number}: {name!r} is no text")
        told[name] = value or ""
    round_, seconds = row.get("round"), row.get("seconds")
    known = _number(round_) and book.one(
        "select 1 from item where round = ? and record = ?", round_, told["record"]
    )
    if not known or not told["name"]:
        raise UserError(f"decision {number}: no such round, record or rater")
    texts = {name: told[name] for name in TEXT if row.get(name) is not None}
    queue.check(told["action"], told["reason"], told["note"], texts)
    spent = float(seconds) if isinstance(seconds, int | float) and seconds >= 0 else None
    return {**told, "round": round_, "texts": texts, "seconds": spent}


def _take(book: Book, row: Row) -> bool:
    """Write one decision from outside down; False where it stands there already."""
    person = people.named(book, row["name"])
    place = (row["round"], row["record"], person.id)
    last = book.one(
        f"select * from ({queue.LATEST}) where round = ? and record = ? and person = ?",
        "review",
        *place,
    )
    if last and all((last[name] or "") == row[name].strip() for name in FIELDS[:3]):
        return False
    with book.writing() as db:
        db.execute("insert or ignore into claim values (?, ?, ?, ?)", (*place, now()))
    queue.decide(
        book,
        round_=row["round"],
        record=row["record"],
        person=person.id,
        action=row["action"],
        reason=row["reason"],
        note=row["note"],
        texts=row["texts"],
        seconds=row["seconds"],
    )
    return True
