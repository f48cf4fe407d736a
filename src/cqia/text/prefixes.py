"""Which texts may hold one of many phrases, found by the phrases' first two characters.

An automaton over thousands of phrases reads about 100 MB a second. Few texts hold even the first
two characters of a phrase side by side, so one pass that looks pairs up in a small table tells most
texts apart much faster, and only the rest goes to the automaton.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cqia.text.buffers import flat

SHIFT = 21
"""Bits of a code point; a pair is `first << SHIFT | second`, a single character stands alone."""
BITS = 17
"""Bits of a hash in the bit map that stands before the table: 16 KB, so it stays in the cache."""


class Pairs(NamedTuple):
    """The phrases' first two characters; made by `pairs`."""

    table: npt.NDArray[np.uint64]
    """Open addressing; 0 where free."""
    bits: npt.NDArray[np.uint64]
    """A set bit for the hash of every key."""
    alone: bool
    """Whether a phrase is a single character."""


def pairs(phrases: Iterable[str]) -> Pairs:
    """Index the phrases' first two characters, in lower case (ASCII)."""
    from cqia.text.kernels import place_pairs

    known = [phrase.lower() for phrase in phrases if phrase]
    keys = {ord(one[0]) << SHIFT | ord(one[1]) if one[1:] else ord(one[0]) for one in known}
    size = 1 << (4 * len(keys) + 15).bit_length()
    table, bits = np.zeros(size, np.uint64), np.zeros(1 << (BITS - 6), np.uint64)
    place_pairs(np.array(sorted(keys), np.uint64), table, bits)
    return Pairs(table, bits, any(len(one) == 1 for one in known))


def may_hold(text: pl.Series, wanted: Pairs) -> pl.Series:
    """False where the text surely holds none of the phrases; ASCII case is ignored."""
    from cqia.text.kernels import hold_pairs

    data, offsets = flat(text)
    held = hold_pairs(data, offsets, wanted.table, wanted.bits, wanted.alone)
    return pl.Series(text.name, held)
