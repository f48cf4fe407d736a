"""Lines that a page's width broke in the middle of a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.text.fences import blocks
from cqia.text.guarded import amend

_ENDED = re.compile(r"[。！？!?…：:；;．.|$=*{}][”’」』）)】\"\s]*$")
"""A line that ends here ends by itself: a sentence's end, a formula, a table row."""

_STARTS = re.compile(
    r"""[ \t\u3000]                             # an indented paragraph, or a blank line
    |[（(]?[A-HＡ-Ｈ](?:[．.、:：)）]|\s)             # an option
    |[（(]\s?[\d一二三四五六七八九十]{1,3}\s?[）)]      # （1）, (二)
    |\d{1,3}\s?(?:[．、)）]|[.](?!\d))               # 12．
    |[一二三四五六七八九十]{1,3}[、．.]|第[一二三四五六七八九十\d]{1,3}[章节题问步步，、：\s]
    |[=≈÷①-⑳㈠-㈩⑴-⒇【〖★☆●○■◆▲△※•·#>|*+$`\\]|-[ ]     # marks, Markdown, a formula, code
    |材料|资料|注[：:释]|答案|答[：:]|解[：:析答]|故选|故答案|选项|图[\d一二]|表[\d一二]
    |阅读|回答|请|试题|分析|点评|例[\d一二]|问题|实验[一二三\d]|作者|——
    """,  # noqa: RUF001
    re.VERBOSE,
)
"""A line that begins so is not the rest of the line above."""

_DANGLING = re.compile(r"[，。、；：？！）》”’】」』]")
_OPENED = re.compile(r"[（《“‘【「『]\s*$")
_LATIN = re.compile(r"[A-Za-z,]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class RejoinLines(Cleaner):
    """Joins a line that was broken in the middle of a sentence with the next one.

    Texts taken from PDF keep the page's line ends. A line is taken as broken when it is as long as
    a page's line, does not end as a sentence ends, and the next line does not begin as an option,
    a question number, a list or a heading begins; and, whatever their length, when the next line
    begins with a sign that cannot begin a line, or this one ends with an opening bracket or quote.
    Blank lines, indented lines and fenced code stay apart. For sources that come from PDF only: in
    other texts a long line without a full stop (a heading, an item, verse) would be joined too.
    """

    shortest: int = 24
    """Width of the shortest line that a page can have broken, in Han characters: an ASCII character
    is half as wide. This project's choice, as is `longest`."""
    longest: int = 60
    """Width of the longest one: what is longer was not broken by a page."""

    def clean(self, text: pl.Expr) -> pl.Expr:
        return amend(text, r"[^\n]\n[^\n]", self._rejoin)

    def _rejoin(self, text: str) -> str:
        return "".join(piece if code else self._prose(piece) for code, piece in blocks(text))

    def _prose(self, text: str) -> str:
        done: list[list[str]] = []
        for line in text.split("\n"):
            if done and self._broken(done[-1], line):
                gap = " " if _LATIN.search(done[-1][-1]) and line[:1].isascii() else ""
                done[-1][-1] = done[-1][-1].rstrip()
                done[-1].append(gap + line)
            else:
                done.append([line])
        return "\n".join("".join(one) for one in done)

    def _broken(self, above: list[str], line: str) -> bool:
        last = above[-1].rstrip()
        if not last or not line.strip():
            return False
        if _DANGLING.match(line) or _OPENED.search(last):
            return True
        whole = sum(map(_width, above))
        long = any(self.shortest <= width <= self.longest for width in (_width(last), whole))
        return long and not _ENDED.search(last) and not _STARTS.match(line)


def _width(line: str) -> float:
    """The width in Han characters: what UTF-8 needs three bytes for counts one, ASCII a half."""
    return (len(line) + len(line.encode())) / 4
