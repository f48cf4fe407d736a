"""Repaired copies: what can be mended is, in its place; everything else stays byte for byte.

A record in which nothing is mended is copied as it stood, so a copy can be compared with `diff`.
Left out are exact duplicates and what could not be read. `changes.jsonl` holds every change with
the text before and after it, so that each can be checked and undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os.path import commonpath
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from cqia import store
from cqia.auditing import forms, records
from cqia.auditing.rules import TextRule
from cqia.raw.encoding import Utf8Reader
from cqia.raw.files import MEMBER, PACKED, kind_of, open_bytes
from cqia.raw.tables import ROWS
from cqia.raw.values import is_lines
from cqia.text.buffers import where

ROUNDS = 5
"""How often the mends run over a text at most: one may uncover what another one mends."""
KEPT = 2_000
"""Characters of an unreadable item that the changes keep."""


def mend(
    names: list[str], findings: pl.DataFrame, rules: tuple[TextRule, ...], folder: Path
) -> dict[str, int]:
    """Write `folder/fixed/…`, a copy a file, and `folder/changes.jsonl`.

    Returns:
        Kind of finding -> how many texts (or records left out) it changed.
    """
    counts: dict[str, int] = {}
    kinds = {rule.kind: rule for rule in rules if rule.mend}
    with store.whole(folder / "changes.jsonl") as place, place.open("wb") as ledger:
        for name, target in zip(names, _targets(names, folder / "fixed"), strict=True):
            mine = findings.filter((pl.col("file") == name) & pl.col("fixable"))
            for change in _copy(name, target, mine, kinds):
                ledger.write(orjson.dumps(change, option=orjson.OPT_APPEND_NEWLINE))
                for kind in change["kinds"]:
                    counts[kind] = counts.get(kind, 0) + 1
    return counts


def _targets(names: list[str], folder: Path) -> list[Path]:
    """Where the copies go: the files' own names, under the folders that tell them apart."""
    paths = [Path(name.replace(MEMBER, "/")).absolute() for name in names]
    base = Path(commonpath([path.parent for path in paths])) if paths else folder
    found = []
    for path in paths:
        short = path.relative_to(base)
        if short.suffix.lower() in PACKED:
            short = short.with_suffix("")
        found.append(folder / short)
    return found


def _copy(
    name: str, target: Path, findings: pl.DataFrame, rules: dict[str, TextRule]
) -> Iterator[dict[str, Any]]:
    """Write one copy; yields its changes."""
    marked = set(findings.filter(pl.col("kind").is_in(list(rules)))["item"])
    twice = findings.filter(pl.col("kind") == "exact_duplicate")
    stays = dict(zip(twice["item"], twice["other"], strict=True))
    target.parent.mkdir(parents=True, exist_ok=True)
    with store.whole(target) as place, _writer(name, place) as write:
        for batch in records.read(name):
            for line, reason, raw in batch.bad:
                yield _change(name, line, 0, "", ["unreadable"], raw[:KEPT], None, reason)
            changed: set[int] = set()
            few = [one for one in batch.records if one.item in marked - stays.keys()]
            for record, path, kinds, before, after in _mended(few, rules):
                changed.add(record.item)
                yield _change(name, record.line, record.item, path, kinds, before, after, "")
            for one in batch.records:
                if one.item in stays:
                    raw, other = _json(one.value), stays[one.item]
                    yield _change(
                        name, one.line, one.item, "", ["exact_duplicate"], raw, None, other
                    )
                else:
                    write(one, one.item in changed)


def _change(
    file: str, line: int, item: int, path: str, kinds: list[str], before: str, after: str | None,
    other: str,
) -> dict[str, Any]:  # fmt: skip
    """A line of `changes.jsonl`. after: null where the record was left out; other: why."""
    where = {"file": file, "line": line, "item": item, "path": path}
    return where | {"kinds": kinds, "before": before, "after": after, "other": other}


def _mended(
    few: list[records.Record], rules: dict[str, TextRule]
) -> Iterator[tuple[records.Record, str, list[str], str, str]]:
    """Mend the records in place; yields record, path, kinds, text before and after."""
    texts = records.texts(few)
    before, after = texts.text, texts.text
    hit: dict[int, list[str]] = {}
    for _ in range(ROUNDS):
        start = after
        for kind, rule in rules.items():
            assert rule.mend
            mended = where(after, after.str.contains(rule.guard), _only_where_found(rule))
            for place in (mended != after).arg_true().to_list():
                if kind not in (known := hit.setdefault(place, [])):
                    known.append(kind)
            after = mended
        if after.equals(start):
            break
    for place in (before != after).arg_true().to_list():
        record, path = few[texts.owner[place]], texts.path[place]
        records.put(record.value, path, after[place])
        yield record, forms.shown(path), hit[place], before[place], after[place]


def _only_where_found(rule: TextRule) -> Callable[[str], str]:
    assert rule.mend
    change = rule.mend
    return lambda text: change(text) if rule.find(text) else text


def _json(value: object) -> str:
    return orjson.dumps(value, default=str).decode()


@contextmanager
def _writer(name: str, place: Path) -> Iterator[Callable[[records.Record, bool], None]]:
    """Writes records in the file's own layout: lines, an array, or Parquet."""
    if kind_of(name) == "parquet":
        with _parquet(name, place) as write:
            yield write
        return
    with open_bytes(name) as stream:
        lines = is_lines(Utf8Reader(stream, name).peek(), name)
    count = 0
    with place.open("wb") as out:

        def write(record: records.Record, changed: bool) -> None:
            nonlocal count
            raw = record.raw or ""
            if changed or (lines and "\n" in raw):
                raw = _json(record.value)
            lead, end = ("", "\n") if lines else (",\n" if count else "[\n", "")
            out.write(f"{lead}{raw}{end}".encode())
            count += 1

        yield write
        if not lines:
            out.write(b"\n]\n" if count else b"[]\n")


@contextmanager
def _parquet(name: str, place: Path) -> Iterator[Callable[[records.Record, bool], None]]:
    schema = pq.read_schema(name)
    held: list[forms.Value] = []
    with pq.ParquetWriter(place, schema) as out:

        def flush() -> None:
            out.write_table(pa.Table.from_pylist(held, schema))
            held.clear()

        def write(record: records.Record, changed: bool) -> None:
            held.append(record.value)
            if len(held) == ROWS:
                flush()

        yield write
        flush()
