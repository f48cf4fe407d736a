"""Targets: every cleaner and every filter."""

from __future__ import annotations

import math
from collections.abc import Callable

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.cleaners.catalogue import CLEANERS
from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.wikitext_to_text import WikitextToText
from cqia.filters.base import Filter
from cqia.filters.catalogue import FILTERS
from cqia.filters.sensitive import CATEGORIES, SensitiveWords
from cqia.record import DEFAULTS, SCHEMA
from fuzz.draw import Draw
from fuzz.target import Target, hold

UNITS: tuple[Cleaner, ...] = (*(unit() for unit in CLEANERS.values()), HtmlToText(mode="html"))


def rules() -> list[Filter]:
    """Every filter with its usual setting."""
    plain = [one() for name, one in FILTERS.items() if name != "SensitiveWords"]
    return [*plain, *(SensitiveWords(category=category) for category in CATEGORIES)]


def cleaned(unit: Cleaner, texts: list[str | None]) -> list[str | None]:
    """A column of texts after a cleaner."""
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    counts = unit.counts(pl.col("text"))
    if counts is not None:
        frame.select(counts)
    return frame.select(unit.clean(pl.col("text"))).to_series().to_list()


def cleaner(unit: Cleaner) -> Callable[[bytes], None]:
    """Null stays null, twice is once (where not all text is taken for markup), rows stand alone."""

    def check(data: bytes) -> None:
        texts = Draw(data).texts()
        once = cleaned(unit, texts)
        hold([one is None for one in once] == [one is None for one in texts], "null stays null")
        again = [None, *reversed(once)]
        if not isinstance(unit, WikitextToText) and not (
            isinstance(unit, HtmlToText) and unit.mode == "html"
        ):
            hold(cleaned(unit, again) == again, "cleaning twice changes nothing")
        hold(cleaned(unit, texts[:1]) == once[:1], "a row is cleaned alone as among others")

    return check


def record(draw: Draw, rows: int) -> pl.DataFrame:
    """Records with hostile texts and numbers."""
    texts = ("instruction", "input", "output", "question", "metadata", "system")
    frame = pl.DataFrame(
        {name: [draw.text() for _ in range(rows)] for name in texts}
        | {name: [draw.pick((None, 0, -1, 2**62)) for _ in range(rows)]
           for name in ("votes", "comments")},
        schema_overrides={"votes": pl.Int64, "comments": pl.Int64},
    )  # fmt: skip
    more = {name: value for name, value in DEFAULTS.items() if name not in frame.columns}
    made = frame.with_columns(id=pl.lit("x"), source=pl.lit("x"), file=pl.lit("f"), row=1, **more)
    return made.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def rule(one: Filter) -> Callable[[bytes], None]:
    """A measure is a number or null, and the same alone as among others."""

    def check(data: bytes) -> None:
        draw = Draw(data)
        frame = record(draw, 1 + draw.below(4))
        found = frame.select(value=one.measure())["value"]
        hold(found.dtype.is_numeric() and len(found) == len(frame), "a number a record")
        for value in found:
            hold(value is None or math.isfinite(value), f"{value} is no measure")
        alone = frame.head(1).select(value=one.measure())["value"]
        hold(alone.to_list() == found.head(1).to_list(), "measured alone as among others")

    return check


def _name(unit: Cleaner) -> str:
    mode = "-html" if isinstance(unit, HtmlToText) and unit.mode == "html" else ""
    return f"cleaner-{type(unit).__name__}{mode}"


def _label(one: Filter) -> str:
    more = f"-{one.category}" if isinstance(one, SensitiveWords) else ""
    return f"filter-{type(one).__name__}{more}"


TARGETS = (
    *(Target(_name(unit), cleaner(unit)) for unit in UNITS),
    *(Target(_label(one), rule(one)) for one in rules()),
)
