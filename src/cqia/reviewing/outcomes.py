"""What people's decisions come to: one verdict a record, and the two files that others read.

A ruling (an owner's decision by hand, or between reviewers who differ) stands above all. Without
one, a record that has been read as often as its round wants and of which all said the same is
decided; where they differ, it waits for a ruling.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import polars as pl

from cqia import decisions, store
from cqia.errors import UserError, unknown
from cqia.record import TEXT
from cqia.reviewing import queue
from cqia.reviewing.book import Book, Row, now
from cqia.reviewing.queue import EVERYBODY, LATEST

RULINGS = ("keep", "restore", "drop", "fix", "undo")
NOTES = "notes.parquet"
_WRITING = threading.Lock()


def rule(
    book: Book,
    *,
    record: str,
    source: str,
    person: int,
    action: str,
    reason: str,
    texts: Mapping[str, str] | None = None,
) -> int:
    """Write an owner's ruling down and return its number; `undo` takes the last one back.

    Raises:
        UserError: an unknown ruling, one without a reason, or a fix that changes nothing.
    """
    if action not in RULINGS:
        raise unknown("ruling", action, RULINGS)
    if action != "undo" and not reason.strip():
        raise UserError("a ruling needs a reason", mend="say why in a word")
    if action == "fix" and not texts:
        raise UserError("a fix changes a text")
    given = dict(texts or {}) if action == "fix" else {}
    with book.writing() as db:
        made = db.execute(
            "insert into decision (at, kind, round, record, source, person, action, reason, note,"
            " instruction, input, output) values (?, 'ruling', 0, ?, ?, ?, ?, ?, '', ?, ?, ?)",
            (now(), record, source, person, action, reason.strip(),
             given.get("instruction"), given.get("input"), given.get("output")),
        )  # fmt: skip
        return int(made.lastrowid or 0)


def ruling_of(book: Book, record: str) -> Row | None:
    """The ruling on a record, whoever made it, unless it was taken back."""
    found = book.one(
        "select decision.*, name from decision join person on person.id = person"
        " where kind = 'ruling' and record = ? order by seq desc limit 1",
        record,
    )
    return found if found and found["action"] != "undo" else None


def said_of(book: Book, record: str) -> list[Row]:
    """Everything that was ever said of a record, in order: undone rows too."""
    return book.rows(
        "select decision.*, name from decision join person on person.id = person"
        " where record = ? order by seq",
        record,
    )


def settled(book: Book) -> tuple[pl.DataFrame, list[list[Row]]]:
    """The verdicts (`cqia.decisions.DECISIONS`), and the records on which reviewers differ."""
    rulings = {
        row["record"]: row
        for row in book.rows(
            "select decision.*, name from decision join person on person.id = person"
            " where seq in (select max(seq) from decision where kind = 'ruling' group by record)"
        )
        if row["action"] != "undo"
    }
    reviews: dict[str, list[Row]] = {}
    for row in book.rows(f"select * from ({LATEST}) order by seq", "review"):
        reviews.setdefault(row["record"], []).append(row)
    wanted = {
        row["record"]: row["raters"]
        for row in book.rows(
            "select record, max(raters) as raters from item where raters < ? group by record",
            EVERYBODY,
        )
    }
    found = [_row([one], one["action"]) for one in rulings.values()]
    disputed = []
    for record, rows in reviews.items():
        if record in rulings or record not in wanted:
            continue
        if _differ(rows):
            disputed.append(rows)
        elif len({row["person"] for row in rows}) >= wanted[record]:
            found.append(_row(rows, rows[-1]["action"]))
    frame = pl.DataFrame(found, schema=decisions.DECISIONS).sort("id")
    return frame, disputed


def _differ(rows: list[Row]) -> bool:
    return len({(row["action"], *(row[name] for name in TEXT)) for row in rows}) > 1


def _row(rows: list[Row], action: str) -> dict[str, Any]:
    """A record's verdict from decisions that agree."""
    last = rows[-1]
    verdict = {"reject": "drop", "drop": "drop", "restore": "restore"}.get(action, "keep")
    return {
        "id": last["record"],
        "source": last["source"],
        "verdict": verdict,
        "verified": verdict != "drop",
        "rule": decisions.RULE if verdict == "drop" else None,
        "reason": "；".join(dict.fromkeys(row["reason"] for row in rows if row["reason"])),
        "by": "、".join(sorted({row["name"] for row in rows})),
        "raters": len({row["person"] for row in rows}),
        **{f"new_{name}": last[name] if action == "fix" else None for name in TEXT},
    }


def judged(book: Book, about: str) -> dict[str, bool]:
    """Record -> whether it passed, of what was read in the rounds about something.

    It passes when all who read it approved of it as it is; a ruling stands above all.
    """
    rounds = [one["id"] for one in queue.rounds(book) if one["facts"].get("about") == about]
    found: dict[str, bool] = {}
    for number in rounds:
        for row in book.rows(f"select * from ({LATEST}) where round = ?", "review", number):
            found[row["record"]] = found.get(row["record"], True) and row["action"] == "approve"
    for record in found:
        if ruling := ruling_of(book, record):
            found[record] = ruling["action"] in ("keep", "restore")
    return found


def notes(book: Book) -> pl.DataFrame:
    """The newest note on each record: id and note."""
    found = book.rows(
        "select record as id, note from decision where note != '' and seq in"
        " (select max(seq) from decision where note != '' group by record) order by record"
    )
    return pl.DataFrame(found, schema={"id": pl.String, "note": pl.String})


def checks_of(book: Book, kind: str) -> dict[tuple[str, str], list[Row]]:
    """The newest word of each person on the pairs of a kind, undone ones left out."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in book.rows(
        "select checked.*, name, role from checked join person on person.id = person where seq in"
        " (select max(seq) from checked where kind = ? group by a, b, person) order by seq",
        kind,
    ):
        if row["verdict"] != "undo":
            found.setdefault((row["a"], row["b"]), []).append(row)
    return found


def checked(book: Book) -> pl.DataFrame:
    """What people settled of pairs, as `cqia.decisions.CHECKS`.

    An owner's newest word stands above all; else a pair is settled where all who looked say the
    same, and waits for an owner where they differ.
    """
    found = []
    for kind in (row["kind"] for row in book.rows("select distinct kind from checked")):
        for (a, b), rows in checks_of(book, kind).items():
            owned = [row for row in rows if row["role"] == "owner"][-1:]
            heard = owned or rows
            if len({row["verdict"] for row in heard}) == 1:
                by = "、".join(sorted({row["name"] for row in heard}))
                said = heard[0]["verdict"]
                found.append({"kind": kind, "a": a, "b": b, "verdict": said, "by": by})
    return pl.DataFrame(found, schema=decisions.CHECKS).sort("kind", "a", "b")


def export(book: Book) -> pl.DataFrame:
    """Write `decisions.parquet`, `checks.parquet` and `notes.parquet` anew from the book.

    All are made from all rows each time, so they never fall behind the book for longer than it
    takes to save the next decision, or to start the server.
    """
    with _WRITING:
        frame, _ = settled(book)
        store.write_frame(book.work / decisions.QUEUE, frame)
        pairs = checked(book)
        path = book.work / decisions.CHECKED
        if len(pairs) or path.exists():
            store.write_frame(path, pairs)
        noted = notes(book)
        path = book.work / decisions.QUEUE.parent / NOTES
        if len(noted) or path.exists():
            store.write_frame(path, noted)
    return frame
