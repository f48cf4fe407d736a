"""Answers that break off in the middle."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.filters.base import TextFilter

FENCE = "```"
"""What opens and closes a code block."""

TAIL = 400
"""Characters at the end that are looked at; a longer last line is no list item and no poem."""

OPEN = r"(?:[，、,（(“‘《【「『]|[:：])$"
"""A text that ends so promises more: a comma, a colon, or a bracket that was only opened."""

UNFINISHED = r"[\p{Han}\p{L}]$"
"""The last line ends in the middle of words. Digits, formulas, closing brackets and quotes, emoji,
Markdown marks and any sentence mark end a text well."""

COMPLETE_LINE = "|".join(
    (
        r"^\s*(?:[-*+•·●▪◆]|\d{1,3}[.、)）．]|[(（]?[一二三四五六七八九十\d]{1,3}[)）、.．]|[①-⑳]|#|\|)",
        r"^[^，。！？；,;]*$|^[^，。！？,]*$",
        r"(?:了|吧|呢|啊|呀|哦|吗|嘛|等|谢谢|康复)$",
        r"(?:答案|选择?|为|是)\s*[:：]?\s*[A-H]+项?$",
        r"(?:https?://|www\.)\S+$",
        r"#[^#\s]{1,20}$",
        r"[\\${}=]",
    )
)
"""Last lines that need no sentence mark: list items, headings, table rows; labels and enumerations
without a comma; closing words; the letter of an option; addresses, tags, formulas and code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncation(TextFilter):
    """1 when the text breaks off, else 0; null for an empty text.

    It breaks off when a code block is left open, when it ends with a comma, a colon or an opening
    bracket, or when its last line is longer than `short` and ends in the middle of words. What only
    looks unfinished counts as finished: short answers, lines of poems, list items, table rows,
    headings, formulas, code, tags, addresses.
    """

    high: float | None = 0
    short: int = 24
    """Characters in a last line that may go without a sentence mark; this project's choice."""

    def measure(self) -> pl.Expr:
        text = pl.col(self.field)
        tail = text.str.strip_chars_end().str.tail(TAIL)
        last = tail.str.split("\n").list.last()
        opened = text.str.count_matches(FENCE, literal=True) % 2 == 1
        broken = last.str.contains(UNFINISHED) & (last.str.len_chars() > self.short)
        cut = last.str.contains(OPEN) | (broken & ~last.str.contains(COMPLETE_LINE))
        return pl.when(tail != "").then((opened | cut).cast(pl.Int8))
