"""Control, invisible and look-alike characters."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.text.guarded import amend, rewrite, tally

CONTROL = r"\x00-\x08\x0E-\x1F\x7F-\x9F"
BREAK = r"\x0B\x0C\x{2028}\x{2029}"
INVISIBLE = (
    r"\x{AD}\x{61C}\x{180E}\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}"
    r"\x{2066}-\x{2069}\x{FEFF}"
)
SPACE = r"\x{A0}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}"
JOINER = r"[\x{200C}\x{200D}]"
PRIVATE = r"\x{E000}-\x{F8FF}\x{F0000}-\x{FFFFD}\x{100000}-\x{10FFFD}"

_EMOJI = "\u00a9\u00ae\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff"
_SCRIPT = "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u0900-\u0dff\ufb50-\ufdff\ufe70-\ufefc"
LOST = re.compile(
    rf"(?<![{_EMOJI}{_SCRIPT}])[\u200c\u200d]"
    rf"|(?<=[{_EMOJI}])(?:\u200c|\u200d(?![{_EMOJI}]))"
)
"""A joiner that joins nothing: not between two emoji, and not behind a letter that it shapes."""


def _joined(text: str) -> str:
    return LOST.sub("", text)


def _tidy(few: pl.Expr) -> pl.Expr:
    return (
        few.str.replace_all(f"[{CONTROL}{INVISIBLE}]", "")
        .str.replace_all(f"\r\n?|[{BREAK}]", "\n")
        .str.replace_all(f"[{SPACE}]", " ")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairUnicode(Cleaner):
    r"""Removes what cannot be seen and makes line ends and spaces one kind each.

    Deleted: C0 and C1 controls, DEL, byte-order marks, zero-width and bidi characters, soft
    hyphens. U+200D stays inside emoji, U+200C and U+200D stay in Arabic, Persian and Indic words.
    `\r\n`, `\r`, form feed, vertical tab and U+2028/2029 become `\n`; no-break, ideographic and
    typographic spaces become one ordinary space each. U+FFFD and private-use characters stand for
    lost text: they are counted, never deleted. `RepairLatex` runs before, or there is nothing left
    for it to repair.
    """

    def clean(self, text: pl.Expr) -> pl.Expr:
        tidy = rewrite(text, f"[{CONTROL}\r{BREAK}{INVISIBLE}{SPACE}]", _tidy)
        return amend(tidy, JOINER, _joined)

    def counts(self, text: pl.Expr) -> pl.Expr:
        """Characters of each kind before cleaning.

        `invisible` leaves out the joiners, most of which are right.
        """
        return tally(text, f"[{''.join(_KINDS.values())}]", tuple(_KINDS), _counted)


_KINDS = {
    "controls": rf"{CONTROL}\x0B\x0C",
    "invisible": INVISIBLE,
    "replacement": r"\x{FFFD}",
    "private_use": PRIVATE,
    "spaces": SPACE,
}
"""What is counted, as the inside of a character class."""


def in_python(rust: str) -> re.Pattern[str]:
    """A character class in Python's spelling."""
    inside = re.sub(r"\\x\{(\w+)\}", lambda one: chr(int(one[1], 16)), rust)
    return re.compile(f"[{inside}]")


_PATTERNS = tuple(in_python(inside) for inside in _KINDS.values())


def _counted(text: str) -> list[int]:
    return [len(pattern.findall(text)) for pattern in _PATTERNS]
