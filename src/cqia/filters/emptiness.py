"""Texts that say nothing: empty, nearly empty, or made of punctuation only."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.filters.base import TextFilter
from cqia.text.ratios import WRITTEN, characters


@dataclass(frozen=True, slots=True, kw_only=True)
class NearEmpty(TextFilter):
    """Number of characters that carry content: letters, digits, and signs such as √ and ×.

    White space, punctuation and emoji don't count, so `……！！` and `👍👍` measure 0 while the
    answer `B` measures 1. A null text is not written yet and stays unmeasured. The bound is this
    project's choice: 1 keeps one-letter answers.
    """

    low: float | None = 1

    def measure(self) -> pl.Expr:
        return characters(pl.col(self.field), *WRITTEN)
