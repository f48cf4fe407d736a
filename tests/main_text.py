"""How much of a page's main text an extractor keeps, and how much else: lines against a key.

The key names the lines by length and hash alone, so that no page's text stands in the project.
`main` are the lines of the article; `neutral` ones (title, date, by-line, captions) count neither
way. White space and the marks of Markdown are left out on both sides, and a line of the key is
looked for anywhere in the extracted text, so that it doesn't matter how an extractor breaks lines.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple

KEY = Path(__file__).with_name("main_text.json")
_MARKS = re.compile(r"[\s*#>|_`\\•·-]+")


class Score(NamedTuple):
    """Lines of the key that were kept; and lines kept that are main text, neutral ones aside."""

    wanted: int
    found: int
    kept: int
    right: int

    @property
    def recall(self) -> float:
        return self.found / self.wanted

    @property
    def precision(self) -> float:
        return self.right / self.kept if self.kept else 0.0


def bare(line: str) -> str:
    """A line without white space and Markdown's marks."""
    return _MARKS.sub("", line)


def mark(line: str) -> tuple[int, str]:
    """A bare line as the key names it."""
    return len(line), hashlib.sha256(line.encode()).hexdigest()[:12]


def key() -> dict[str, dict[str, list[tuple[int, str]]]]:
    """Page -> main and neutral lines."""
    pages = json.loads(KEY.read_text())
    return {
        page: {kind: [(size, name) for size, name in lines] for kind, lines in one.items()}
        for page, one in pages.items()
    }


def score(text: str, page: dict[str, list[tuple[int, str]]]) -> Score:
    """An extracted text against a page's key. A line is right when half of it is main text."""
    lines = [line for one in text.splitlines() if (line := bare(one))]
    whole = "".join(lines)
    colour = bytearray(len(whole))
    found = 0
    for kind, value in (("neutral", 2), ("main", 1)):
        for size, name in page[kind]:
            places = [
                at for at in range(len(whole) - size + 1) if mark(whole[at : at + size])[1] == name
            ]
            for at in places:
                colour[at : at + size] = bytes([value]) * size
            found += kind == "main" and bool(places)
    at = kept = right = 0
    for line in lines:
        part = colour[at : at + len(line)]
        at += len(line)
        if 2 * part.count(2) >= len(line):
            continue
        kept += 1
        right += 2 * part.count(1) >= len(line)
    return Score(len(page["main"]), found, kept, right)
