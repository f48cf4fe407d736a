"""Compiled kernels for near-duplicates: character n-gram hashes, MinHash, bands, verified joins."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from cqia.text.kernels import decode, slot, table_size

Array = npt.NDArray[Any]

EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
"""The key of a text without n-grams; no other text has it."""
_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xFF51AFD7ED558CCD)
_MIX_B = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)
_HALF = np.uint64(32)
_TOP = np.uint32(0xFFFFFFFF)
_LANES = 32
_DIGIT = 10
"""Bits of a digit of `sort_hashes`: a thousand places that are written to fit into the caches."""
_LAST = np.uint64(0xFFFFFFFFFFFFFFFE)


@njit(cache=True, nogil=True)
def mix(value: np.uint64) -> np.uint64:
    """Spread 64 bits: the finaliser of MurmurHash3."""
    value = (value ^ (value >> _SHIFT)) * _MIX_A
    value = (value ^ (value >> _SHIFT)) * _MIX_B
    return value ^ (value >> _SHIFT)


@njit(cache=True, nogil=True)
def code_points(data: Array, start: np.int64, stop: np.int64, out: Array) -> int:
    """Write one text's code points, each plus one, to `out`; returns how many."""
    count, at = 0, start
    while at < stop:
        point, at = decode(data, at)
        out[count] = point + 1
        count += 1
    return count


@njit(cache=True, nogil=True)
def roll(points: Array, length: int, ngram: int) -> int:
    """Replace `length` code points by the 64-bit hashes of their n-grams; returns how many.

    A polynomial, rolled: in place, because it needs each point only until its n-gram has passed.
    """
    power = np.uint64(1)
    for _ in range(ngram):
        power *= _BASE
    value = leaving = np.uint64(0)
    for at in range(length):
        value = value * _BASE + points[at] - leaving * power
        if at + 1 >= ngram:
            leaving = points[at + 1 - ngram]
            points[at + 1 - ngram] = mix(value)
    return max(length + 1 - ngram, 0)


@njit(cache=True, nogil=True)
def ngram_hashes(data: Array, start: np.int64, stop: np.int64, ngram: int, out: Array) -> int:
    """Write the hash of every character n-gram of one text to `out`; returns how many.

    A text shorter than the n-gram is one n-gram of its own; an empty text has none.
    """
    length = code_points(data, start, stop, out)
    return roll(out, length, min(ngram, length)) if length else 0


@njit(cache=True, nogil=True)
def signatures(
    data: Array, offsets: Array, ngram: int, factors: Array, flips: Array, out: Array, whole: Array
) -> None:
    """MinHash: for every row and permutation the least `(hash ^ flip) * factor` modulo 2**32.

    The permutation stands outside and the n-grams inside as a minimum over contiguous 32-bit
    numbers, so that the compiler vectorises it; the row is filled up with its first n-gram, which
    changes no minimum, so that no remainder is left to a scalar loop. `whole` becomes a 64-bit hash
    of the whole text.
    """
    widest = 1
    for row in range(len(offsets) - 1):
        widest = max(widest, offsets[row + 1] - offsets[row])
    long = np.empty(widest, np.uint64)
    short = np.empty(widest + _LANES, np.uint32)
    for row in range(len(offsets) - 1):
        count = ngram_hashes(data, offsets[row], offsets[row + 1], ngram, long)
        all_of_it = np.uint64(count)
        for at in range(count):
            short[at] = np.uint32(long[at] >> _HALF)
            all_of_it = (all_of_it ^ long[at]) * _BASE
        whole[row] = min(mix(all_of_it), _LAST)
        if count == 0:
            whole[row] = EMPTY
        full = (count + _LANES - 1) // _LANES * _LANES
        short[count:full] = short[0]
        for place in range(len(factors)):
            factor, flip, least = factors[place], flips[place], _TOP
            for at in range(full):
                value = np.uint32((short[at] ^ flip) * factor)
                least = min(least, value)
            out[row, place] = least


@njit(cache=True, nogil=True)
def band_keys(signature: Array, whole: Array, bands: int, out: Array) -> None:
    """Row 0 of `out`: the whole texts' hashes; row 1 + b: the 64-bit hash of band b."""
    rows = signature.shape[1] // bands
    for row in range(len(signature)):
        out[0, row] = whole[row]
        for band in range(bands):
            value = np.uint64(band + 1)
            for at in range(band * rows, (band + 1) * rows):
                value = mix(value * _BASE + np.uint64(signature[row, at]))
            out[1 + band, row] = EMPTY if whole[row] == EMPTY else min(value, _LAST)


@njit(cache=True, nogil=True)
def find(parent: Array, row: np.int64) -> np.int64:
    """The least row of a row's cluster; halves the path on its way."""
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


@njit(cache=True, nogil=True)
def unite(parent: Array, a: Array, b: Array) -> Array:
    """Join the clusters of every pair, in order; a cluster's root is its least row.

    Returns which pairs joined two clusters; the others' ends were together already.
    """
    joined = np.empty(len(a), np.bool_)
    for at in range(len(a)):
        left, right = find(parent, a[at]), find(parent, b[at])
        joined[at] = left != right
        parent[max(left, right)] = min(left, right)
    return joined


@njit(cache=True, nogil=True)
def roots(parent: Array) -> None:
    """Point every row straight at its root."""
    for row in range(len(parent)):
        parent[row] = find(parent, np.int64(row))


@njit(cache=True, nogil=True)
def sort_hashes(keys: Array, room: Array, bits: int) -> Array:
    """Keys whose `bits` lowest bits ascend already, sorted; they lie in `keys` or in `room` then.

    A radix sort from the lowest digit of the hash on (Knuth, *The Art of Computer Programming*,
    5.2.5): 15 ns a key however many there are, where NumPy's sort takes 55 to 75 and Polars' 20
    to 30.
    """
    counts = np.empty((1 << _DIGIT) + 1, np.int64)
    mask = np.uint64((1 << _DIGIT) - 1)
    for low in range(bits, 64, _DIGIT):
        shift = np.uint64(low)
        counts[:] = 0
        for key in keys:
            counts[np.int64(key >> shift & mask) + 1] += 1
        for digit in range(len(counts) - 1):
            counts[digit + 1] += counts[digit]
        for key in keys:
            place = np.int64(key >> shift & mask)
            room[counts[place]] = key
            counts[place] += 1
        keys, room = room, keys
    return keys


@njit(cache=True, nogil=True)
def open_buckets(keys: Array, bits: np.uint64, parent: Array) -> tuple[Array, Array]:
    """From sorted keys, a hash above a row's `bits`: the buckets that are not one cluster yet.

    Returns their rows end to end, and the bounds of the buckets.
    """
    low = (np.uint64(1) << bits) - np.uint64(1)
    members = np.empty(0, np.int64)
    bounds = np.empty(0, np.int64)
    for writing in range(2):
        used, count, start = 0, 0, 0
        while start < len(keys):
            stop, several = start + 1, False
            while stop < len(keys) and keys[stop] >> bits == keys[start] >> bits:
                stop += 1
            if stop > start + 1:  # most rows are alone, and looking for a root is a cache miss
                first = find(parent, np.int64(keys[start] & low))
                for at in range(start + 1, stop):
                    several = several or find(parent, np.int64(keys[at] & low)) != first
            if several:
                if writing:
                    for at in range(start, stop):
                        members[used + at - start] = np.int64(keys[at] & low)
                    bounds[count] = used
                used += stop - start
                count += 1
            start = stop
        if not writing:
            members, bounds = np.empty(used, np.int64), np.empty(count + 1, np.int64)
        bounds[count] = used
    return members, bounds


@njit(cache=True, nogil=True)
def gather(data: Array, starts: Array, places: Array, offsets: Array, out: Array) -> None:
    """Copy to `out[offsets[p]:offsets[p + 1]]`, for each place p, the bytes from `starts[p]` on."""
    for place in places:
        first, end = offsets[place], offsets[place + 1]
        out[first:end] = data[starts[place] : starts[place] + end - first]


@njit(cache=True, nogil=True)
def _equal(data: Array, offsets: Array, a: int, b: int) -> bool:
    if offsets[a + 1] - offsets[a] != offsets[b + 1] - offsets[b]:
        return False
    for at in range(offsets[a + 1] - offsets[a]):
        if data[offsets[a] + at] != data[offsets[b] + at]:
            return False
    return True


@njit(cache=True, nogil=True)
def _distinct(grams: Array, count: int, table: Array, stamps: Array, stamp: int) -> int:
    """Enter n-grams into a table; returns how many distinct ones there are."""
    distinct = 0
    for at in range(count):
        place = slot(table, stamps, grams[at], stamp)
        if stamps[place] != stamp:
            stamps[place] = stamp
            table[place] = grams[at]
            distinct += 1
    return distinct


@njit(cache=True, nogil=True)
def _shared(
    grams: Array,
    count: int,
    table: Array,
    stamps: Array,
    stamp: int,
    seen: Array,
    seen_stamps: Array,
    turn: int,
) -> tuple[int, int]:
    """How many distinct n-grams there are, and how many of them stand in the table."""
    distinct, shared = 0, 0
    for at in range(count):
        place = slot(seen, seen_stamps, grams[at], turn)
        if seen_stamps[place] != turn:
            seen_stamps[place] = turn
            seen[place] = grams[at]
            distinct += 1
            shared += stamps[slot(table, stamps, grams[at], stamp)] == stamp
    return distinct, shared


@njit(cache=True, nogil=True)
def connect(
    members: Array,
    bounds: Array,
    data: Array,
    offsets: Array,
    sketches: Array,
    parent: Array,
    copies: Array,
    ngram: int,
    threshold: float,
    floor: float,
) -> tuple[Array, Array, Array]:
    """Join the rows of every bucket whose exact Jaccard similarity reaches the threshold.

    Two rows are compared unless they are of one cluster already: what is skipped is connected, so
    the clusters are those of comparing all pairs, and a bucket of k like texts takes k - 1
    comparisons. A pair is measured exactly when enough of its sketches agree (`floor`, a number of
    places). Of byte-equal rows the later one is marked in `copies`.

    Returns the accepted pairs and their similarity.
    """
    widest = 1
    for at in range(len(members)):
        widest = max(widest, offsets[at + 1] - offsets[at])
    size = table_size(widest)
    grams = np.empty(widest, np.uint64)
    table, stamps = np.empty(size, np.uint64), np.full(size, -1, np.int64)
    seen, turns = np.empty(size, np.uint64), np.full(size, -1, np.int64)
    first, second = np.empty(len(members), np.uint32), np.empty(len(members), np.uint32)
    similarity = np.empty(len(members), np.float64)
    found, turn = 0, 0
    for bucket in range(len(bounds) - 1):
        for a in range(bounds[bucket], bounds[bucket + 1]):
            distinct, room = -1, 1
            for b in range(a + 1, bounds[bucket + 1]):
                left, right = find(parent, members[a]), find(parent, members[b])
                if left == right:
                    continue
                agree = 0
                for place in range(sketches.shape[1]):
                    agree += sketches[a, place] == sketches[b, place]
                if agree < floor:
                    continue
                value = 1.0
                if _equal(data, offsets, a, b):
                    copies[max(members[a], members[b])] = True
                else:
                    if distinct < 0:
                        count = ngram_hashes(data, offsets[a], offsets[a + 1], ngram, grams)
                        room = table_size(count)
                        distinct = _distinct(grams, count, table[:room], stamps[:room], a)
                    count = ngram_hashes(data, offsets[b], offsets[b + 1], ngram, grams)
                    turn += 1
                    own = table_size(count)
                    other, both = _shared(
                        grams,
                        count,
                        table[:room],
                        stamps[:room],
                        a,
                        seen[:own],
                        turns[:own],
                        turn,
                    )
                    value = both / (distinct + other - both)
                if value >= threshold:
                    parent[max(left, right)] = min(left, right)
                    first[found] = min(members[a], members[b])
                    second[found] = max(members[a], members[b])
                    similarity[found] = value
                    found += 1
    return first[:found], second[:found], similarity[:found]
