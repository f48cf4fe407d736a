# mypy: allow-untyped-decorators
"""Compiled kernels over flat UTF-8 buffers: folding into the matching view, n-gram coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from cqia.text.kernels import decode

HARD, INVISIBLE, SOFT, WIDE, TIGHT, OPERATOR, MARK = range(7)
"""What becomes of a character: HARD is dropped (punctuation, emoji, controls); INVISIBLE is dropped
without a trace; SOFT is white space or a bracket, dropped but looked across by operators; WIDE is
kept and needs no separator (Han, kana, Hangul); TIGHT is kept, with one space between two of them
that something stood between; OPERATOR is kept beside a TIGHT; MARK is kept behind its letter."""
COMPLEX = 1 << 30
"""Table flag: folding this character takes the full Unicode algorithm."""
KIND_SHIFT = 24
CODE_MASK = (1 << 21) - 1
_FAR_HAN, _FAR_HAN_END = 0x30000, 0x40000


@njit(cache=True, nogil=True)
def _encode(code: int, out: Any, at: int) -> int:
    if code < 0x80:
        out[at] = code
        return at + 1
    if code < 0x800:
        out[at] = 0xC0 | code >> 6
        out[at + 1] = 0x80 | code & 0x3F
        return at + 2
    if code < 0x10000:
        out[at] = 0xE0 | code >> 12
        out[at + 1] = 0x80 | code >> 6 & 0x3F
        out[at + 2] = 0x80 | code & 0x3F
        return at + 3
    out[at] = 0xF0 | code >> 18
    out[at + 1] = 0x80 | code >> 12 & 0x3F
    out[at + 2] = 0x80 | code >> 6 & 0x3F
    out[at + 3] = 0x80 | code & 0x3F
    return at + 4


@njit(cache=True, nogil=True)
def _look_up(table: Any, code: int) -> int:
    if code < len(table):
        return np.int64(table[code])
    if _FAR_HAN <= code < _FAR_HAN_END:
        return WIDE << KIND_SHIFT | code
    return INVISIBLE << KIND_SHIFT


@njit(cache=True, nogil=True)
def _tight_follows(table: Any, data: Any, at: int, stop: int) -> bool:
    """Whether the next character is a letter or digit, white space and brackets looked across."""
    while at < stop:
        code, at = decode(data, at)
        kind = _look_up(table, code) >> KIND_SHIFT & 7
        if kind != SOFT and kind != INVISIBLE:
            return kind == TIGHT
    return False


@njit(cache=True, nogil=True)
def fold(data: Any, offsets: Any, table: Any, out: Any, ends: Any, needs_unicode: Any) -> None:
    """Write every row's folded text to `out` (1.5 times the room of the text, and 4 bytes a row).

    `ends[i + 1]` becomes where row i ends; `needs_unicode[i]` whether a COMPLEX character stood in
    it, in which case the row is to be normalised and folded again.
    """
    at = 0
    for row in range(len(offsets) - 1):
        byte, stop = offsets[row], offsets[row + 1]
        last = HARD  # kind of the last character written, HARD at the start
        gap = WIDE  # what was dropped since: WIDE stands for nothing
        while byte < stop:
            code, byte = decode(data, byte)
            entry = _look_up(table, code)
            kind = entry >> KIND_SHIFT & 7
            if entry & COMPLEX:
                needs_unicode[row] = True
            if kind == INVISIBLE:
                continue
            if kind == OPERATOR:
                beside = gap != HARD and (last == TIGHT or last == OPERATOR)
                if not beside and not _tight_follows(table, data, byte, stop):
                    kind = HARD
            elif kind == MARK and (gap != WIDE or last == HARD):
                kind = HARD
            if kind == HARD or (kind == SOFT and gap != HARD):
                gap = kind
            elif kind != SOFT:
                if kind == TIGHT and last == TIGHT and gap != WIDE:
                    out[at] = 0x20
                    at += 1
                at = _encode(entry & CODE_MASK, out, at)
                gap = WIDE
                if kind != MARK:
                    last = kind
        ends[row + 1] = at
