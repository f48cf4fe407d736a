"""What the raw item itself says against its use."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.filters.base import Filter

MARK = "状态:"
"""How a reader writes the mark into the metadata: `状态:置顶`, `状态:收起`, `状态:付费`,
`状态:缺图`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Filter):
    """1 when the raw item is marked as pinned, collapsed, paid, or as leaning on a picture, else 0.

    A reader writes the mark into the metadata and turns nothing away; this filter does, so that the
    ledger can say why. That such items go is this project's choice.
    """

    high: float | None = 0

    def measure(self) -> pl.Expr:
        return pl.col("metadata").str.contains(MARK, literal=True).cast(pl.Int64)
