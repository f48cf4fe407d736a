"""Compiled kernels over flat UTF-8 buffers: folding into the matching view, n-gram coverage."""

from __future__ import annotations

import numpy as np
from numba import njit

from cqia.text.folding import (
    CODE_MASK,
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
from cqia.text.kernels import decode
from cqia.text.minhash import Array, code_points, roll

NGRAM_SIZE_LIMIT = 64
"""Longest n-gram that `coverage` looks for."""
_FAR_HAN, _FAR_HAN_END = 0x30000, 0x40000
_HAN_LEAD, _HAN_LEAD_END = 0xE5, 0xE9
"""First bytes of U+5000 to U+9FFF: Han characters that stay as they are."""


@njit(cache=True, nogil=True)
def _encode(code: np.int64, out: Array, at: int) -> int:
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
def _look_up(table: Array, code: np.int64) -> np.int64:
    if code < len(table):
        return np.int64(table[code])
    if _FAR_HAN <= code < _FAR_HAN_END:
        return np.int64(WIDE << KIND_SHIFT) | code
    return np.int64(INVISIBLE << KIND_SHIFT)


@njit(cache=True, nogil=True)
def _tight_follows(table: Array, data: Array, at: np.int64, stop: np.int64) -> bool:
    """Whether the next character is a letter or digit, white space and brackets looked across."""
    while at < stop:
        code, at = decode(data, at)
        kind = _look_up(table, code) >> KIND_SHIFT & 7
        if kind != SOFT and kind != INVISIBLE:
            return bool(kind == TIGHT)
    return False


@njit(cache=True, nogil=True)
def fold(
    data: Array, offsets: Array, table: Array, out: Array, ends: Array, needs_unicode: Array
) -> None:
    """Write every row's folded text to `out` (1.5 times the room of the text, and 4 bytes a row).

    `ends[i + 1]` becomes where row i ends; `needs_unicode[i]` whether a COMPLEX character stood in
    it, in which case the row is to be normalised and folded again.
    """
    at = 0
    for row in range(len(offsets) - 1):
        byte, stop = offsets[row], offsets[row + 1]
        last = np.int64(HARD)  # kind of the last character written, HARD at the start
        gap = np.int64(WIDE)  # what was dropped since: WIDE stands for nothing
        while byte < stop:
            if _HAN_LEAD <= data[byte] <= _HAN_LEAD_END:
                for _ in range(3):
                    out[at] = data[byte]
                    at, byte = at + 1, byte + 1
                last, gap = np.int64(WIDE), np.int64(WIDE)
                continue
            code, byte = decode(data, byte)
            entry = _look_up(table, code)
            kind = entry >> KIND_SHIFT & 7
            if entry & COMPLEX:
                needs_unicode[row] = True
            if kind == INVISIBLE:
                continue
            if kind == OPERATOR:
                beside = gap != HARD and last in (TIGHT, OPERATOR)
                if not beside and not _tight_follows(table, data, byte, stop):
                    kind = np.int64(HARD)
            elif kind == MARK and (gap != WIDE or last == HARD):
                kind = np.int64(HARD)
            if kind == HARD or (kind == SOFT and gap != HARD):
                gap = kind
            elif kind != SOFT:
                if kind == TIGHT and last == TIGHT and gap != WIDE:
                    out[at] = 0x20
                    at += 1
                at = _encode(entry & CODE_MASK, out, at)
                gap = np.int64(WIDE)
                if kind != MARK:
                    last = kind
        ends[row + 1] = at


@njit(cache=True, nogil=True)
def gram_hashes(data: Array, start: np.int64, stop: np.int64, length: int) -> Array:
    """The hash of every run of `length` characters; none when the text is shorter; never 0."""
    out: Array = np.empty(stop - start, np.uint64)
    out = out[: roll(out, code_points(data, start, stop, out), length)]
    return out | np.uint64(1)


@njit(cache=True, nogil=True)
def _place(table: Array, key: np.uint64) -> np.int64:
    mask = len(table) - 1
    at = np.int64(key >> np.uint64(20)) & mask
    while table[at] != np.uint64(0) and table[at] != key:
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True)
def insert(hashes: Array, table: Array, grams: Array) -> None:
    """Enter distinct hashes, numbered in their order, into an empty table."""
    for number in range(len(hashes)):
        at = _place(table, hashes[number])
        table[at] = hashes[number]
        grams[at] = number


@njit(cache=True, nogil=True)
def _covered(places: Array, start: np.int64, stop: np.int64, stamps: Array, stamp: int) -> int:
    """How many characters the n-grams that carry the stamp cover."""
    covered, end = 0, 0
    for at in range(start, stop):
        if stamps[places[at, 0]] == stamp:
            first, last = places[at, 1], places[at, 1] + places[at, 2]
            covered += last - max(first, end)
            end = last
    return covered


@njit(cache=True, nogil=True)
def coverage(
    data: Array,
    offsets: Array,
    lengths: Array,
    table: Array,
    grams: Array,
    postings: Array,
    posting_starts: Array,
    places: Array,
    place_starts: Array,
    sizes: Array,
    least: float,
) -> Array:
    """Record, item, share, covered characters: a row wherever a record holds an item's n-gram."""
    stamps = np.full(len(posting_starts), -1, np.int64)
    counts = np.zeros(len(sizes), np.int64)
    touched = np.empty(len(sizes), np.int64)
    out, found = np.empty((1_024, 4), np.float64), 0
    for row in range(len(offsets) - 1):
        many = 0
        for length in lengths:
            for key in gram_hashes(data, offsets[row], offsets[row + 1], length):
                at = _place(table, key)
                if table[at] != key or stamps[grams[at]] == row:
                    continue
                stamps[grams[at]] = row
                for posting in range(posting_starts[grams[at]], posting_starts[grams[at] + 1]):
                    item = postings[posting]
                    if counts[item] == 0:
                        touched[many] = item
                        many += 1
                    counts[item] += 1
        if found + many > len(out):
            wider = np.empty((2 * (found + many), 4), np.float64)
            wider[:found] = out[:found]
            out = wider
        for item in touched[:many]:
            share = counts[item] / sizes[item]
            counts[item] = 0
            if share >= least:
                covered = _covered(places, place_starts[item], place_starts[item + 1], stamps, row)
                out[found, 0], out[found, 1] = row, item
                out[found, 2], out[found, 3] = share, covered
                found += 1
    return out[:found]
