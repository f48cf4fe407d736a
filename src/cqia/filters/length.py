"""How long a text is.

A character is a Unicode code point and white space counts, as in Python's `len`, so a number here
is the number that the description of the dataset shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.filters.base import Filter, TextFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class Length(TextFilter):
    """Number of characters of one text column.

    No bound by default: what is too short or too long is each source's own affair.
    """

    def measure(self) -> pl.Expr:
        return pl.col(self.field).str.len_chars()


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptLength(Filter):
    """Number of characters of instruction and input together: what the model is given to read.

    No bound by default.
    """

    def measure(self) -> pl.Expr:
        parts = (pl.col("instruction"), pl.col("input"))
        return pl.sum_horizontal(*(part.str.len_chars().fill_null(0) for part in parts))
