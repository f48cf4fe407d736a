"""Compiled loops of the scorers: types in windows, and a character n-gram model in a hash table.

An n-gram is packed into 64 bits, 16 a character, so up to four characters are told apart exactly.
Number 0 is no character, 1 the place before a text, 2 every character that is not in the model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from cqia.text.buffers import Bytes, Offsets
from cqia.text.kernels import decode

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]

BEFORE, OTHER, FIRST = 1, 2, 3
"""Numbers of the place before a text, of an unknown character, and of the first known one."""
ORDER = 4
_BITS, _MASK = np.uint64(16), np.uint64(0xFFFF)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@njit(cache=True, nogil=True)
def _points(data: Bytes, start: np.int64, stop: np.int64) -> Array:
    """The code points of a row."""
    found = np.empty(stop - start, np.int64)
    count = 0
    at = start
    while at < stop:
        found[count], at = decode(data, at)
        count += 1
    return found[:count]


@njit(cache=True, nogil=True)
def distinct_pairs(data: Bytes, offsets: Offsets) -> Floats:
    """Distinct pairs of neighbouring characters over all pairs; NaN without one."""
    found = np.full(len(offsets) - 1, np.nan)
    for row in range(len(found)):
        points = _points(data, offsets[row], offsets[row + 1])
        if len(points) < 2:
            continue
        pairs = np.sort(points[:-1] << 21 | points[1:])
        found[row] = (1 + np.count_nonzero(pairs[1:] != pairs[:-1])) / len(pairs)
    return found


@njit(cache=True, nogil=True)
def moving_types(data: Bytes, offsets: Offsets, window: int) -> Floats:
    """The mean share of distinct characters in a window; NaN for an empty row."""
    found = np.full(len(offsets) - 1, np.nan)
    seen = np.zeros(0x110000, np.int32)
    for row in range(len(found)):
        points = _points(data, offsets[row], offsets[row + 1])
        size = len(points) if len(points) < window else window
        types = total = 0
        for at in range(len(points)):
            seen[points[at]] += 1
            types += seen[points[at]] == 1
            if at >= size:
                seen[points[at - size]] -= 1
                types -= seen[points[at - size]] == 0
            if at >= size - 1:
                total += types
        if len(points):
            found[row] = total / size / (len(points) - size + 1)
        for point in points:
            seen[point] = 0
    return found


@njit(cache=True, nogil=True)
def _slot(keys: Array, key: np.uint64) -> np.int64:
    """Where a key stands, or belongs: linear probing, 0 is free."""
    mask = np.uint64(len(keys) - 1)
    mixed = (key ^ key >> np.uint64(29)) * _SPREAD
    at = (mixed ^ mixed >> np.uint64(32)) & mask
    while keys[at] != np.uint64(0) and keys[at] != key:
        at = (at + np.uint64(1)) & mask
    return np.int64(at)


@njit(cache=True, nogil=True)
def count_grams(
    data: Bytes, offsets: Offsets, folds: Array, start: int, numbers: Array, state: Array,
    keys: Array, counts: Array,
) -> int:  # fmt: skip
    """Count the n-grams of rows from `start`, of each order, in their row's fold.

    Args:
        data: the bytes.
        offsets: the rows' bounds.
        folds: the rows' folds.
        start: the first row.
        numbers: code point -> number, 0: none yet.
        state: the next free number; keys in the table.
        keys: the table.
        counts: slots x folds.

    Returns:
        The row that the table has no room for any more; the number of rows when all are counted.
    """
    for row in range(start, len(offsets) - 1):
        points = _points(data, offsets[row], offsets[row + 1])
        if state[1] + ORDER * (len(points) + 1) > len(keys) * 5 // 8:
            return row
        key = np.uint64(0)
        for _ in range(ORDER - 1):
            key = key << _BITS | np.uint64(BEFORE)
            at = _slot(keys, key)
            state[1] += keys[at] == np.uint64(0)
            keys[at] = key
        for point in points:
            if numbers[point] == 0:
                full = state[0] > 0xFFFF
                numbers[point] = OTHER if full else state[0]
                state[0] += not full
            key = key << _BITS | np.uint64(numbers[point])
            for order in range(1, ORDER + 1):
                gram = key & (np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - 16 * order))
                at = _slot(keys, gram)
                state[1] += keys[at] == np.uint64(0)
                keys[at] = gram
                counts[at, folds[row]] += 1
    return len(offsets) - 1


@njit(cache=True, nogil=True)
def moved(keys: Array, counts: Array, new_keys: Array, new_counts: Array) -> None:
    """Fill a larger table with what stands in a smaller one."""
    for at in range(len(keys)):
        if keys[at] != np.uint64(0):
            to = _slot(new_keys, keys[at])
            new_keys[to] = keys[at]
            new_counts[to] = counts[at]


@njit(cache=True, nogil=True)
def held_out_counts(keys: Array, counts: Array, sums: Array, types: Array) -> None:
    """Turn each fold's counts into those of all other folds, and sum them up by context.

    Args:
        keys: the table.
        counts: slots x folds; changed in place.
        sums: (slots + 1) x folds: how often something followed the context; the last slot is that
            of the empty context.
        types: the same: how many different characters followed it.
    """
    for at in range(len(keys)):
        if keys[at] == np.uint64(0):
            continue
        total = np.uint32(0)
        for fold in range(counts.shape[1]):
            total += counts[at, fold]
        if total == 0:
            continue
        context = keys[at] >> _BITS
        place = _slot(keys, context) if context else np.int64(len(keys))
        for fold in range(counts.shape[1]):
            counts[at, fold] = total - counts[at, fold]
            sums[place, fold] += counts[at, fold]
            types[place, fold] += counts[at, fold] > 0


@njit(cache=True, nogil=True)
def witten_bell(
    data: Bytes, offsets: Offsets, folds: Array, numbers: Array, known: int,
    keys: Array, counts: Array, sums: Array, types: Array,
) -> Floats:  # fmt: skip
    """Bits a character of each row under the model of the folds that are not its own.

    Interpolated Witten-Bell: p(c|h) = (n(hc) + t(h) p(c|h')) / (n(h) + t(h)), where t(h) is the
    number of different characters that followed h, h' is h without its first character, and below
    the empty context all `known` characters are equally likely.
    """
    found = np.full(len(offsets) - 1, np.nan)
    above = np.empty(ORDER, np.int64)
    for row in range(len(found)):
        fold = folds[row]
        key = np.uint64(0)
        above[0] = len(keys)
        for order in range(1, ORDER):
            key = key << _BITS | np.uint64(BEFORE)
            at = _slot(keys, key)
            above[order] = at if keys[at] == key else -1
        bits, size, at = 0.0, 0, offsets[row]
        while at < offsets[row + 1]:
            point, at = decode(data, at)
            number = numbers[point] if numbers[point] else OTHER
            key = key << _BITS | np.uint64(number)
            chance = 1.0 / known
            below = above.copy()
            for order in range(1, ORDER + 1):
                gram = key & (np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - 16 * order))
                slot = _slot(keys, gram)
                here = keys[slot] == gram
                context = below[order - 1]
                if context >= 0 and sums[context, fold] > 0:
                    seen = counts[slot, fold] if here else np.uint32(0)
                    spread = types[context, fold] * chance
                    chance = (seen + spread) / (sums[context, fold] + types[context, fold])
                if order < ORDER:
                    above[order] = slot if here else -1
            bits -= np.log2(chance)
            size += 1
        if size:
            found[row] = bits / size
    return found
