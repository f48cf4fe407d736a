"""The bad table: items that could not be read, each with its place and the reason."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

BAD = {"file": pl.String, "row": pl.Int64, "reason": pl.String, "raw": pl.String}
"""Columns of the bad table; `raw` is the start of the item as it stood."""

SHOWN = 200
"""Characters of a bad item that are kept to show."""


class Batch(NamedTuple):
    """Some raw items: the good ones as a frame, the bad ones as a bad table."""

    items: pl.DataFrame
    bad: pl.DataFrame


def bad_rows(rows: list[tuple[str, int, str, str]]) -> pl.DataFrame:
    """A bad table of (file, row, reason, raw)."""
    cut = [(file, row, reason, raw[:SHOWN]) for file, row, reason, raw in rows]
    return pl.DataFrame(cut, schema=BAD, orient="row")
