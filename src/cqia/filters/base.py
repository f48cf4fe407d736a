"""What a filter is: it measures one number of a record and keeps it when the number is in bounds.

The measure is stored apart from the bound, so moving a bound is a query over the ledger and not a
rerun. A null measure means "not measurable here" (a source without votes, say): the record is kept
and the ledger counts it as unmeasured.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter(ABC):
    """Measures one number of a record; keeps it when low <= number <= high."""

    low: float | None = None
    """Smallest number that is kept; None: no lower bound."""
    high: float | None = None
    """Largest number that is kept; None: no upper bound."""

    @property
    def key(self) -> str:
        """The name the ledger knows it by."""
        return type(self).__name__

    @abstractmethod
    def measure(self) -> pl.Expr:
        """The number, one a record: Float64 or an integer; null when it can't be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFilter(Filter):
    """A filter over one text column."""

    field: str = "output"
    """The text column it measures."""

    @property
    def key(self) -> str:
        """The name the ledger knows it by: the class and the column."""
        return f"{type(self).__name__}.{self.field}"


def within(value: pl.Expr, low: float | None, high: float | None) -> pl.Expr:
    """Whether a measure lies within its bounds; true where it could not be measured."""
    inside = pl.lit(True)
    if low is not None:
        inside = inside & (value >= low)
    if high is not None:
        inside = inside & (value <= high)
    return inside.fill_null(True)
