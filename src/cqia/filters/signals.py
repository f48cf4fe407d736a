"""What the source says of an item beside its text: votes, comments, the day.

No bounds by default: each source counts differently. Null where the source says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.filters.base import Filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes(Filter):
    """Number of votes for the answer or the post."""

    def measure(self) -> pl.Expr:
        return pl.col("votes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comments(Filter):
    """Number of comments under the answer or the post."""

    def measure(self) -> pl.Expr:
        return pl.col("comments")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published(Filter):
    """The day of publication as the number yyyymmdd: `Published(low=20190101)`."""

    def measure(self) -> pl.Expr:
        day = pl.col("date")
        return day.dt.year() * 10_000 + day.dt.month().cast(pl.Int32) * 100 + day.dt.day()
