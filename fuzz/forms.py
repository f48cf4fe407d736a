"""Targets: every form of every source, and the readers that need no code."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Callable, Mapping

import polars as pl

from cqia.raw.encoding import sniff
from cqia.sources.base import Form, Source
from cqia.sources.catalogue import CATALOGUE
from cqia.sources.generic import Layout, generic
from fuzz.draw import Draw
from fuzz.ground import curated, edited, placed, samples
from fuzz.target import Target

ENDINGS = {"json": "json", "csv": "csv", "html": "html", "mediawiki": "xml", "text": "txt"}


def json_form(source: Source, form: Form) -> Callable[[bytes], None]:
    """Values near the form's schema, as lines or as an array; now and then the edited samples."""

    def check(data: bytes) -> None:
        draw = Draw(data)
        if draw.chance(4):
            body = edited(draw, draw.pick(samples(source.name, "json")))
        else:
            found = [draw.json(draw.typed(form.schema)) for _ in range(1 + draw.below(4))]
            body = b"\n".join(found) if draw.chance(2) else b"[" + b",".join(found) + b"]"
        curated(source, form, placed(f"{source.name}.json", body))

    return check


@functools.cache
def _headers(name: str) -> tuple[tuple[str, ...], ...]:
    found = [one.decode(sniff(one), "replace").splitlines() for one in samples(name, "csv")]
    return tuple(tuple(next(csv.reader(one[:1]))) for one in found if one) or (("甲",),)


def csv_form(source: Source, form: Form) -> Callable[[bytes], None]:
    """Tables with the columns of the samples, some missing."""

    def check(data: bytes) -> None:
        draw = Draw(data)
        names = [one for one in draw.pick(_headers(source.name)) if not draw.chance(12)]
        held = io.StringIO()
        writer = csv.writer(held)
        writer.writerow(names)
        for _ in range(1 + draw.below(4)):
            writer.writerow([draw.text(6) for _ in names])
        body = draw.damaged(held.getvalue().encode("utf-8", "ignore"))
        curated(source, form, placed(f"{source.name}.csv", body))

    return check


def page_form(source: Source, form: Form) -> Callable[[bytes], None]:
    """Edited samples of pages, dumps and papers."""

    def check(data: bytes) -> None:
        draw = Draw(data)
        body = edited(draw, draw.pick(samples(source.name, form.kind)))
        body += draw.text().encode("utf-8", "ignore")
        curated(source, form, placed(f"{source.name}.{ENDINGS[form.kind]}", body))

    return check


MAP = {"instruction": "q", "output": "a.text", "key": "id", "votes": "n", "date": "d"}
LAYOUTS: Mapping[str, Layout] = {
    "jsonl": Layout(reader="jsonl", map=MAP),
    "alpaca": Layout(reader="alpaca"),
    "sharegpt": Layout(reader="sharegpt"),
    "messages": Layout(reader="messages", map={"metadata": "meta"}),
    "html": Layout(
        reader="html", map={"title": "h1"}, templates=("介绍{title}。", "{title}是什么？")
    ),
    "mediawiki": Layout(reader="mediawiki"),
    "text": Layout(reader="text"),
}


def table_layout(data: bytes) -> None:
    """A CSV file under a mapping that may not fit, with templates that may hold anything."""
    draw = Draw(data)
    names = [draw.pick(("q", "a", "b.c", "file", "甲")) for _ in range(1 + draw.below(4))]
    layout = Layout(
        reader="csv",
        map={"output": "a", "title": draw.pick(("q", "a", "b.c", "没有"))},
        templates=("介绍{title}。" + draw.text(2), "{title}"),
    )
    source = generic(name="fuzz", layout=layout)
    rows = [[draw.text(4).replace(",", "，") for _ in names] for _ in range(1 + draw.below(3))]
    body = "\n".join(",".join(row) for row in [names, *rows]).encode("utf-8", "ignore")
    curated(source, source.forms[0], placed("fuzz.csv", body))


def parquet_layout(data: bytes) -> None:
    """A Parquet file whose columns are of any type, under a mapping."""
    draw = Draw(data)
    columns: list[pl.Series] = []
    for name in ("q", "a", "n", "d"):
        kind = draw.below(6)
        given = (
            ["问", None],
            [1, None],
            [2.5, None],
            [["x"], None],
            [{"b": "y"}, None],
            [b"\xff", b"z"],
        )
        columns.append(pl.Series(name, given[kind] if draw.chance(3) else draw.texts(2)[:1] * 2,
                                 strict=False))  # fmt: skip
    frame = pl.DataFrame(columns)
    layout = Layout(
        reader="parquet", map={"instruction": "q", "output": "a", "votes": "n", "date": "d"}
    )
    source = generic(name="fuzz", layout=layout)
    held = io.BytesIO()
    frame.write_parquet(held)
    curated(source, source.forms[0], placed("fuzz.parquet", held.getvalue()))


def _of(source: Source) -> list[Target]:
    makers = {"json": json_form, "csv": csv_form}
    return [
        Target(f"source-{source.name}-{form.kind}", makers.get(form.kind, page_form)(source, form))
        for form in source.forms
    ]


def _generic() -> list[Target]:
    found = []
    for reader, layout in LAYOUTS.items():
        source = generic(name="fuzz", layout=layout)
        form = source.forms[0]
        maker = json_form if form.kind == "json" else page_form
        found.append(Target(f"reader-{reader}", maker(source, form)))
    return [*found, Target("reader-csv", table_layout), Target("reader-parquet", parquet_layout)]


TARGETS = (*(target for source in CATALOGUE for target in _of(source)), *_generic())
