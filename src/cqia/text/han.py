"""Traditional characters to simplified ones, by OpenCC's `t2s` tables.

OpenCC reads phrases before characters, so 乾隆 keeps the character that 乾淨 loses. Its converter
is slow beside a scan, so only texts that hold a character which only traditional text has are given
to it; this also keeps the 乾 of a name in simplified text.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import opencc
import polars as pl

_HAN = ((0x2E80, 0x2FE0), (0x3400, 0xA000), (0xF900, 0xFB00), (0x20000, 0x33480))
"""The blocks that hold Han characters and their radicals."""


_SHARED = frozenset("乾於徵瞭藉著")
"""Characters that simplified text has too, with another meaning: 乾坤, 宫商角徵羽, names."""


_TOGETHER = 256
_BETWEEN = "\U0010fffe"
"""Stands between texts that are converted together: no character, so no phrase goes across it."""


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


@cache
def traditional() -> str:
    """A Rust class of the characters that conversion changes and simplified text lacks."""
    han = [chr(code) for low, high in _HAN for code in range(low, high)]
    plain = _converter().convert("\n".join(han)).split("\n")
    changed = [
        old for old, new in zip(han, plain, strict=True) if old != new and old not in _SHARED
    ]
    return f"[{''.join(changed)}]"


def simplify(text: pl.Series, passes: int = 2) -> pl.Series:
    """Convert the texts that need it; the others pass through after one scan.

    A few characters need a second pass, because the tables lead them to a character that is itself
    converted (薴 to 苧 to 苎).
    """
    hit = text.str.contains(traditional()).fill_null(False).arg_true()
    if hit.is_empty():
        return text
    plain = pl.Series(text.name, _converted(text.gather(hit).to_list()), dtype=pl.String)
    return text.clone().scatter(hit, simplify(plain, passes - 1) if passes > 1 else plain)


def _converted(texts: Sequence[str]) -> list[str]:
    """Each text converted; many at a time, since a call costs as much as sixty characters do."""
    convert = _converter().convert
    found: list[str] = []
    for start in range(0, len(texts), _TOGETHER):
        few = texts[start : start + _TOGETHER]
        plain = convert(_BETWEEN.join(few)).split(_BETWEEN)
        found += plain if len(plain) == len(few) else [convert(one) for one in few]
    return found
