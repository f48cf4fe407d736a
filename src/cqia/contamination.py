"""Which benchmark items stand in the records.

A benchmark is any JSON file of items; the named fields of an item are its text (a field may hold a
list, such as the options; an option's letter is not text). How an item is looked for stands in
`cqia.text.overlap`; here items are read, and hits are shown with both texts for a person to
confirm: many hits of such a search are quotations that both sides took from a third text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import polars as pl

from cqia import store
from cqia.errors import UserError, unknown
from cqia.places.files import look, matching
from cqia.raw.encoding import Utf8Reader
from cqia.raw.files import open_bytes
from cqia.raw.values import is_lines, stream_lines, stream_values
from cqia.record import TEXT
from cqia.text.matching import matching_view

if TYPE_CHECKING:
    from cqia.text.overlap import NgramIndex

_LETTER = re.compile(r"^\s*[(（]?[A-Ga-g][)）.\uff0e、:：]\s*")

HITS = {
    "row": pl.UInt32,
    "id": pl.String,
    "item": pl.String,
    "share": pl.Float64,
    "matched": pl.Int64,
    "record": pl.String,
    "text": pl.String,
}
"""row, id, record: the record; item: the item's file and line; share: how much of the item's
n-grams stand in the record, 0-1; matched: how many of the item's characters; text: the item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A benchmark that the records must not contain."""

    name: str
    files: tuple[str, ...]
    fields: tuple[str, ...] = ("question",)
    """The fields of an item that hold its text; `a.b` reaches into objects and lists."""
    threshold: float = 0.5
    """Smallest share of an item's n-grams that makes a hit, 0-1 (this project's choice)."""
    ngram: int = 13
    """Characters in an n-gram (13, as GPT-3's report counts words; characters are this project's
    choice for Chinese)."""
    drop: bool = False
    """Whether hits are dropped; otherwise they are only reported."""

    def names(self) -> list[str]:
        """Its files, patterns of places elsewhere spread out."""
        return [name for file in self.files for name in matching(file)]

    def facts(self, hashes: store.Hashes) -> dict[str, Any]:
        """What the fingerprint of a search depends on."""
        return {
            "name": self.name,
            "files": {name: hashes.of(name) for name in self.names()},
            "fields": list(self.fields),
            "threshold": self.threshold,
            "ngram": self.ngram,
            "drop": self.drop,
        }


class Found(NamedTuple):
    """The hits, and the counts: items, untestable (too short), hits, items_hit, records_hit."""

    hits: pl.DataFrame
    counts: dict[str, Any]


class Item(NamedTuple):
    """A benchmark item: its file and line, and its text in segments."""

    place: str
    segments: tuple[str, ...]


def items(benchmark: Benchmark) -> list[Item]:
    """A benchmark's items.

    Raises:
        UserError: a file is missing or holds broken JSON, or no item has one of the fields.
    """
    names = benchmark.names()
    found = [item for file in names for item in _read(file, benchmark.fields)]
    if not any(item.segments for item in found):
        seen = sorted(_names(names[0])) if names else []
        raise unknown("field", benchmark.fields[0], seen, where=f"benchmark {benchmark.name}")
    return found


def _values(file: str) -> Iterator[tuple[int, Any]]:
    look(file)
    with open_bytes(file) as stream:
        reader = Utf8Reader(stream, file)
        cut = stream_lines if is_lines(reader.peek(), file) else stream_values
        for values in cut(reader):
            for row, reason, _ in values.bad:
                raise UserError(reason, where=f"{file}:{row}", mend="mend the benchmark's file")
            for row, text in zip(values.rows, values.text, strict=True):
                try:
                    yield row, orjson.loads(text)
                except orjson.JSONDecodeError as fault:
                    raise UserError(f"invalid JSON: {fault.msg}", where=f"{file}:{row}") from None


def _read(file: str, fields: tuple[str, ...]) -> Iterator[Item]:
    for row, value in _values(file):
        segments = [text for field in fields for text in _texts(value, field.split("."))]
        yield Item(f"{file}:{row}", tuple(_LETTER.sub("", text) for text in segments))


def _texts(value: object, path: list[str]) -> Iterator[str]:
    """Every string at a path; lists on the way are walked."""
    if isinstance(value, list):
        for one in value:
            yield from _texts(one, path)
    elif path and isinstance(value, dict):
        yield from _texts(value.get(path[0]), path[1:])
    elif not path and isinstance(value, str):
        yield value


def _names(file: str) -> set[str]:
    with suppress(StopIteration):
        _, first = next(_values(file))
        return set(first) if isinstance(first, dict) else set()
    return set()


class Wanted(NamedTuple):
    """A benchmark made ready: its items, and where their n-grams stand."""

    items: list[Item]
    grams: NgramIndex
    least: float


def wanted(benchmark: Benchmark) -> Wanted:
    """Make a benchmark ready to be looked for.

    Raises:
        UserError: a file is missing or holds broken JSON, or no item has one of the fields.
    """
    from cqia.text.overlap import ngram_index

    found = items(benchmark)
    texts = pl.Series([text for item in found for text in item.segments], dtype=pl.String)
    view = iter(matching_view(texts).to_list())
    views = [list(islice(view, len(item.segments))) for item in found]
    return Wanted(found, ngram_index(views, ngram=benchmark.ngram), benchmark.threshold)


def search(benchmark: Benchmark, records: Iterable[pl.DataFrame]) -> Found:
    """Look for a benchmark's items in records.

    Args:
        benchmark: what to look for.
        records: frames of row, id and the text columns.

    Raises:
        UserError: as `wanted`.
    """
    ready = wanted(benchmark)
    return counted(ready, [hits(ready, frame) for frame in records])


def hits(ready: Wanted, frame: pl.DataFrame) -> pl.DataFrame:
    """The hits in one batch of records, as `HITS`."""
    text = [matching_view(frame[field]).fill_null("") for field in TEXT]
    joined = pl.select(pl.concat_str(text, separator="\x1f")).to_series()
    return _shown(ready.grams.hits(joined, least=ready.least), frame, ready.items)


def counted(ready: Wanted, every: Iterable[pl.DataFrame]) -> Found:
    """The hits of all batches together, and what they count."""
    found = pl.concat([pl.DataFrame(schema=HITS), *every])
    counts = {
        "items": len(ready.items),
        "untestable": len(ready.grams.too_short),
        "hits": len(found),
        "items_hit": found["item"].n_unique(),
        "records_hit": found["id"].n_unique(),
        "files": _by_file(ready.items, found),
    }
    return Found(found, counts)


def _shown(hits: pl.DataFrame, frame: pl.DataFrame, wanted: list[Item]) -> pl.DataFrame:
    """Hits with the texts of both sides."""
    record = frame[hits["record"]]
    item = [wanted[number] for number in hits["item"]]
    texts = record.select(pl.concat_str(TEXT, separator="\n")).to_series()
    columns = {
        "row": record["row"],
        "id": record["id"],
        "item": [one.place for one in item],
        "share": hits["share"],
        "matched": hits["characters"].cast(pl.Int64),
        "record": texts,
        "text": ["\n".join(one.segments) for one in item],
    }
    return pl.DataFrame(columns, schema=HITS)


def _by_file(wanted: list[Item], hits: pl.DataFrame) -> dict[str, list[int]]:
    """Of each file: how many items it has, and how many of them were hit."""
    hit = set(hits["item"])
    total: dict[str, list[int]] = {}
    for item in wanted:
        counts = total.setdefault(item.place.rpartition(":")[0], [0, 0])
        counts[0] += 1
        counts[1] += item.place in hit
    return total
