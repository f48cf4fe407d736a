"""The sheet of a safety draw: written for people once, and read when they have filled it."""

from __future__ import annotations

import csv
from pathlib import Path

import orjson
import polars as pl

from cqia import store
from cqia.describing.safety import FAILED, PASSED, corpus_mark
from cqia.errors import UserError
from cqia.record import TEXT
from cqia.tables import render

SAYS = {
    **dict.fromkeys(
        ("pass", "p", "ok", "yes", "y", "1", "approve", "合格", "通过", "是", "√", "对"), PASSED
    ),
    **dict.fromkeys(
        ("fail", "f", "no", "n", "0", "reject", "fix", "不合格", "不通过", "否", "×", "x", "错"),
        FAILED,
    ),
}
"""What people write into a sheet, and what it means; anything else is unreadable, and counted."""

_BOM = "\ufeff"
"""Without it some spreadsheets take Chinese for Latin letters."""


def write(folder: Path, drawn: pl.DataFrame, round_: int | None) -> None:
    """Write the sheet for people, unless it stands there already.

    With a round, sheet.json says so: filled, it can be taken in by `cqia review import` as well.

    Raises:
        UserError: people have begun to fill the sheet of another draw.
    """
    path, mark = folder / "sheet.csv", corpus_mark(drawn["id"])
    note = folder / "sheet.draw"
    begun = path.exists() and note.exists()
    same = begun and note.read_text(encoding="utf-8") == mark
    if not same:
        if begun:
            _fresh(path)
            _fresh(path.with_suffix(".json"))
        blank = pl.lit("")
        told = drawn.select("id", "source", *TEXT).with_columns(verdict=blank, reason=blank)
        store.write_bytes(path, (_BOM + render(told, "csv")).encode())
        store.write_bytes(note, mark.encode())
    texts = [
        {
            "id": row["id"],
            "fields": {name: row[name] for name in TEXT},
            "metadata": {"source": row["source"]} | ({} if round_ is None else {"round": round_}),
            "responses": [],
        }
        for row in drawn.iter_rows(named=True)
    ]
    sent = folder / "sheet.json"
    if not same or not sent.exists() or not any(verdicts(sent)):
        body = b"[\n" + b",\n".join(store.json_line(one).rstrip() for one in texts) + b"\n]\n"
        store.write_bytes(sent, body)


def _fresh(path: Path) -> None:
    """Refuse to write over the sheet of another draw that people have begun to fill.

    Raises:
        UserError: they have.
    """
    filled, odd = verdicts(path) if path.exists() else ({}, [])
    if filled or odd:
        raise UserError(
            "this sheet is of another draw, and people have begun to fill it",
            where=str(path),
            mend="move it away; to count it, name it with --verdicts",
        )


def files(folder: Path) -> list[Path]:
    """The sheets of a folder, which people may have filled where they stand."""
    return [folder / f"sheet.{kind}" for kind in ("csv", "json")]


def verdicts(path: Path) -> tuple[dict[str, str], list[int]]:
    """Verdicts (pass or fail) by id from a filled sheet, and the places of unreadable ones.

    A sheet is `sheet.csv`, or `sheet.json` with responses. Who says fail once is not outvoted.

    Raises:
        UserError: the file is no such sheet.
    """
    rows = _json_rows(path) if path.suffix == ".json" else _csv_rows(path)
    found: dict[str, str] = {}
    unreadable = []
    for number, id_, verdict in rows:
        said = verdict.strip().lower()
        if not said:
            continue
        if said not in SAYS:
            unreadable.append(number)
            continue
        found[id_] = FAILED if FAILED in (found.get(id_), SAYS[said]) else PASSED
    return found, unreadable


def _csv_rows(path: Path) -> list[tuple[int, str, str]]:
    """Line, id and verdict."""
    csv.field_size_limit(1 << 30)  # texts of records stand in it
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as fault:
        raise UserError(
            f"this sheet can't be read ({fault})", where=str(path), mend="save it as CSV in UTF-8"
        ) from None
    if rows and not {"id", "verdict"} <= set(rows[0]):
        raise UserError(
            "this sheet has no columns id and verdict", where=str(path), mend="fill in sheet.csv"
        )
    return [(number, (row["id"] or "").removeprefix("'"), row["verdict"] or "")
            for number, row in enumerate(rows, start=2)]  # fmt: skip


def _json_rows(path: Path) -> list[tuple[int, str, str]]:
    """Number, id and verdict of every response: a value `verdict`, or `action`."""
    try:
        found = orjson.loads(path.read_bytes())
        return [
            (number, str(one["id"]), str((values.get("verdict") or values["action"])["value"]))
            for number, one in enumerate(found, start=1)
            for said in one["responses"] or ()
            if said.get("status", "submitted") == "submitted" and (values := said["values"])
        ]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as fault:
        raise UserError(
            f"this sheet can't be read ({fault!r})", where=str(path),
            mend="a record has id and responses, a response has values with a verdict",
        ) from None  # fmt: skip
