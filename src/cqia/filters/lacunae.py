"""Gaps in a text that has come down to us damaged."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.filters.base import TextFilter

GAP = r"[□■〓◻▢]|\[[?？]\]"
"""How editions print a character that can't be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacunae(TextFilter):
    """How many characters an edition prints as unreadable (`□`).

    A model would learn to write the gaps. The signs and the bound are this project's choice.
    """

    high: float | None = 0

    def measure(self) -> pl.Expr:
        return pl.col(self.field).str.count_matches(GAP)
