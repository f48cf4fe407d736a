"""The view of a text that duplicates and contamination are looked for in, and its exact key.

Two texts that differ only in width, script (traditional or simplified), case, white space,
punctuation or emoji have the same view. What a reader would call another text has another view:

- Punctuation between letters or digits leaves one space, so that `1,2` is not `12`; Han characters
  stand together without one.
- Operators (`+ - * / = < > ^ %` and the mathematical signs of Unicode) stay beside a letter or
  digit, white space and brackets looked across, so that `x+1` is not `x-1` while a list's dash is
  not seen.

What is not covered: brackets are dropped, so `2*(3+4)` equals `2*3+4`; superscripts become plain
digits, as NFKC has it. Which signs count as operators is this project's choice.
"""

from __future__ import annotations

import functools
import unicodedata

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from cqia.text.buffers import flat
from cqia.text.folding import (
    COMPLEX,
    HARD,
    INVISIBLE,
    KIND_SHIFT,
    MARK,
    OPERATOR,
    SOFT,
    TIGHT,
    WIDE,
)

_OPERATORS = "+-*/=<>^%"
_SAME_SIGN = {"\u2212": "-", "\u2044": "/", "\u2215": "/", "\u2217": "*", "\u0130": "i"}
"""Signs that stand for an ASCII operator, and the one capital whose small letter is two."""
_DROPPED_SIGNS = "|~"
_INVISIBLE = {"\u00ad", "\u034f", "\ufeff", *map(chr, range(0xFE00, 0xFE10))}
_TABLE_SIZE = 0x30000
_PLAIN_WIDE = (
    range(0x3400, 0x4DC0),
    range(0x4E00, 0xA000),
    range(0xAC00, 0xD7A4),
    range(0x20000, 0x2F800),
)
_NEVER_TEXT = range(0xD800, 0xF900)


def matching_view(text: pl.Series) -> pl.Series:
    """NFKC, simplified, lower-case, without white space and punctuation; a null stays null.

    One compiled pass does it all but the characters that need the full Unicode algorithm (rows that
    hold one are normalised and folded again) and the script.
    """
    from cqia.text.han import simplify

    folded, needs_unicode = _fold(text)
    rows = needs_unicode.arg_true()
    if not rows.is_empty():
        normal = text.gather(rows).str.normalize("NFKC")
        folded = folded.scatter(rows, _fold(normal)[0])
    return simplify(folded)


def exact_key(*views: pl.Series) -> pl.Series:
    """One 64-bit key a row over one or more columns of views; equal texts have equal keys.

    Two of ten million texts share a key by chance with probability 3e-6.

    The columns are joined with a separator that no view holds: text doesn't pass as equal by
    standing in another column.
    """
    import polars_hash as plh

    frame = pl.DataFrame([view.alias(str(place)) for place, view in enumerate(views)])
    joined = frame.select(pl.concat_str(pl.all().fill_null(""), separator="\x1f").alias("key"))
    return joined.select(plh.col("key").nchash.xxh3_64()).to_series()


def _fold(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    from cqia.text.kernels_match import fold

    data, offsets = flat(text)
    size = int(offsets[-1] - offsets[0])
    out = np.empty(size + size // 2 + 4 * len(text) + 4, np.uint8)
    ends = np.zeros(len(text) + 1, np.int64)
    needs_unicode = np.zeros(len(text), np.bool_)
    fold(data, offsets, _table(), out, ends, needs_unicode)
    body = out[: ends[-1]].copy()
    array = pa.LargeStringArray.from_buffers(len(text), pa.py_buffer(ends), pa.py_buffer(body))
    folded = pl.Series(text.name, array, dtype=pl.String)
    if text.null_count():
        folded = folded.set(text.is_null(), None)
    return folded, pl.Series(needs_unicode)


@functools.cache
def _table() -> npt.NDArray[np.uint32]:
    """Code point -> kind and folded code point, for the first three planes."""
    table = np.zeros(_TABLE_SIZE, np.uint32)
    known = np.zeros(_TABLE_SIZE, np.bool_)
    known[_NEVER_TEXT.start : _NEVER_TEXT.stop] = True
    for block in _PLAIN_WIDE:
        codes = np.arange(block.start, block.stop, dtype=np.uint32)
        table[codes] = codes | np.uint32(WIDE << KIND_SHIFT)
        known[codes] = True
    for code in np.flatnonzero(~known):
        table[code] = _entry(chr(code))
    return table


def _entry(char: str) -> int:
    if _kind(char) == INVISIBLE:
        return INVISIBLE << KIND_SHIFT
    plain = unicodedata.normalize("NFKC", char)
    if len(plain) > 1:
        if all(_kind(one) in (HARD, SOFT) for one in plain):
            return HARD << KIND_SHIFT
        return COMPLEX | _kind(char) << KIND_SHIFT | ord(char)
    lower = _SAME_SIGN.get(plain, plain.lower())
    kind = _kind(lower)
    flag = COMPLEX if kind == MARK or 0x1100 <= ord(lower) < 0x1200 else 0
    return flag | kind << KIND_SHIFT | ord(lower)


def _kind(char: str) -> int:
    category = unicodedata.category(char)
    if char in _INVISIBLE or category in ("Cf", "Me"):
        return INVISIBLE
    if category[0] in "LN":
        return WIDE if unicodedata.east_asian_width(char) in "WFH" else TIGHT
    if category[0] == "M":
        return MARK
    if char in _OPERATORS or (category == "Sm" and char not in _DROPPED_SIGNS):
        return OPERATOR
    if char.isspace() or category in ("Ps", "Pe"):
        return SOFT
    return HARD
