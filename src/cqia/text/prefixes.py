"""Which texts may hold one of many phrases, found by the phrases' first two characters.

An automaton over thousands of phrases reads about 100 MB a second. Few texts hold even the first
two characters of a phrase side by side, so one pass that looks pairs up in a small table tells most
texts apart much faster, and only the rest goes to the automaton.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import polars as pl

from cqia.text.buffers import flat

SHIFT = 21
"""Bits of a code point; a pair is `first << SHIFT | second`, a single character stands alone."""

Table = npt.NDArray[np.uint64]


def table(phrases: Iterable[str]) -> Table:
    """The open-addressing table of the phrases' first two characters, in lower case (ASCII)."""
    from cqia.text.kernels import place_pairs

    keys = {
        ord(one[0]) << SHIFT | ord(one[1]) if len(one) > 1 else ord(one[0])
        for one in (phrase.lower() for phrase in phrases)
        if one
    }
    size = 1 << (4 * len(keys) + 15).bit_length()
    found = np.zeros(size, np.uint64)
    place_pairs(np.array(sorted(keys), np.uint64), found)
    return found


def may_hold(text: pl.Series, pairs: Table) -> pl.Series:
    """False where the text surely holds none of the phrases; ASCII case is ignored."""
    from cqia.text.kernels import hold_pairs

    return pl.Series(text.name, hold_pairs(*flat(text), pairs))
