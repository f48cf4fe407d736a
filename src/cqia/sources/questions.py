"""What the sources of examination questions share: options, letters, and cutting a paper up.

A choice question's input is the question and its options, a line each; its answer opens with the
letters and ends with a sentence that says which option is right, as the release's records do.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

import polars as pl

LETTERS = "ABCDEFGH"
"""The letters of options, as many as papers have."""

OWN = r"^[(（]?[A-Ha-h][)）.．、:：]\s*"
"""An option's own letter."""

KINDS = {
    "单项选择题": r"单项?选|单选",
    "多项选择题": r"多项?选|多选|不定项",
    "选择题": r"选择",
    "填空题": r"填空",
    "法条分析题": r"法条分析|法条",
    "论述题": r"论述",
    "简答题": r"简答|简述|名词解释|概念",
    "分析题": r"案例|分析|材料",
}
"""The release's name of a kind of question -> how papers call it; the first that fits is taken."""


def kind(said: pl.Expr, letters: pl.Expr, default: str = "简答题") -> pl.Expr:
    """The kind of a question: as its paper calls it, or by its answer's letters, or the default."""
    found = (
        pl.when(letters.str.len_chars() > 1)
        .then(pl.lit("多项选择题"))
        .when(letters.is_not_null())
        .then(pl.lit("单项选择题"))
        .otherwise(pl.lit(default))
    )
    for name, pattern in reversed(KINDS.items()):
        found = (
            pl.when(said.fill_null("").str.contains(pattern)).then(pl.lit(name)).otherwise(found)
        )
    return found


def lines(options: pl.Expr) -> pl.Expr:
    """A list of options as lines `A. …`.

    An option's own letter is taken off and its place's put on: most carry one, some a wrong one.
    """
    bare = pl.element().str.strip_chars().str.replace(OWN, "")
    letter = pl.lit(pl.Series(list(LETTERS))).gather(pl.element().cum_count().cast(pl.Int64) - 1)
    return (
        options.list.drop_nulls()
        .list.head(len(LETTERS))
        .list.eval(pl.format("{}. {}", letter, bare))
        .list.join("\n")
    )


def right(answer: pl.Expr) -> pl.Expr:
    """The letters of the right options, `A` or `ACD`, in order; null where the answer is words.

    `答案：B`, `(B)`, `A、C、D`, `acd` and `【答案】AC` are read; words after the letters are not.
    """
    bare = (
        answer.str.strip_chars()
        .str.replace_many(_HALF)
        .str.replace(
            r"^(?:[【\[]?\s*(?:正确|参考|标准)?答案\s*[】\]]?\s*(?:是|为)?\s*[:：]?\s*)?", ""
        )
    )
    found = bare.str.extract(r"^[(（]?([A-Ha-h](?:[\s,，、;；]*[A-Ha-h])*)[)）]?[\s.。．]*$")
    return (
        found.str.to_uppercase()
        .str.replace_all(r"[^A-H]", "")
        .str.split("")
        .list.unique(maintain_order=True)
        .list.sort()
        .list.join("")
        .replace({"": None})
    )


def solved(letters: pl.Expr, analysis: pl.Expr, end: str) -> pl.Expr:
    """The explanation, closed by the sentence `end` (`故本题选{}。`) unless it ends so itself.

    One that breaks off is left as it is, so that it can be seen to.
    """
    why = analysis.fill_null("").str.strip_chars()
    why = why.str.replace(
        r"^(?:[【\[]\s*(?:解析|分析|详解|答案解析)\s*[】\]]|(?:解析|分析)\s*[:：])\s*", ""
    )
    last = pl.format(end, letters)
    said = why.str.tail(24).str.contains(
        r"(?:本题|故|答案|应|正确).{0,8}[选为是]\s*[A-H]+\s*[。.]?$"
    )
    return (
        pl.when(letters.is_null() | (why == ""))
        .then(why)
        .when(said | why.str.contains(r"[，、,:：；;（(]$"))
        .then(why)
        .otherwise(pl.concat_str(why, last, separator="\n"))
    )


_HALF = {chr(ord(letter) + 0xFEE0): letter for letter in LETTERS}
"""Full-width letters, which PDF files have."""

_NUMBER = re.compile(
    r"^(?:#{1,6}\s*)?(?:[(（](\d{1,3})[)）]|(?:第\s*)?(\d{1,3})\s*(?:[、.．]|题))\s*", re.MULTILINE
)
_PART = re.compile(
    r"^[^\S\n]*+(?:\*\*)?[【\[]\s*+(答案|解析|分析|详解|解答|解)\s*+[】\]](?:\*\*)?\s*+(?:[:：]\s*+)?",
    re.MULTILINE,
)
_SCORE = re.compile(r"[(（]\s*+(?:(?:本题满分|本题|满分)\s*+)?(\d{1,2})\s*+分\s*+[)）]")
_HEADING = re.compile(r"^#{1,6}\s+(.+)$", re.MULTILINE)
_OPTION = re.compile(r"^\s*+[(（]?([A-H])[)）.．、:：]\s*+(.*)$")


def paper(text: str) -> list[dict[str, object]]:
    """The questions of a paper written as Markdown.

    A question begins on a line of its own with its number; `【答案】` and `【解析】` open its
    parts; a heading above says what kind of questions follow; `(4分)` says what one is worth.

    Returns:
        One dict a question: number, kind (the heading above it), score, question, options, answer,
        analysis. Texts are "" where a part is missing. A paper without a numbered question: [].
    """
    headings = list(_HEADING.finditer(text))
    starts = _starts(text, headings)
    ends = [heading.end() for heading in headings]
    found: list[dict[str, object]] = []
    for place, match in enumerate(starts):
        end = starts[place + 1].start() if place + 1 < len(starts) else len(text)
        above = bisect_right(ends, match.start())
        block = _HEADING.sub("", text[match.end() : end]).strip()
        parts = _PART.split(block)
        told = dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))
        score = _SCORE.search(parts[0])
        body = _SCORE.sub("", parts[0], count=1).strip()
        question, options = _options(body)
        analysis = [told[name] for name in ("解析", "分析", "详解", "解答", "解") if told.get(name)]
        found.append(
            {
                "number": match[1] or match[2],
                "kind": headings[above - 1][1].strip() if above else "",
                "score": score[1] if score else None,
                "question": question,
                "options": options,
                "answer": told.get("答案", ""),
                "analysis": "\n".join(analysis),
            }
        )
    return found


def _starts(text: str, headings: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    """Where questions begin: at a number that goes on from the last, or the first under a heading.

    Other numbered lines are parts of a question (`（1）求……`) or steps of an answer.
    """
    found: list[re.Match[str]] = []
    ends = [heading.end() for heading in headings]
    last = 0
    for match in _NUMBER.finditer(text):
        number = int(match[1] or match[2])
        above = bisect_right(ends, match.start())
        fresh = not found or (above and headings[above - 1].start() >= found[-1].end())
        if fresh or number == last + 1:
            found.append(match)
            last = number
    return found


def _options(body: str) -> tuple[str, list[str]]:
    """A question's text, and its options where lines of it begin with letters in order."""
    kept: list[str] = []
    options: list[list[str]] = []
    for line in body.split("\n"):
        option = _OPTION.match(line)
        if option and option[1] == LETTERS[len(options)]:
            options.append([option[2].strip()])
        elif options:
            options[-1] += [line] if line.strip() else []
        else:
            kept.append(line)
    return "\n".join(kept).strip(), ["\n".join(lines) for lines in options]
