"""Which records hold a text? Lists of records by pairs of characters, made in two compiled walks.

Chinese is searched for by words of two characters, which a trigram index can't find. Here every
character and every pair of neighbours is hashed into a slot, and a slot lists the records that hold
it. A search takes the lists of its text's pairs and keeps what is in all; what is left is then
looked into, since pairs need not stand together and slots are shared.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import njit

from cqia.text.buffers import Bytes, Offsets, flat
from cqia.text.kernels import decode

SLOTS = 1 << 18
BREAK = 0x1F
"""The character between two fields: no pair reaches over it."""

Counts = npt.NDArray[np.uint32]
Places = npt.NDArray[np.uint16]
"""A part of the index has fewer than 65,536 records, so their places take two bytes."""


class Lists(NamedTuple):
    """Slot `s` lists the rows `rows[starts[s]:starts[s + 1]]`, ascending."""

    starts: Counts
    rows: Places


def build(texts: pl.Series) -> Lists:
    """The lists of these texts, which hold no nulls."""
    data, offsets = flat(texts)
    starts = np.zeros(SLOTS + 1, np.uint32)
    _walk(data, offsets, starts[1:], np.empty(0, np.uint16))
    np.cumsum(starts, out=starts)
    rows = np.empty(starts[-1], np.uint16)
    _walk(data, offsets, starts[:-1].copy(), rows)
    return Lists(starts, rows)


def slots(text: str) -> list[int]:
    """The slots that a record which holds this text is in, each once."""
    points = [ord(char) for char in text]
    found = [slot(a, b) for a, b in itertools.pairwise(points)]
    return list(dict.fromkeys(int(one) for one in found or [slot(0, one) for one in points]))


@njit(cache=True, nogil=True)
def slot(first: int | np.int64, second: int | np.int64) -> np.int64:
    """The slot of a pair; `first` 0: of a single character."""
    mixed = np.uint64(first * 0x110000 + second) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64(mixed >> np.uint64(46))


@njit(cache=True, nogil=True)
def _walk(data: Bytes, offsets: Offsets, ends: Counts, rows: Places) -> None:
    """Write every text's row once into each of its slots' lists, which end at `ends`.

    Without rows to write into it only moves the ends, from 0 to how long the lists will be.
    """
    seen = np.full(SLOTS, -1, np.int64)
    for row in range(len(offsets) - 1):
        at, before = offsets[row], np.int64(BREAK)
        while at < offsets[row + 1]:
            point, at = decode(data, at)
            for turn in range(2):
                if point == BREAK or (turn == 1 and before == BREAK):
                    continue
                one = slot(0 if turn == 0 else before, point)
                if seen[one] != row:
                    seen[one] = row
                    if len(rows):
                        rows[ends[one]] = row
                    ends[one] += 1
            before = point
