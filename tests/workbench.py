"""A small working folder for the stages after curate: sources made in the test, dedup by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cqia import store
from cqia.cleaners.base import Cleaner
from cqia.filters.length import Length
from cqia.ledger import scan
from cqia.record import TURN
from cqia.sources.base import Form, Source
from cqia.stages.curate import curate

FIELDS: dict[str, pl.DataType | type[pl.DataType]] = {
    "key": pl.String,
    "instruction": pl.String,
    "input": pl.String,
    "output": pl.String,
    "system": pl.String,
    "history": pl.List(TURN),
    "task_major": pl.List(pl.String),
    "task_minor": pl.List(pl.String),
    "domain": pl.List(pl.String),
    "metadata": pl.String,
    "answer_from": pl.String,
    "human_verified": pl.Boolean,
    "copyright": pl.String,
    "question": pl.String,
}

Row = dict[str, Any]

TURN_ROW = {"instruction": "早", "output": "您好"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip(Cleaner):
    def clean(self, text: pl.Expr) -> pl.Expr:
        return text.str.strip_chars(" ")


def read_rows(raw: pl.DataFrame) -> pl.DataFrame:
    missing = pl.when(pl.col("instruction").is_null()).then(pl.lit("no question"))
    return raw.select("file", "row", *FIELDS, fault=missing)


def cure(
    work: Path,
    name: str,
    rows: Sequence[Row],
    *,
    family: str = "",
    type: str = "social",
    title: str = "标题",
    licence: str = "not stated",
) -> store.Facts:
    """Curate rows as a source; outputs of one character are dropped by `Length.output`."""
    source = Source(
        name=name,
        family=family or name,
        type=type,
        title=title,
        origin="https://example.org",
        licence=licence,
        forms=(Form(kind="json", read=read_rows, schema=pl.Struct(FIELDS)),),
        steps=(
            Strip(),
            Length(field="output", low=2),
        ),
    )
    raw = work.parent / f"{name}.jsonl"
    raw.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return curate(source, [str(raw)], work=work)


def rows(count: int, more: Row | None = None, *, start: int = 0) -> list[Row]:
    """Rows with prompts of their own; `more` may hold functions of the row's number."""
    fields = (more or {}).items()
    return [
        {
            "key": f"k{number}",
            "instruction": f"第{number}个问题是什么",
            "output": "答" * (2 + number % 7),
            **{name: value(number) if callable(value) else value for name, value in fields},
        }
        for number in range(start, start + count)
    ]


def doubles(
    work: Path, dropped: Sequence[str], groups: Sequence[Sequence[str]] = (), mark: str = "d"
) -> None:
    """Write what dedup leaves: dropped ids, and groups of ids that belong together."""
    folder = work / "dedup"
    inputs = {
        path.parent.name: store.read_json(path)["fingerprint"]
        for path in sorted((work / "curate").glob("*/manifest.json"))
    }
    part = {
        one: path.parent.name
        for path in (work / "curate").glob("*/*/kept.parquet")
        for one in pl.read_parquet(path)["id"]
    }
    rows = [
        {"id": one, "source": one.split("-")[0], "part": part.get(one, ""), "value": 0.9}
        | {"rule": "NearDuplicate", "bound": 0.7, "keeper": "x"}
        for one in dropped
    ]
    kinds = {**dict.fromkeys(("id", "source", "part", "rule"), pl.String), "value": pl.Float64}
    kinds |= {"bound": pl.Float64, "keeper": pl.String}
    store.write_frame(folder / "dropped.parquet", pl.DataFrame(rows, schema=kinds))
    members = [(one, number) for number, group in enumerate(groups) for one in group]
    schema = {"id": pl.String, "group": pl.UInt32}
    store.write_frame(folder / "groups.parquet", pl.DataFrame(members, schema=schema, orient="row"))
    store.seal(folder, mark, {"stage": "dedup", "inputs": inputs})


def kept(work: Path, source: str) -> list[str]:
    return list(scan(work, source, "kept").select("id").collect()["id"])
