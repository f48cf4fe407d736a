"""Compiled loops of the selection: hashed n-grams, similarities over an inverted index, gains.

Vectors are rows of at most `terms.shape[1]` terms with their weights; `counts` says how many. All
lengths are 1, so the sum of products is the cosine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from cqia.text.buffers import Bytes, Offsets
from cqia.text.kernels import decode

Array = npt.NDArray[Any]
_MULTIPLIER, _SPREAD = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xFF51AFD7ED558CCD)


@njit(cache=True, nogil=True)
def _places(data: Bytes, start: np.int64, stop: np.int64, bits: int) -> Array:
    """The sorted hash places of a row's character pairs and triples; of a lone character, its."""
    points = np.empty(stop - start, np.uint64)
    size = 0
    at = start
    while at < stop:
        point, at = decode(data, at)
        points[size] = point
        size += 1
    found = np.empty(2 * size + 1, np.int64)
    count = 0
    shift = np.uint64(64 - bits)
    for last in range(size):
        key = points[last]
        for length in range(2, 4):
            if last - length + 1 < 0:
                break
            key = (key * _MULTIPLIER) ^ points[last - length + 1]
            mixed = (key ^ key >> np.uint64(31)) * _SPREAD
            found[count] = np.int64((mixed ^ mixed >> np.uint64(29)) * _MULTIPLIER >> shift)
            count += 1
    if size == 1:
        found[0] = np.int64(points[0] * _MULTIPLIER >> shift)
        count = 1
    return np.sort(found[:count])


@njit(cache=True, nogil=True)
def document_counts(data: Bytes, offsets: Offsets, bits: int, found: Array) -> None:
    """Add to each place the number of rows that have it."""
    for row in range(len(offsets) - 1):
        before = np.int64(-1)
        for place in _places(data, offsets[row], offsets[row + 1], bits):
            if place != before:
                found[place] += 1
                before = place


@njit(cache=True, nogil=True)
def weighted(
    data: Bytes, offsets: Offsets, bits: int, idf: Array,
    terms: Array, weights: Array, counts: Array,
) -> None:  # fmt: skip
    """Fill in each row's heaviest terms, weight (1 + ln tf) idf, to the length 1; ties by place."""
    most = terms.shape[1]
    for row in range(len(offsets) - 1):
        places = _places(data, offsets[row], offsets[row + 1], bits)
        own = np.empty(len(places), np.int64)
        heavy = np.empty(len(places), np.float64)
        size, at = 0, 0
        while at < len(places):
            end = at
            while end < len(places) and places[end] == places[at]:
                end += 1
            own[size] = places[at]
            heavy[size] = (1 + np.log(end - at)) * idf[places[at]]
            size += 1
            at = end
        order = np.argsort(-heavy[:size], kind="mergesort")[:most]
        whole = np.sqrt((heavy[order] ** 2).sum())
        for number in range(len(order)):
            terms[row, number] = own[order[number]]
            weights[row, number] = heavy[order[number]] / whole
        counts[row] = len(order)


@njit(cache=True, nogil=True)
def spread(
    terms: Array, weights: Array, counts: Array, size: int, order: Array, amount: int,
    bound: float, nearest: Array, who: Array,
) -> tuple[int, int]:  # fmt: skip
    """Take rows in order unless one that is taken lies at `bound` or nearer.

    Args:
        terms: the rows' terms.
        weights: their weights.
        counts: how many each row has.
        size: the number of terms that there can be.
        order: the rows in the order they are looked at.
        amount: how many are taken at most.
        bound: similarity from which a row is refused.
        nearest: filled in: of each row looked at, the highest similarity to one taken before it.
        who: filled in: that row, or -1.

    Returns:
        How many were looked at, and taken: those whose `nearest` is below the bound.
    """
    room = amount * terms.shape[1]
    head = np.full(size, -1, np.int64)
    link, owner, value = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room)
    near, touched = np.zeros(amount), np.empty(amount, np.int64)
    taken_rows = np.empty(amount, np.int64)
    filled = taken = 0
    for seen in range(len(order)):
        if taken == amount:
            return seen, taken
        row = order[seen]
        count = 0
        for number in range(counts[row]):
            at = head[terms[row, number]]
            while at >= 0:
                other = owner[at]
                if near[other] == 0:
                    touched[count] = other
                    count += 1
                near[other] += weights[row, number] * value[at]
                at = link[at]
        nearest[row], who[row] = 0, -1
        for other in np.sort(touched[:count]):
            if near[other] > nearest[row]:
                nearest[row], who[row] = near[other], taken_rows[other]
            near[other] = 0
        if nearest[row] >= bound:
            continue
        taken_rows[taken] = row
        for number in range(counts[row]):
            term = terms[row, number]
            owner[filled], value[filled], link[filled] = taken, weights[row, number], head[term]
            head[term] = filled
            filled += 1
        taken += 1
    return len(order), taken


@njit(cache=True, nogil=True)
def closest(
    terms: Array, weights: Array, counts: Array, size: int, among: Array, own: bool,
    who: Array, near: Array,
) -> None:  # fmt: skip
    """Of every row the most similar rows of some, the most similar first; ties to the first row.

    Args:
        terms: the rows' terms.
        weights: their weights.
        counts: how many each row has.
        size: the number of terms that there can be.
        among: the rows among which is looked, ascending.
        own: whether a row is looked for among its own neighbours.
        who: filled in: rows x how many; -1 where there is none that shares a term.
        near: filled in: their similarities.
    """
    starts = np.zeros(size + 1, np.int64)
    for row in among:
        for number in range(counts[row]):
            starts[terms[row, number] + 1] += 1
    starts = np.cumsum(starts)
    place = starts[:-1].copy()
    rows, values = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.float32)
    for row in among:
        for number in range(counts[row]):
            term = terms[row, number]
            rows[place[term]], values[place[term]] = row, weights[row, number]
            place[term] += 1
    sums, touched = np.zeros(len(counts)), np.empty(len(counts), np.int64)
    most = who.shape[1]
    for row in range(len(counts)):
        count = 0
        for number in range(counts[row]):
            term = terms[row, number]
            for at in range(starts[term], starts[term + 1]):
                other = rows[at]
                if sums[other] == 0:
                    touched[count] = other
                    count += 1
                sums[other] += weights[row, number] * values[at]
        size_ = 0
        for other in touched[:count]:
            value = sums[other]
            sums[other] = 0
            if other == row and not own:
                continue
            at = size_
            if size_ == most:
                last = near[row, most - 1]
                if value < last or (value == last and other > who[row, most - 1]):
                    continue
                at = most - 1
            else:
                size_ += 1
            while at > 0 and (
                near[row, at - 1] < value
                or (near[row, at - 1] == value and who[row, at - 1] > other)
            ):
                near[row, at], who[row, at] = near[row, at - 1], who[row, at - 1]
                at -= 1
            near[row, at], who[row, at] = value, other


@njit(cache=True, nogil=True)
def gain(starts: Array, reached: Array, values: Array, best: Array, row: int) -> float:
    """What a row would add to how well everything is covered."""
    total = 0.0
    for at in range(starts[row], starts[row + 1]):
        more = values[at] - best[reached[at]]
        if more > 0:
            total += more
    return total


@njit(cache=True, nogil=True)
def covered(starts: Array, reached: Array, values: Array, best: Array, row: int) -> None:
    """Take a row: whatever it reaches is covered at least so well."""
    for at in range(starts[row], starts[row + 1]):
        if values[at] > best[reached[at]]:
            best[reached[at]] = values[at]
