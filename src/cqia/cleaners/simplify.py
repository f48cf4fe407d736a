"""Traditional Chinese to simplified."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.text.buffers import batched
from cqia.text.han import simplify


@dataclass(frozen=True, slots=True, kw_only=True)
class Simplify(Cleaner):
    """Converts traditional characters to simplified ones by OpenCC's `t2s` tables.

    Punctuation (「」『』), kana and Latin stay. Japanese is not told from Chinese: an old-form
    kanji such as 國 is converted there too, while a new-form one such as 図 stays. Regional words
    are not translated (軟體 becomes 软体, not 软件).
    """

    def clean(self, text: pl.Expr) -> pl.Expr:
        return batched(text, simplify, pl.String)
