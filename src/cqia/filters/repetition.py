"""How much of a text repeats itself, as in boilerplate, loops of a model and scraped menus.

Both bounds are this project's choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.filters.base import TextFilter
from cqia.text.ratios import line_repetition, ngram_repetition


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRepetition(TextFilter):
    """Share of the characters in lines that stood before in the same text.

    The first occurrence of a line does not count. White space is neither counted nor told apart.
    """

    high: float | None = 0.3

    def measure(self) -> pl.Expr:
        return line_repetition(pl.col(self.field))


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramRepetition(TextFilter):
    """Share of the character n-grams that belong to the text's most frequent repeated ones.

    See `cqia.text.ratios.ngram_repetition` for the formula.
    """

    high: float | None = 0.5
    length: int = 10
    """Characters in an n-gram."""

    def __post_init__(self) -> None:
        if self.length < 1:
            raise ValueError(f"length must be at least 1, got {self.length}")

    def measure(self) -> pl.Expr:
        return ngram_repetition(pl.col(self.field), self.length)
