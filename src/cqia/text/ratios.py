"""Shares of a text's characters, as expressions over the compiled kernels.

Every share is null where there is nothing to take a share of, so an empty `input` counts as
unmeasured and a bound on a share never turns it away; `NearEmpty` is the filter for empty texts.
"""

from __future__ import annotations

import unicodedata
from enum import IntEnum
from functools import cache

import numpy as np
import polars as pl

from cqia.text.buffers import Bytes, batched, flat


class Kind(IntEnum):
    """The class of a character."""

    SPACE = 0
    """White space."""
    HAN = 1
    """Chinese characters, with the zero of dates and the iteration mark."""
    LATIN = 2
    """Latin letters, with accents and in full width."""
    LETTER = 3
    """Letters of any other script: Greek, kana, Hangul."""
    DIGIT = 4
    """Digits and numbers in any script: 7, ⑦, Ⅶ, also in full width."""
    SIGN = 5
    """Symbols that can be an answer by themselves: √ × ✓ ∞ and other mathematics beyond ASCII."""
    SYMBOL = 6
    """Everything else: punctuation, ASCII operators, emoji, marks, control characters."""


WRITTEN = (Kind.HAN, Kind.LATIN, Kind.LETTER, Kind.DIGIT, Kind.SIGN)
"""The classes that carry content."""

HAN = ((0x3005, 0x3005), (0x3007, 0x3007), (0x3021, 0x3029), (0x3038, 0x303B), (0x3400, 0x4DBF),
       (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))  # fmt: skip
"""The code points of Chinese characters, first and last of each run."""

HANGUL = (0xAC00, 0xD7A3)
"""The code points of Hangul syllables, first and last."""

LATIN = ((0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x24F), (0x1E00, 0x1EFF), (0xFF21, 0xFF3A),
         (0xFF41, 0xFF5A))  # fmt: skip
"""Runs that hold the Latin letters; what is not a letter there (×, ÷) stays a sign."""

ANSWER_SIGNS = "✓✔✗✘☑☒○●△"
"""Marks that people answer right-or-wrong questions with, beyond the mathematical symbols."""


def _kind(point: int) -> Kind:
    """The class of one code point outside the runs of Chinese characters."""
    char = chr(point)
    if char.isspace():
        return Kind.SPACE
    major, category = unicodedata.category(char)[0], unicodedata.category(char)
    if major == "L":
        latin = any(first <= point <= last for first, last in LATIN)
        return Kind.LATIN if latin else Kind.LETTER
    if major == "N":
        return Kind.DIGIT
    if (category == "Sm" and point > 0x7F) or char in ANSWER_SIGNS:
        return Kind.SIGN
    return Kind.SYMBOL


@cache
def kinds() -> Bytes:
    """Code point -> class, for all of Unicode."""
    table = np.full(0x110000, Kind.SYMBOL, np.uint8)
    table[HANGUL[0] : HANGUL[1] + 1] = Kind.LETTER
    for first, last in HAN:
        table[first : last + 1] = Kind.HAN
    for point in np.flatnonzero(table[:0x20000] == Kind.SYMBOL).tolist():
        table[point] = _kind(point)
    return table


def _counts(text: pl.Series, chosen: tuple[Kind, ...]) -> tuple[pl.Series, pl.Series]:
    """Characters of the chosen classes, and characters that are not white space."""
    from cqia.text.kernels import class_counts

    counts = class_counts(*flat(text), kinds(), len(Kind))
    some = pl.Series(text.name, counts[:, list(chosen)].sum(axis=1))
    return some, pl.Series(text.name, counts[:, 1:].sum(axis=1))


def characters(text: pl.Expr, *chosen: Kind) -> pl.Expr:
    """How many characters belong to the chosen classes; null stays null."""
    count = batched(text, lambda batch: _counts(batch, chosen)[0], pl.Int64)
    return pl.when(text.is_not_null()).then(count)


def share(text: pl.Expr, *chosen: Kind) -> pl.Expr:
    """Share of the non-space characters that belong to the chosen classes."""

    def shares(batch: pl.Series) -> pl.Series:
        some, total = _counts(batch, chosen)
        return (some / total).fill_nan(None)

    return batched(text, shares, pl.Float64)


def ngram_repetition(text: pl.Expr, length: int) -> pl.Expr:
    """Share of the character n-grams that belong to the most frequent repeated ones.

    With D distinct n-grams of which R occur more than once, it is the number of occurrences of the
    min(floor(sqrt(D)), R) most frequent ones over the number of all n-grams: the definition of
    data-juicer's character_repetition_filter, so that the two can be compared. White space counts.
    """

    def shares(batch: pl.Series) -> pl.Series:
        from cqia.text.kernels import ngram_repetition as measure

        return pl.Series(batch.name, measure(*flat(batch), length)).fill_nan(None)

    return batched(text, shares, pl.Float64)


def line_repetition(text: pl.Expr) -> pl.Expr:
    """Share of the non-space characters that stand in a line which stood before in the text."""

    def shares(batch: pl.Series) -> pl.Series:
        from cqia.text.kernels import line_repetition as measure

        return pl.Series(batch.name, measure(*flat(batch), kinds() == Kind.SPACE)).fill_nan(None)

    return batched(text, shares, pl.Float64)
