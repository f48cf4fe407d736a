"""Benchmark files as their owners publish them: JSON in any layout and CSV, faults with their line.

The names of files lie (JSON Lines called .json), so JSON is told apart by its content. What can't
be read is an error, not a smaller benchmark.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from cqia.errors import UserError
from cqia.places.files import look
from cqia.raw.encoding import Utf8Reader
from cqia.raw.files import MEMBER, open_bytes
from cqia.raw.values import is_lines, stream_lines, stream_values

MEND = "mend the file, or fetch it again"


class Row(NamedTuple):
    """An object and its place, `file:line`."""

    place: str
    fields: dict[str, Any]


def rows(file: str) -> list[Row]:
    """The objects of a JSON or CSV file.

    Raises:
        UserError: no such file, or something in it is no object.
    """
    if file.lower().endswith(".csv"):
        return list(_csv(file))
    found = []
    for place, value in values(file):
        if not isinstance(value, dict):
            raise UserError("this is no JSON object", where=place, mend=MEND)
        found.append(Row(place, value))
    return found


def values(file: str) -> Iterator[tuple[str, Any]]:
    """The values of a JSON file (lines, an array's elements, or one document), with their place."""
    _present(file)
    with open_bytes(file) as stream:
        reader = Utf8Reader(stream, file)
        cut = stream_lines if is_lines(reader.peek(), file) else stream_values
        for batch in cut(reader):
            for row, reason, _ in batch.bad:
                raise UserError(reason, where=f"{file}:{row}", mend=MEND)
            for row, text in zip(batch.rows, batch.text, strict=True):
                try:
                    yield f"{file}:{row}", orjson.loads(text)
                except orjson.JSONDecodeError as fault:
                    problem = f"invalid JSON: {fault.msg}"
                    raise UserError(problem, where=f"{file}:{row}", mend=MEND) from None


def _present(file: str) -> None:
    look(file.partition(MEMBER)[0])


def _csv(file: str) -> Iterator[Row]:
    _present(file)
    with open_bytes(file) as stream:
        body = stream.read()
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise UserError(f"not UTF-8 (byte {fault.start + 1})", where=file, mend=MEND) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        for cells in reader:
            place = f"{file}:{reader.line_num}"
            if len(cells) != len(names):
                problem = f"{len(cells)} cells under {len(names)} names"
                raise UserError(problem, where=place, mend=MEND)
            yield Row(place, dict(zip(names, cells, strict=True)))
    except csv.Error as fault:
        raise UserError(f"{fault}", where=f"{file}:{reader.line_num}", mend=MEND) from None


def text(row: Row, *names: str, default: str | None = None) -> str:
    """The first of these fields that is there, as text.

    Raises:
        UserError: none is there and there is no default, or it is no text.
    """
    for name in names:
        value = row.fields.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise UserError(f"{name!r} is no text", where=row.place, mend=MEND)
        return value
    if default is None:
        raise UserError(f"no field {' or '.join(map(repr, names))}", where=row.place, mend=MEND)
    return default


def texts(row: Row, name: str) -> tuple[str, ...]:
    """A list of texts.

    Raises:
        UserError: it is something else.
    """
    value = row.fields.get(name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UserError(f"{name!r} is no list of texts", where=row.place, mend=MEND)
    return tuple(value)


def once(ids: Sequence[tuple[str, str]]) -> None:
    """Hold that no two items share an id.

    Args:
        ids: of each item, its id and its place.

    Raises:
        UserError: two do.
    """
    seen: dict[str, str] = {}
    for id_, place in ids:
        if id_ in seen:
            problem = f"item {id_} stands twice, first at {seen[id_]}"
            raise UserError(problem, where=place, mend="give each item once")
        seen[id_] = place
