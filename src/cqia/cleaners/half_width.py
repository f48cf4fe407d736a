"""Full-width letters and digits to ASCII."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.text.guarded import rewrite

_RANGES = (("０", "９"), ("Ａ", "Ｚ"), ("ａ", "ｚ"))  # noqa: RUF001
_TABLE = {
    chr(code): chr(code - 0xFEE0)
    for low, high in _RANGES
    for code in range(ord(low), ord(high) + 1)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfWidth(Cleaner):
    """Turns full-width letters and digits into ASCII, so that one word has one spelling.

    Signs stay, the full-width ones of Chinese punctuation because they are right there, the others
    (percent, plus, equals) because a text that uses them uses them throughout.
    """

    def clean(self, text: pl.Expr) -> pl.Expr:
        return rewrite(text, "[０-９Ａ-Ｚａ-ｚ]", lambda few: few.str.replace_many(_TABLE))  # noqa: RUF001
