"""Small expressions that several readers of raw forms share.

Raw numbers come as text: a site writes one id as `12` today and as `"12"` tomorrow, and a strict
number type in a JSON schema would refuse the whole batch for it.
"""

from __future__ import annotations

import polars as pl

BEIJING = 8 * 3600
"""Seconds by which the clock of a Chinese site is ahead of UTC; it decides an item's date."""


def integer(text: pl.Expr) -> pl.Expr:
    """A number that came as text; null when it is none."""
    return text.cast(pl.Int64, strict=False)


def day(seconds: pl.Expr) -> pl.Expr:
    """The date in Beijing of a Unix time that came as text."""
    return pl.from_epoch(integer(seconds) + BEIJING, time_unit="s").dt.date()


def facts(named: dict[str, pl.Expr]) -> pl.Expr:
    """The metadata line `name:value, name:value`; names whose value is null are left out."""
    parts = [pl.format("{}:{}", pl.lit(name), value) for name, value in named.items()]
    return pl.concat_str(parts, separator=", ", ignore_nulls=True)


def blank(text: pl.Expr) -> pl.Expr:
    """Whether a text is absent or holds white space only."""
    return text.fill_null("").str.strip_chars() == ""


def fault(tests: dict[str, pl.Expr]) -> pl.Expr:
    """The first of the named tests that is true; null when none is."""
    found = pl.lit(None, dtype=pl.String)
    for name, hit in reversed(tests.items()):
        found = pl.when(hit.fill_null(False)).then(pl.lit(name)).otherwise(found)
    return found


def column(raw: pl.DataFrame, *names: str) -> pl.Expr:
    """The first of some columns that is not null; null where the frame has none of them.

    Crawlers' tables name one thing in several ways.
    """
    return pl.coalesce(*(name for name in names if name in raw.columns), pl.lit(None, pl.String))


def tally(shown: pl.Expr) -> pl.Expr:
    """A count as a site shows it: `812`, `1,024`, `1.5万`, `10万+`, `2.3k`; null for others."""
    plain = shown.str.replace_all(r"[\s,，+]", "")
    number = plain.str.extract(r"^(\d+(?:\.\d+)?)(?:[千万亿kKwW])?$").cast(pl.Float64)
    unit = plain.str.extract(r"([千万亿kKwW])$").str.to_lowercase()
    times = unit.replace_strict(
        {"千": 1_000, "k": 1_000, "万": 10_000, "w": 10_000, "亿": 100_000_000},
        default=1,
        return_dtype=pl.Int64,
    )
    return (number * times).round().cast(pl.Int64, strict=False)
