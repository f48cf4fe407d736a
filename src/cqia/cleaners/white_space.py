"""Spaces, tabs and blank lines."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.text.buffers import batched
from cqia.text.fences import blocks

_PAUSE = "，。、；：？！…"
_OPEN = "（《〈“‘【「『〔"  # noqa: RUF001
_SHUT = "）》〉”’】」』〕"  # noqa: RUF001
_MUCH_SPACE = r"[ \t][ \t\n]|\t|\n\n\n"
_ANY_SPACE = r" |\t|\n\n\n"
"""What a text must hold for there to be anything to fold."""
_HAN = rf"[\p{{Han}}{_PAUSE}{_OPEN}{_SHUT}]"


def _lines(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"[ \t]+\n", "\n").str.replace_all(r"\n{3,}", "\n\n")


def _runs(text: pl.Expr, to: str) -> pl.Expr:
    """Runs of blanks beside a Chinese character become `to`; never those that begin a line."""
    for _ in range(2):
        text = text.str.replace_all(rf"({_HAN})(?:[ \t]{{2,}}|\t)([^ \t\n])", f"${{1}}{to}${{2}}")
        text = text.str.replace_all(rf"([^ \t\n])(?:[ \t]{{2,}}|\t)({_HAN})", f"${{1}}{to}${{2}}")
    return text


def _singles(text: pl.Expr) -> pl.Expr:
    """Single spaces between two Chinese characters, or beside a sign that brings its own space."""
    for _ in range(2):
        text = text.str.replace_all(rf"({_HAN}) ({_HAN})", "${1}${2}")
    text = text.str.replace_all(rf"([^ \t\n]) ([{_PAUSE}{_SHUT}])", "${1}${2}")
    return text.str.replace_all(rf"([{_OPEN}，、；：]) ([^ \t\n])", "${1}${2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WhiteSpace(Cleaner):
    """Trims the ends and every line's end, and folds runs of blanks and blank lines.

    A run of spaces or tabs beside a Chinese character becomes one space; three or more newlines
    become two. Indentation and fenced code stay as they are.
    """

    unspace_han: bool = False
    """Also deletes single spaces between Chinese characters and signs, which extraction from PDF
    leaves ("源 于", "（ 6分）"). A run is a gap to fill in there and becomes two spaces, so that it
    is not lost with them."""

    def clean(self, text: pl.Expr) -> pl.Expr:
        return batched(text, self._clean, pl.String)

    def _clean(self, text: pl.Series) -> pl.Series:
        guard = _ANY_SPACE if self.unspace_han else _MUCH_SPACE
        hit = text.str.contains(guard).fill_null(False).arg_true()
        plain = text
        if not hit.is_empty():
            plain = text.clone().scatter(hit, self._folded(text.gather(hit)))
        return plain.str.strip_chars_end(" \t\n").str.replace(r"^[ \t]*\n[ \t\n]*\n?", "")

    def _folded(self, text: pl.Series) -> pl.Series:
        """The texts folded; inside fenced blocks they stay as they are."""
        plain = text.to_frame("text").select(self._fold(pl.col("text"))).to_series()
        fenced = text.str.contains("```", literal=True).fill_null(False).arg_true()
        if fenced.is_empty():
            return plain
        return plain.scatter(fenced, self._around(text.gather(fenced)))

    def _fold(self, text: pl.Expr) -> pl.Expr:
        folded = _runs(_lines(text), "  " if self.unspace_han else " ")
        return _singles(folded) if self.unspace_han else folded

    def _around(self, text: pl.Series) -> pl.Series:
        """The texts folded outside their fenced blocks."""
        cut = [blocks(one) for one in text]
        prose = pl.Series("text", [piece for one in cut for code, piece in one if not code])
        folded = iter(
            prose.cast(pl.String).to_frame().select(self._fold(pl.col("text"))).to_series()
        )
        return pl.Series(
            ["".join(piece if code else next(folded) for code, piece in one) for one in cut],
            dtype=pl.String,
        )
