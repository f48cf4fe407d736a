"""Compiled loops over a column's flat UTF-8 bytes: one pass, every statistic of the characters.

Counting characters by class, or repeated n-grams, is slow or impossible with expressions. These
kernels read the buffer that `cqia.text.buffers.flat` gives: row `i` is
`data[offsets[i]:offsets[i + 1]]`, valid UTF-8. N-grams and lines are told apart by a 64-bit
polynomial hash that rolls over the code points.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from cqia.text.buffers import Bytes, Offsets

Counts = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
SPREAD = np.uint64(0xFF51AFD7ED558CCD)
NEWLINE = np.int64(10)


@njit(cache=True, nogil=True)
def decode(data: Bytes, at: np.int64) -> tuple[np.int64, np.int64]:
    """The code point that starts at byte `at`, and where the next one starts."""
    first = np.int64(data[at])
    if first < 0x80:
        return first, at + 1
    if first < 0xE0:
        return (first & 0x1F) << 6 | np.int64(data[at + 1] & 0x3F), at + 2
    rest = np.int64(data[at + 1] & 0x3F) << 6 | np.int64(data[at + 2] & 0x3F)
    if first < 0xF0:
        return (first & 0x0F) << 12 | rest, at + 3
    return (first & 0x07) << 18 | rest << 6 | np.int64(data[at + 3] & 0x3F), at + 4


@njit(cache=True, nogil=True)
def class_counts(data: Bytes, offsets: Offsets, table: Bytes, classes: int) -> Counts:
    """How many characters of each class every row has: rows x classes.

    Args:
        data: the bytes.
        offsets: the rows' bounds.
        table: code point -> class.
        classes: number of classes.
    """
    counts = np.zeros((len(offsets) - 1, classes), np.int64)
    for row in range(len(offsets) - 1):
        at = offsets[row]
        while at < offsets[row + 1]:
            point, at = decode(data, at)
            counts[row, table[point]] += 1
    return counts


@njit(cache=True, nogil=True)
def slot(hashes: Hashes, stamps: npt.NDArray[np.int64], key: np.uint64, stamp: int) -> np.int64:
    """Where `key` stands, or belongs, in a table with linear probing; old stamps mean free."""
    mask = len(hashes) - 1
    mixed = key * SPREAD
    at = np.int64(mixed >> np.uint64(32)) & mask
    while stamps[at] == stamp and hashes[at] != key:
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True)
def table_size(items: int) -> int:
    """The power of two that holds the items at most half full."""
    size = 16
    while size < 2 * items:
        size *= 2
    return size


@njit(cache=True, nogil=True)
def ngram_repetition(data: Bytes, offsets: Offsets, length: int) -> npt.NDArray[np.float64]:
    """Share of the n-grams that belong to the most frequent repeated ones; NaN without n-grams."""
    rows = len(offsets) - 1
    shares = np.full(rows, np.nan)
    longest = 0
    for row in range(rows):
        longest = max(longest, offsets[row + 1] - offsets[row])
    points = np.zeros(longest, np.uint64)
    size = table_size(longest)
    hashes, stamps = np.zeros(size, np.uint64), np.full(size, -1, np.int64)
    counts = np.zeros(size, np.int64)
    leaving = np.uint64(1)
    for _ in range(length):
        leaving *= MULTIPLIER
    for row in range(rows):
        characters, at = 0, offsets[row]
        while at < offsets[row + 1]:
            point, at = decode(data, at)
            points[characters] = point + 1
            characters += 1
        total = characters - length + 1
        if total < 1:
            continue
        small = table_size(total)
        distinct, rolling = 0, np.uint64(0)
        for index in range(characters):
            rolling = rolling * MULTIPLIER + points[index]
            if index >= length:
                rolling -= points[index - length] * leaving
            if index < length - 1:
                continue
            place = slot(hashes[:small], stamps, rolling, row)
            if stamps[place] != row:
                stamps[place], hashes[place], counts[place] = row, rolling, 0
                distinct += 1
            counts[place] += 1
        shares[row] = top_share(counts, stamps, small, row, distinct, total)
    return shares


@njit(cache=True, nogil=True)
def top_share(
    counts: Counts, stamps: Counts, size: int, row: int, distinct: int, total: int
) -> float:
    """Share of the occurrences in the floor(sqrt(distinct)) most frequent repeated n-grams."""
    if distinct == total:
        return 0.0
    repeated = np.zeros(distinct, np.int64)
    found = 0
    for place in range(size):
        if stamps[place] == row and counts[place] > 1:
            repeated[found] = counts[place]
            found += 1
    top = min(int(np.sqrt(distinct)), found)
    ordered = np.sort(repeated[:found])
    return float(ordered[found - top :].sum()) / total


@njit(cache=True, nogil=True)
def line_repetition(
    data: Bytes, offsets: Offsets, spaces: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Share of the non-space characters in lines that stood before; NaN without such characters.

    Args:
        data: the bytes.
        offsets: the rows' bounds.
        spaces: code point -> whether it is white space, which does not tell lines apart.
    """
    shares = np.full(len(offsets) - 1, np.nan)
    for row in range(len(offsets) - 1):
        repeated, total = repeated_lines(data, offsets[row], offsets[row + 1], spaces)
        if total:
            shares[row] = repeated / total
    return shares


@njit(cache=True, nogil=True)
def repeated_lines(
    data: Bytes, start: np.int64, end: np.int64, spaces: npt.NDArray[np.bool_]
) -> tuple[np.int64, np.int64]:
    """Non-space characters of one text in lines that stood before, and all of them."""
    lines = 1
    for byte in data[start:end]:
        lines += byte == NEWLINE
    hashes = np.zeros(table_size(lines), np.uint64)
    stamps = np.zeros(len(hashes), np.int64)
    repeated, total, inside = np.int64(0), np.int64(0), np.int64(0)
    at, rolling = start, np.uint64(0)
    while at <= end:
        point, after = (NEWLINE, at + 1) if at == end else decode(data, at)
        at = after
        if point != NEWLINE:
            if not spaces[point]:
                rolling = rolling * MULTIPLIER + np.uint64(point + 1)
                inside += 1
            continue
        if inside:
            place = slot(hashes, stamps, rolling, 1)
            repeated += inside * stamps[place]
            stamps[place], hashes[place] = 1, rolling
        total += inside
        inside, rolling = np.int64(0), np.uint64(0)
    return repeated, total


@njit(cache=True, nogil=True)
def _pair_place(table: Hashes, key: np.uint64) -> np.int64:
    """Where a pair of characters stands in a table, or the free place where it would."""
    mask = np.int64(len(table) - 1)
    at = np.int64((key * MULTIPLIER) >> np.uint64(40)) & mask
    while table[at] != 0 and table[at] != key:
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True)
def place_pairs(keys: Hashes, table: Hashes, bits: Hashes) -> None:
    """Put keys (not 0) into an empty table, a power of two long, and set their bits."""
    for key in keys:
        table[_pair_place(table, key)] = key
        place = (key * MULTIPLIER) >> np.uint64(47)
        bits[np.int64(place >> np.uint64(6))] |= np.uint64(1) << (place & np.uint64(63))


@njit(cache=True, nogil=True)
def _has_pair(table: Hashes, bits: Hashes, key: np.uint64) -> bool:
    place = (key * MULTIPLIER) >> np.uint64(47)
    if bits[np.int64(place >> np.uint64(6))] >> (place & np.uint64(63)) & np.uint64(1) == 0:
        return False
    return bool(table[_pair_place(table, key)] != 0)


@njit(cache=True, nogil=True)
def hold_pairs(
    data: Bytes, offsets: Offsets, table: Hashes, bits: Hashes, alone: bool
) -> npt.NDArray[np.bool_]:
    """Whether two characters of a row that stand side by side, or one alone, are in the table."""
    held = np.zeros(len(offsets) - 1, np.bool_)
    for row in range(len(held)):
        at, before = offsets[row], np.uint64(0)
        while at < offsets[row + 1]:
            point, at = decode(data, at)
            if 65 <= point <= 90:
                point += 32
            this = np.uint64(point)
            if _has_pair(table, bits, before << np.uint64(21) | this) or (
                alone and _has_pair(table, bits, this)
            ):
                held[row] = True
                break
            before = this
    return held
