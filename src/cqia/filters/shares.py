"""What a text is made of: shares of its non-space characters.

Every bound here is this project's choice. A share is null for a text without characters.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.filters.base import TextFilter
from cqia.text.ratios import Kind, characters, share

URL = r"(?:https?://|HTTPS?://|ftp://|www\.|WWW\.)[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+"
"""A web address: ends at the first character that no address holds, such as a Chinese one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HanShare(TextFilter):
    """Share of Chinese characters: low in text of another language, code and garbage."""

    low: float | None = 0.3

    def measure(self) -> pl.Expr:
        return share(pl.col(self.field), Kind.HAN)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatinShare(TextFilter):
    """Share of Latin letters: high in English text and in code."""

    high: float | None = 0.6

    def measure(self) -> pl.Expr:
        return share(pl.col(self.field), Kind.LATIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitShare(TextFilter):
    """Share of digits and other numbers: high in number tables, phone lists and keys."""

    high: float | None = 0.6

    def measure(self) -> pl.Expr:
        return share(pl.col(self.field), Kind.DIGIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolShare(TextFilter):
    """Share of punctuation and symbols, emoji among them: high in ornaments and broken extraction.

    Ordinary Chinese prose lies between 0.10 and 0.18; formulas and code reach 0.5.
    """

    high: float | None = 0.5

    def measure(self) -> pl.Expr:
        return share(pl.col(self.field), Kind.SIGN, Kind.SYMBOL)


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlShare(TextFilter):
    """Share of the characters that stand in web addresses: high in link lists."""

    high: float | None = 0.2

    def measure(self) -> pl.Expr:
        text = pl.col(self.field)
        within = text.str.extract_all(URL).list.join("").str.len_chars()
        total = characters(text, *Kind) - characters(text, Kind.SPACE)
        return pl.when(total > 0).then(within / total)
