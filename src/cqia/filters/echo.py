"""Answers that only say the instruction again."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.filters.base import Filter

IGNORED = r"""[\s。，、；：？！…—·.,;:?!"'“”‘’《》〈〉「」『』（）()【】\[\]*_#`]+"""
"""What does not tell two texts apart: white space, punctuation, Markdown marks. Operators stay."""


SLACK = 16
"""An answer longer than twice the prompt and this is not compared."""


def plain(text: pl.Expr) -> pl.Expr:
    """The text without white space, punctuation and case."""
    return text.fill_null("").str.replace_all(IGNORED, "").str.to_lowercase()


@dataclass(frozen=True, slots=True, kw_only=True)
class SameAsInstruction(Filter):
    """1 when the answer is the instruction, the input or both over again, else 0.

    White space, punctuation and case are ignored; an answer of nothing else measures 0.
    """

    high: float | None = 0

    def measure(self) -> pl.Expr:
        asked = pl.concat_str("instruction", pl.col("input").fill_null(""), ignore_nulls=True)
        answer = pl.col("output")
        alike = answer.str.len_chars() <= 2 * asked.str.len_chars() + SLACK
        instruction, given = plain(pl.col("instruction")), plain(pl.col("input"))
        output = plain(pl.when(alike).then(answer))
        same = (output == instruction) | (output == given) | (output == instruction + given)
        return pl.when(answer.is_not_null()).then((same & (output != "")).cast(pl.Int8))
