"""A source without code: a `[[source]]` block in the experiment's TOML.

A reader that knows a common form (JSON lines, Alpaca, ShareGPT, messages, CSV, Parquet, HTML,
MediaWiki, plain text) and a mapping from the record's columns to the file's fields:

    [[source]]
    name = "medical"
    reader = "sharegpt"
    files = ["data/*.jsonl"]

    [[source]]
    name = "faq"
    reader = "jsonl"
    files = ["faq.json"]
    map = { instruction = "question", output = "answer.text", key = "id", votes = "likes" }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import polars as pl

from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_latex import RepairLatex
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.white_space import WhiteSpace
from cqia.errors import UserError, missing_extra, unknown
from cqia.filters.emptiness import NearEmpty
from cqia.filters.refusals import Refusals
from cqia.recipe import Step
from cqia.record import TEXT, TURN
from cqia.sources.base import Form, Source, fill
from cqia.sources.fields import blank, fault, integer

READERS = {
    "jsonl": "json",
    "alpaca": "json",
    "sharegpt": "json",
    "messages": "json",
    "csv": "csv",
    "parquet": "parquet",
    "html": "html",
    "mediawiki": "mediawiki",
    "text": "text",
}
"""Reader -> kind of raw form. `jsonl` reads every layout of JSON."""

MAPPED = (*TEXT, "system", "key", "question", "votes", "comments", "date", "metadata", "title")
"""What a mapping may name: record columns, `key` (the id's origin) and `title` (for templates)."""

STEPS: tuple[Step, ...] = (
    HtmlToText(),
    RepairLatex(),
    RepairUnicode(),
    WhiteSpace(),
    MaskPersonalData(),
    NearEmpty(field="instruction"),
    NearEmpty(field="output"),
    Refusals(),
)
"""The recipe of a source that names none: harmless cleaning, and only what nobody wants to keep is
turned away (this project's choice)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a `[[source]]` block says of its files."""

    reader: str
    map: Mapping[str, str] = field(default_factory=dict)
    templates: tuple[str, ...] = ()
    where: str = ""
    """File and line of the block, for errors."""


def generic(
    *,
    name: str,
    layout: Layout,
    family: str = "",
    type: str = "nlp",
    title: str = "",
    origin: str = "not stated",
    licence: str = "not stated",
    steps: tuple[Step, ...] = STEPS,
    answers: int | None = 1,
    labels: dict[str, object] | None = None,
) -> Source:
    """A source made of a layout and a recipe.

    Raises:
        UserError: an unknown reader, a mapping of what is no record column, or no text to read.
    """
    where = layout.where
    if layout.reader not in READERS:
        raise unknown("reader", layout.reader, READERS, where=where)
    for column in layout.map:
        if column not in MAPPED:
            raise unknown("record column", column, MAPPED, where=f"{where}: map")
    kind = READERS[layout.reader]
    if kind in {"csv", "parquet"} or layout.reader == "jsonl":
        _need_text(layout)
    read = {
        "jsonl": read_fields,
        "csv": read_fields,
        "parquet": read_fields,
        "alpaca": read_alpaca,
        "sharegpt": read_turns,
        "messages": read_turns,
        "html": read_main_text,
        "mediawiki": read_titled,
        "text": read_titled,
    }[layout.reader]
    return Source(
        name=name,
        family=family or name,
        type=type,
        title=title or name,
        origin=origin,
        licence=licence,
        forms=(Form(kind=kind, read=partial(read, layout=layout), schema=_schema(layout)),),
        steps=steps,
        templates=layout.templates,
        answers=answers,
        labels=labels or {},
    )


def _need_text(layout: Layout) -> None:
    if "instruction" not in layout.map and not layout.templates:
        raise UserError(
            f"reader {layout.reader!r} needs to know which field is the instruction",
            where=layout.where,
            mend='add map = { instruction = "FIELD", output = "FIELD" }',
        )


def _schema(layout: Layout) -> pl.Struct | None:
    turn = pl.List(pl.Struct({"from": pl.String, "value": pl.String}))
    message = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
    extra = {path: pl.String() for path in layout.map.values()}
    known: dict[str, dict[str, pl.DataType]] = {
        "alpaca": {
            **dict.fromkeys((*TEXT, "system"), pl.String()),
            "history": pl.List(pl.List(pl.String)),
        },
        "sharegpt": {"conversations": turn, "system": pl.String()},
        "messages": {"messages": message},
    }
    return (
        _nested({**known.get(layout.reader, {}), **extra})
        if READERS[layout.reader] == "json"
        else None
    )


def _nested(paths: Mapping[str, pl.DataType]) -> pl.Struct:
    """A struct with a field for each dotted path."""
    leaves: dict[str, pl.DataType] = {}
    inner: dict[str, dict[str, pl.DataType]] = {}
    for path, dtype in paths.items():
        head, _, rest = path.partition(".")
        if rest:
            inner.setdefault(head, {})[rest] = dtype
        else:
            leaves[head] = dtype
    return pl.Struct(leaves | {head: _nested(rest) for head, rest in inner.items()})


def _mapped(raw: pl.DataFrame, layout: Layout) -> dict[str, pl.Expr]:
    """The mapped record columns.

    Raises:
        UserError: a mapped column is not in the file.
    """
    found: dict[str, pl.Expr] = {}
    for column, path in layout.map.items():
        head, *rest = path.split(".") if path not in raw.columns else [path]
        if head not in raw.columns:
            names = [name for name in raw.columns if name not in {"file", "row"}]
            raise unknown("column", path, names, where=f"{raw['file'][0]}:{raw['row'][0]}")
        value = pl.col(head)
        for name in rest:
            value = value.struct.field(name)
        found[column] = value.cast(pl.String)
    for column in ("votes", "comments"):
        if column in found:
            found[column] = integer(found[column])
    if "date" in found:
        found["date"] = found["date"].str.slice(0, 10).str.to_date(strict=False)
    return found


def _records(raw: pl.DataFrame, layout: Layout, columns: dict[str, pl.Expr]) -> pl.DataFrame:
    """Records of the given columns: templates filled, and rows without text marked as faults."""
    made = raw.select("file", "row", **columns)
    if layout.templates and "instruction" not in columns:
        key = pl.col("key") if "key" in columns else pl.concat_str("file", "row", separator=":")
        fields = {name: pl.col(name).fill_null("") for name in columns if name not in _NOT_TEXT}
        made = made.with_columns(instruction=fill(layout.templates, key, fields))
    tests = {
        f"no {column} (field {layout.map.get(column, column)!r} is missing or empty)": blank(
            pl.col(column)
        )
        for column in ("instruction", "output")
        if column in made.columns
    }
    if "fault" in made.columns:
        return made.with_columns(fault=pl.coalesce("fault", fault(tests))).drop(
            "title", strict=False
        )
    return made.with_columns(fault=fault(tests)).drop("title", strict=False)


_NOT_TEXT = ("votes", "comments", "date", "history", "fault")


def read_fields(raw: pl.DataFrame, *, layout: Layout) -> pl.DataFrame:
    """Rows whose fields the mapping names."""
    return _records(raw, layout, _mapped(raw, layout))


def read_alpaca(raw: pl.DataFrame, *, layout: Layout) -> pl.DataFrame:
    """Alpaca rows: instruction, input, output and, where there are any, system and history."""
    turns = pl.col("history").list.eval(
        pl.struct(
            instruction=pl.element().list.get(0, null_on_oob=True),
            output=pl.element().list.get(1, null_on_oob=True),
        )
    )
    columns = {name: pl.col(name) for name in (*TEXT, "system")} | {
        "history": turns.cast(pl.List(TURN))
    }
    return _records(raw, layout, columns | _mapped(raw, layout))


_ROLES = {
    "human": "u",
    "user": "u",
    "gpt": "a",
    "assistant": "a",
    "bot": "a",
    "system": "s",
}


def read_turns(raw: pl.DataFrame, *, layout: Layout) -> pl.DataFrame:
    """Conversations: the last exchange is the record, what came before is its history.

    A conversation is an optional system turn and then question and answer by turns; any other
    order is a fault.
    """
    if layout.reader == "sharegpt":
        list_, who, what = "conversations", "from", "value"
    else:
        list_, who, what = "messages", "role", "content"
    roles = pl.col(list_).list.eval(
        pl.element().struct.field(who).replace_strict(_ROLES, default="?", return_dtype=pl.String)
    )
    texts = pl.col(list_).list.eval(pl.element().struct.field(what))
    order = roles.list.join("").fill_null("")
    frame = raw.with_columns(order=order, texts=texts).with_columns(
        lead=pl.when(pl.col("order").str.starts_with("s")).then(pl.col("texts").list.first())
    )
    frame = frame.with_columns(
        texts=pl.when(pl.col("lead").is_null())
        .then("texts")
        .otherwise(pl.col("texts").list.slice(1))
    )
    given = pl.col("system") if "system" in raw.columns else pl.lit(None, dtype=pl.String)
    frame = frame.with_columns(history=_history(frame))
    columns = {
        "instruction": pl.col("texts").list.get(-2, null_on_oob=True),
        "output": pl.col("texts").list.get(-1, null_on_oob=True),
        "system": pl.coalesce("lead", given),
        "history": pl.col("history"),
        "fault": pl.when(~pl.col("order").str.contains(r"^s?(ua)+$")).then(
            pl.format("turns must be question and answer in turn, these are {}", "order")
        ),
    }
    return _records(frame, layout, columns | _mapped(frame, layout))


def _history(frame: pl.DataFrame) -> pl.Series:
    """All exchanges but the last of each conversation."""
    earlier = pl.col("texts").list.head(pl.max_horizontal(pl.col("texts").list.len(), 2) - 2)
    pairs = frame.select(
        index=pl.int_range(pl.len()),
        instruction=earlier.list.gather_every(2),
        output=earlier.list.gather_every(2, 1),
    ).filter(
        (pl.col("instruction").list.len() > 0)
        & (pl.col("instruction").list.len() == pl.col("output").list.len())
    )
    turns = (
        pairs.explode("instruction", "output")
        .group_by("index", maintain_order=True)
        .agg(history=pl.struct("instruction", "output"))
    )
    whole = frame.select(index=pl.int_range(pl.len())).join(
        turns, on="index", how="left", maintain_order="left"
    )
    return whole["history"].cast(pl.List(TURN))


def read_titled(raw: pl.DataFrame, *, layout: Layout) -> pl.DataFrame:
    """Wiki pages or text files: the text is the output, a template makes the instruction."""
    if "title" not in raw.columns:
        stem = pl.col("file").str.extract(r"([^/\\!]+?)(\.\w+)*$")
        raw = raw.with_columns(title=stem)
    return _records(raw, layout, {"title": pl.col("title"), "output": pl.col("text")})


def read_main_text(raw: pl.DataFrame, *, layout: Layout) -> pl.DataFrame:
    """HTML pages: the main text (found by trafilatura) is the output, the page's title `{title}`.

    Raises:
        UserError: the extra `html` is not installed.
    """
    try:
        from trafilatura import bare_extraction
    except ImportError:
        raise missing_extra("trafilatura", "html") from None
    found = [bare_extraction(html, with_metadata=True) for html in raw["html"]]
    pages = raw.select(
        "file",
        "row",
        title=pl.Series([getattr(page, "title", None) for page in found], dtype=pl.String),
        text=pl.Series([getattr(page, "text", None) for page in found], dtype=pl.String),
    )
    columns = {"title": pl.col("title"), "output": pl.col("text")}
    if not layout.templates:
        columns["instruction"] = pl.col("title")
    return _records(pages, layout, columns)
