"""Words of pornography, gambling, drugs, fraud, violence and abuse.

A word on such a list is often harmless where it stands: law texts name crimes and medical texts
name organs. Each category has an allow-list of phrases in which its words mean no harm; they are
matched together with the words and consume what they cover. `docs/sensitive-words.md` shows how
often the lists are wrong on real law, medical, exam, poetry and finance text.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.errors import unknown
from cqia.filters.base import TextFilter
from cqia.filters.phrases import phrases, weight

CATEGORIES = ("abuse", "drugs", "fraud", "gambling", "pornography", "violence")
"""The categories that have a list `CATEGORY.txt` and an allow-list `CATEGORY.allow.txt`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitiveWords(TextFilter):
    """Number of distinct sensitive words of one category that stand in the text.

    The lists and the bound are this project's choice. Write one filter a category: the ledger then
    says which one turned a record away.
    """

    high: float | None = 0
    category: str
    """One of `CATEGORIES`."""
    words: tuple[str, ...] = ()
    """More words for this category."""
    allow: tuple[str, ...] = ()
    """More phrases in which a word is harmless."""

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES:
            raise unknown("category", self.category, CATEGORIES, where="SensitiveWords")

    @property
    def key(self) -> str:
        """The name the ledger knows it by: the class, the category and the column."""
        return f"{type(self).__name__}.{self.category}.{self.field}"

    def measure(self) -> pl.Expr:
        listed = {**phrases(self.category), **dict.fromkeys(self.words, 1)}
        return weight(pl.col(self.field), listed, (*phrases(f"{self.category}.allow"), *self.allow))
