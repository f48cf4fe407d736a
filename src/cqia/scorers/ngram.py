"""Bits a character of an answer under a character n-gram model of the collection itself.

High: wording that is rare in this collection, garbage, another language. Low: boilerplate. The
perplexity a character is 2 to that power. The model is of order 4, interpolated with Witten-Bell's
estimate (Witten and Bell 1991; Chen and Goodman 1998, section 2.5), whose weights come from counts,
not from a parameter. A record never scores itself: its fold, a hash of its id, is scored by a model
of the other folds. What follows a text's end is not modelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from cqia.errors import UserError
from cqia.scorers.base import Learnt, Numbers, has_text
from cqia.text.buffers import flat

FOLDS = 4
LARGEST = 10_000_000
"""Characters that are learnt from at most: of a larger collection records are drawn by a hash of
their ids. It bounds the memory to about a gigabyte."""
LEAST = 20
"""Records with an answer below which nothing is learnt."""

Batches = Callable[[], Iterable[pl.DataFrame]]


@dataclass(slots=True)
class Table:
    """N-grams and their counts in each fold, in a table that grows; its slots are a power of 2."""

    keys: np.ndarray[tuple[int], np.dtype[np.uint64]]
    counts: np.ndarray[tuple[int, int], np.dtype[np.uint32]]
    numbers: np.ndarray[tuple[int], np.dtype[np.int32]]
    state: np.ndarray[tuple[int], np.dtype[np.int64]]

    @classmethod
    def empty(cls) -> Table:
        """One without n-grams."""
        from cqia.scorers.kernels import FIRST

        size = 1 << 16
        return cls(
            np.zeros(size, np.uint64),
            np.zeros((size, FOLDS), np.uint32),
            np.zeros(0x110000, np.int32),
            np.array([FIRST, 0], np.int64),
        )

    def add(self, frame: pl.DataFrame) -> None:
        """Count a batch."""
        from cqia.scorers.kernels import count_grams

        data, offsets = flat(frame["output"])
        folds = _folds(frame)
        row = 0
        while row < len(frame):
            row = count_grams(
                data, offsets, folds, row, self.numbers, self.state, self.keys, self.counts
            )
            if row < len(frame):
                self._grow()

    def _grow(self) -> None:
        from cqia.scorers.kernels import moved

        size = 2 * len(self.keys)
        keys, counts = np.zeros(size, np.uint64), np.zeros((size, FOLDS), np.uint32)
        moved(self.keys, self.counts, keys, counts)
        self.keys, self.counts = keys, counts


def learning(batches: Batches) -> Numbers:
    """The model of a collection, as what scores its records.

    Raises:
        UserError: the collection is too small to learn from.
    """
    from cqia.scorers.kernels import FIRST, held_out_counts, witten_bell

    sizes = [
        frame.filter(has_text()).select(pl.len(), pl.col("output").str.len_chars().sum()).row(0)
        for frame in batches()
    ]
    records, characters = (sum(one[place] for one in sizes) for place in (0, 1))
    if records < LEAST:
        raise UserError(
            f"{records} records have an answer, {LEAST} are needed to learn from",
            mend="curate more of them",
        )
    share = min(1.0, LARGEST / characters)
    table = Table.empty()
    for frame in batches():
        table.add(frame.filter(_hash("draw") // 2**32 < int(share * 2**32)))
    sums = np.zeros((len(table.keys) + 1, FOLDS), np.uint32)
    types = np.zeros((len(table.keys) + 1, FOLDS), np.uint32)
    held_out_counts(table.keys, table.counts, sums, types)
    known = int(table.state[0]) - FIRST + 1

    def numbers(frame: pl.DataFrame) -> pl.Series:
        bits = witten_bell(
            *flat(frame["output"]), _folds(frame), table.numbers, known,
            table.keys, table.counts, sums, types,
        )  # fmt: skip
        found = frame.select(has_text().alias("has"), bits=pl.Series(bits).fill_nan(None))
        return found.select(pl.when("has").then("bits")).to_series()

    return numbers


def _folds(frame: pl.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return frame.select((_hash("fold") % FOLDS).cast(pl.Int64)).to_series().to_numpy()


def _hash(what: str) -> pl.Expr:
    import polars_hash as plh

    hashed: pl.Expr = plh.concat_str(pl.lit(f"{what}/"), pl.col("id")).nchash.xxh3_64()
    return hashed


NGRAM = Learnt(
    name="ngram",
    about="bits a character under the collection's own character 4-grams, folds apart",
    learning=learning,
)
