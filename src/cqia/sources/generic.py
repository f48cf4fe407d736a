"""A source without code: a `[[source]]` block in the experiment's TOML.

A reader that knows a common form (JSON lines, Alpaca, ShareGPT, messages, CSV, Parquet, HTML,
MediaWiki, plain text) and a mapping from the record's columns to the file's fields:

    [[source]]
    name = "faq"
    reader = "jsonl"
    files = ["faq.json"]
    map = { instruction = "question", output = "answer.text", key = "id", votes = "likes" }
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import polars as pl

from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_latex import RepairLatex
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.white_space import WhiteSpace
from cqia.errors import UserError, unknown
from cqia.filters.emptiness import NearEmpty
from cqia.filters.refusals import Refusals
from cqia.recipe import Step
from cqia.record import TEXT, TURN
from cqia.sources.any_page import parts
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

GIVEN: dict[str, tuple[str, ...]] = {
    "alpaca": (*TEXT, "system"),
    **dict.fromkeys(("sharegpt", "messages"), ("instruction", "output", "system")),
    **dict.fromkeys(("html", "mediawiki", "text"), ("title", "output")),
}
"""Reader -> the columns it knows by itself."""

TYPES = ("social", "knowledge", "exam", "nlp")
_SLOT = re.compile(r"\{(\w+)\}")
_NOT_TEXT = ("votes", "comments", "date", "history", "fault")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a `[[source]]` block says of its files."""

    reader: str
    map: Mapping[str, str] = field(default_factory=dict)
    templates: tuple[str, ...] = ()


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
        UserError: a name that is no folder's, an unknown reader or type, a mapping of what is no
            record column, no instruction to read or two, or a template with an unknown slot.
    """
    for one in (name, family or name):
        if not re.fullmatch(r"\w[\w-]*", one):
            what = f"{one!r} is no name for a source or a family"
            raise UserError(what, mend="make it of letters, digits, - and _")
    if type not in TYPES:
        raise unknown("type", type, TYPES)
    _check(layout)
    read = partial(_READ.get(layout.reader, read_fields), layout=layout)
    return Source(
        name=name,
        family=family or name,
        type=type,
        title=title or name,
        origin=origin,
        licence=licence,
        forms=(Form(kind=READERS[layout.reader], read=read, schema=_schema(layout)),),
        steps=steps,
        templates=layout.templates,
        answers=answers,
        labels=labels or {},
    )


def _check(layout: Layout) -> None:
    if layout.reader not in READERS:
        raise unknown("reader", layout.reader, READERS)
    for column, path in layout.map.items():
        if column not in MAPPED:
            raise unknown("record column", column, MAPPED)
        if layout.reader != "html" and "" in path.split("."):
            what = f"{path!r} is no field for {column!r}"
            raise UserError(what, mend='name one, as in "answer.text"')
    known = {*GIVEN.get(layout.reader, ()), *layout.map} - {*_NOT_TEXT}
    if layout.templates and "instruction" in known:
        what = "templates make the instruction, and the file holds one already"
        raise UserError(what, mend="keep one of the two")
    if not layout.templates and not known & {"instruction", "title"}:
        raise UserError(
            f"reader {layout.reader!r} needs to know which field is the instruction",
            mend='add map = { instruction = "FIELD", output = "FIELD" }',
        )
    for slot in _SLOT.findall(" ".join(layout.templates)):
        if slot not in known:
            raise unknown("slot of a template", slot, known)


def _schema(layout: Layout) -> pl.Struct | None:
    """The fields that a reader of JSON decodes."""
    if READERS[layout.reader] != "json":
        return None
    text = pl.String()
    known: dict[str, dict[str, pl.DataType]] = {
        "alpaca": {**dict.fromkeys((*TEXT, "system"), text), "history": pl.List(pl.List(text))},
        "sharegpt": {
            "conversations": pl.List(pl.Struct({"from": text, "value": text})),
            "system": text,
        },
        "messages": {"messages": pl.List(pl.Struct({"role": text, "content": text}))},
    }
    mapped = dict.fromkeys(layout.map.values(), text)
    return _nested({**known.get(layout.reader, {}), **mapped})


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
    """The mapped record columns."""
    found = {column: _at(raw, path) for column, path in layout.map.items()}
    for column in {"votes", "comments"} & found.keys():
        found[column] = integer(found[column])
    if "date" in found:
        day = found["date"].str.replace(_DAY, "${1}-${2}-${3}")
        found["date"] = day.str.to_date("%Y-%m-%d", strict=False)
    return found


_DAY = r"(?s)^\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2}).*$"
"""A day in the spellings that are read; a row's date must not depend on its neighbours', so no
spelling is guessed from a batch."""


def _at(raw: pl.DataFrame, path: str) -> pl.Expr:
    """The values at a dotted path, as text."""
    head, *rest = [path] if path in raw.columns else path.split(".")
    place = raw.select(pl.format("{}:{}", "file", "row").first()).item()
    if head not in raw.columns:
        names = [name for name in raw.columns if name not in {"file", "row"}]
        raise unknown("column", path, names, where=place)
    values = raw[head]
    for name in rest:
        if not isinstance(values.dtype, pl.Struct) or name not in values.struct.fields:
            what = f"there is no {path!r}: {values.name!r} is {values.dtype}"
            raise UserError(what, where=place, mend="mend the map")
        values = values.struct.field(name)
    if values.dtype.is_nested():
        what = f"column {path!r} is {values.dtype}, single values are needed"
        raise UserError(what, where=place, mend="map a field inside it")
    return pl.lit(_as_text(values))


def _as_text(values: pl.Series) -> pl.Series:
    """Single values as text; bytes that are none are null: their row is told as lacking them."""
    if values.dtype != pl.Binary:
        return values.cast(pl.String)
    told = (one if one is None else one.decode("utf-8", "replace") for one in values)
    whole = [None if one is None or "\ufffd" in one else one for one in told]
    return pl.Series(values.name, whole, dtype=pl.String)


def _records(raw: pl.DataFrame, layout: Layout, columns: dict[str, pl.Expr]) -> pl.DataFrame:
    """Records of the given columns: templates filled, and rows without text marked as faults.

    Without templates and an instruction of its own, a row's title is its instruction.
    Which template a row gets depends on its key or its texts, never on where the file lies.
    """
    made = raw.select("file", "row", **columns)
    if layout.templates:
        fields = {name: pl.col(name).fill_null("") for name in columns if name not in _NOT_TEXT}
        texts = pl.concat_str(fields.values(), separator="\x1f")
        key = pl.coalesce("key", texts) if "key" in columns else texts
        made = made.with_columns(instruction=fill(layout.templates, key, fields))
    elif "instruction" not in columns:
        made = made.with_columns(instruction="title")
    needed = dict.fromkeys([*_SLOT.findall(" ".join(layout.templates)), "instruction", "output"])
    tests = {
        f"no {column} (field {layout.map.get(column, column)!r} is missing or empty)": blank(
            pl.col(column)
        )
        for column in needed
        if column in made.columns
    }
    own = ["fault"] if "fault" in columns else []
    return made.with_columns(fault=pl.coalesce(*own, fault(tests))).drop("title", strict=False)


def read_fields(raw: pl.DataFrame, *, layout: Layout) -> pl.DataFrame:
    """Rows whose fields the mapping names."""
    return _records(raw, layout, _mapped(raw, layout))


def read_alpaca(raw: pl.DataFrame, *, layout: Layout) -> pl.DataFrame:
    """Alpaca rows: instruction, input, output and, where there are any, system and history."""
    turns = pl.col("history").list.eval(pl.element().list.to_struct(fields=list(TURN.to_schema())))
    odd = pl.col("history").list.eval(pl.element().list.len().fill_null(0) != 2).list.any()
    columns = {name: pl.col(name) for name in (*TEXT, "system")} | {
        "history": turns.cast(pl.List(TURN)),
        "fault": fault({"history must hold pairs of question and answer": odd}),
    }
    return _records(raw, layout, columns | _mapped(raw, layout))


_ROLES = {
    **dict.fromkeys(("human", "user"), "u"),
    **dict.fromkeys(("gpt", "assistant", "bot"), "a"),
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
    told = pl.col(list_).list.eval(pl.element().struct.field(what))
    order = roles.list.join("").fill_null("")
    led = order.str.starts_with("s")
    frame = raw.with_columns(
        order=order,
        lead=pl.when(led).then(told.list.first()),
        texts=pl.when(led).then(told.list.slice(1)).otherwise(told),
    )
    given = pl.col("system") if "system" in raw.columns else pl.lit(None, dtype=pl.String)
    last = {
        "instruction": pl.col("texts").list.get(-2, null_on_oob=True),
        "output": pl.col("texts").list.get(-1, null_on_oob=True),
    }
    pair = pl.struct(instruction=pl.element(), output=pl.element().shift(-1))
    pairs = pl.col("texts").list.eval(pair.gather_every(2)).cast(pl.List(TURN))
    columns = last | {
        "system": pl.coalesce("lead", given),
        "history": pairs.list.head(pl.max_horizontal(pairs.list.len(), 1) - 1),
        "fault": pl.coalesce(
            fault({f"no turns (field {list_!r} is missing or empty)": pl.col("order") == ""}),
            pl.when(~pl.col("order").str.contains(r"^s?(ua)+$")).then(
                pl.format("turns must be question and answer in turn, these are {}", "order")
            ),
            fault({"the last question is empty": blank(last["instruction"])}),
            fault({"the last answer is empty": blank(last["output"])}),
        ),
    }
    return _records(frame, layout, columns | _mapped(raw, layout))


def read_titled(raw: pl.DataFrame, *, layout: Layout) -> pl.DataFrame:
    """Wiki pages or text files: the text is the output; a file's title is its name."""
    if "title" not in raw.columns:
        stem = pl.col("file").str.extract(r"([^/\\!]+?)(?:\.\w+)?(?:\.(?:gz|zst|bz2))?$")
        raw = raw.with_columns(title=stem)
    return _pages(raw, layout, "the page has no text")


def read_pages(raw: pl.DataFrame, *, layout: Layout) -> pl.DataFrame:
    """HTML pages: the main text and the title, or the parts that the mapping selects."""
    pages = parts(raw, layout.map).rename({"output": "text"})
    own = {name: name for name in layout.map if name not in ("title", "output")}
    return _pages(pages, replace(layout, map=own), "no main text was found")


def _pages(raw: pl.DataFrame, layout: Layout, lack: str) -> pl.DataFrame:
    columns = {
        "title": pl.col("title"),
        "output": pl.col("text"),
        "fault": fault({lack: blank(pl.col("text"))}),
    }
    return _records(raw, layout, columns | _mapped(raw, layout))


_READ = {
    "alpaca": read_alpaca,
    **dict.fromkeys(("sharegpt", "messages"), read_turns),
    **dict.fromkeys(("mediawiki", "text"), read_titled),
    "html": read_pages,
}
