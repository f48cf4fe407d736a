"""A finished dataset's records, one file after another, with the line each starts at.

The records of a file are parsed one by one, and their texts gathered into a column. The forms
differ and nest, so no schema holds for all; against the rules, which run over whole columns, the
loop takes a small part of the time (docs/log.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
import polars as pl

from cqia.auditing.forms import Path, Value
from cqia.errors import UserError, unknown
from cqia.raw.encoding import Utf8Reader
from cqia.raw.files import BROKEN, KINDS, expand, kind_of, open_bytes, out_of_reach
from cqia.raw.tables import read_parquet
from cqia.raw.values import Values, is_lines, stream_lines, stream_values

DEEPEST = 200
"""Nesting that no dataset has, and that the JSON writer doesn't follow."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(r"[{}\[\]]")


class Record(NamedTuple):
    """A record and where it stands.

    item: its number among the file's readable records, from 1. line: where it starts, in Parquet
    the row. raw: the JSON as it stood; None in Parquet.
    """

    item: int
    line: int
    value: Value
    raw: str | None


class Batch(NamedTuple):
    """Some records, and what could not be read: line, reason, start of the item."""

    records: list[Record]
    bad: list[tuple[int, str, str]]


def files(paths: list[str]) -> list[str]:
    """The files to look at, members of zips for themselves.

    Raises:
        UserError: a file is missing, a folder, named twice, or neither JSON nor Parquet.
    """
    found = [name for path in paths for name in expand(path)]
    for name in found:
        kind = kind_of(name)
        if kind not in ("json", "parquet"):
            known = [ending for ending, one in KINDS.items() if one in ("json", "parquet")]
            raise unknown("file ending", name.rpartition("/")[2], known, where=name)
        if found.count(name) > 1:
            raise UserError("this file is named twice", where=name, mend="name it once")
    return found


def read(file: str) -> Iterator[Batch]:
    """A file's records in batches."""
    done = 0
    if kind_of(file) == "parquet":
        for table in read_parquet(file):
            rows = table.items["row"].to_list()
            whole = table.items.drop("row", "file").to_dicts()
            yield Batch([Record(n, n, v, None) for n, v in zip(rows, whole, strict=True)], [])
        return
    with open_bytes(file) as stream:
        last = 0
        try:
            reader = Utf8Reader(stream, file)
            cut = stream_lines if is_lines(reader.peek(), file) else stream_values
            for values in cut(reader):
                batch = _parsed(values, done)
                done += len(batch.records)
                last = batch.records[-1].line if batch.records else last
                yield batch
        except BROKEN as fault:
            if problem := out_of_reach(file, fault):
                raise problem from None
            yield Batch([], [(last + 1, f"the archive breaks off: {fault}", "")])


def _too_deep(raw: str) -> bool:
    """Whether a JSON text may be nested too deep to be written again; looks on the safe side."""
    if raw.count("{") + raw.count("[") <= DEEPEST:
        return False
    depth = deepest = 0
    for sign in _BRACKET.findall(_STRING.sub("", raw)):
        depth += 1 if sign in "{[" else -1
        deepest = max(deepest, depth)
    return deepest > DEEPEST


def _parsed(values: Values, done: int) -> Batch:
    records: list[Record] = []
    bad = list(values.bad)
    for line, raw in zip(values.rows.to_list(), values.text.to_list(), strict=True):
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError as fault:
            reason = f"invalid JSON at column {fault.colno}: {fault.msg.partition(':')[0]}"
            bad.append((line, reason, raw))
            continue
        if not isinstance(value, dict):
            bad.append((line, "a JSON object is needed", raw))
        elif _too_deep(raw):
            bad.append((line, f"nested deeper than {DEEPEST}", raw))
        else:
            records.append(Record(done + len(records) + 1, line, value, raw))
    return Batch(records, sorted(bad))


class Texts(NamedTuple):
    """Every text of some records: which record it is of (its place in the batch), where, what."""

    owner: list[int]
    path: list[Path]
    text: pl.Series


def texts(records: list[Record]) -> Texts:
    """Every string in the records, however deep; keys are no texts."""
    owner: list[int] = []
    path: list[Path] = []
    text: list[str] = []
    for place, record in enumerate(records):
        for where, one in _leaves(record.value):
            owner.append(place)
            path.append(where)
            text.append(one)
    return Texts(owner, path, pl.Series("text", text, dtype=pl.String))


def _leaves(value: Value) -> Iterator[tuple[Path, str]]:
    """The strings in a value in order; a stack and no recursion, for what nests too deep."""
    stack: list[tuple[Path, Any]] = [((), value)]
    while stack:
        path, one = stack.pop()
        if isinstance(one, str):
            yield path, one
        elif isinstance(one, dict):
            stack += [((*path, key), inner) for key, inner in reversed(one.items())]
        elif isinstance(one, list):
            stack += [((*path, at), one[at]) for at in range(len(one) - 1, -1, -1)]


def put(value: Value, path: Path, text: str) -> None:
    """Put a text in the place of the one that stands there."""
    inner: Any = value
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = text
