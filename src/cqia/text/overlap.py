"""Contamination: how much of a benchmark item stands in a training record.

The measure is the item's: the share of its distinct character 13-grams that the record holds. An
item is given as segments (the question, and each option), and no n-gram runs across two of them, so
the order of the options doesn't matter. Thirteen is this project's choice, taken over from the
13-word overlap of Brown et al. 2020 (*Language Models are Few-Shot Learners*, appendix C).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from cqia.text.buffers import flat

HITS = pl.Schema(
    {"record": pl.UInt32, "item": pl.UInt32, "share": pl.Float64, "characters": pl.UInt32}
)
"""record, item: row numbers; share: of the item's n-grams, 0 to 1; characters: of the item's
characters, how many those n-grams cover."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class NgramIndex:
    """A benchmark's n-grams; made by `ngram_index`."""

    lengths: Ints
    """The n-gram lengths in use: `ngram`, and those of short items' segments."""
    table: npt.NDArray[np.uint64]
    """Open addressing: hash of an n-gram, 0 where free."""
    grams: Ints
    """Number of the n-gram at each place of the table."""
    postings: Ints
    """Items of n-gram g: `postings[posting_starts[g]:posting_starts[g + 1]]`."""
    posting_starts: Ints
    places: Ints
    """Per item its n-grams in order: number, first character, length."""
    place_starts: Ints
    sizes: Ints
    """Distinct n-grams of each item; 0: too short to test."""

    @property
    def too_short(self) -> pl.Series:
        """The items that can't be tested."""
        return pl.Series("item", np.flatnonzero(self.sizes == 0), dtype=pl.UInt32)

    def hits(self, text: pl.Series, *, least: float = 0.0) -> pl.DataFrame:
        """Every record and item that share an n-gram, where the share is at least `least`.

        Args:
            text: the records' matching views.
            least: the smallest share that is reported.
        """
        from cqia.text.kernels_match import coverage

        data, offsets = flat(text)
        found = coverage(
            data,
            offsets,
            self.lengths,
            self.table,
            self.grams,
            self.postings,
            self.posting_starts,
            self.places,
            self.place_starts,
            self.sizes,
            least,
        )
        columns = [
            pl.Series(name, found[:, place].astype(np.float64 if name == "share" else np.uint32))
            for place, name in enumerate(HITS)
        ]
        return pl.DataFrame(columns, schema=HITS).sort("record", "item")


def ngram_index(
    items: Sequence[Sequence[str]], *, ngram: int = 13, shortest: int = 8
) -> NgramIndex:
    """Index a benchmark.

    Args:
        items: the segments of each item, as matching views.
        ngram: characters in an n-gram.
        shortest: an item without a segment of `ngram` characters is looked for by its whole
            segments of at least this many; without one it is too short to test.
    """
    from cqia.text.kernels_match import NGRAM_SIZE_LIMIT, gram_hashes, insert

    if not 0 < shortest <= ngram <= NGRAM_SIZE_LIMIT:
        raise ValueError(f"0 < shortest <= ngram <= {NGRAM_SIZE_LIMIT} does not hold")
    hashes: list[npt.NDArray[np.uint64]] = []
    rows: list[tuple[int, int, int]] = []
    data, offsets = flat(
        pl.Series([one for segments in items for one in segments], dtype=pl.String)
    )
    bounds = pairwise(offsets.tolist())
    for item, segments in enumerate(items):
        long = any(len(segment) >= ngram for segment in segments)
        start = 0
        for segment, (first, end) in zip(segments, bounds, strict=False):
            length = ngram if long else len(segment)
            if shortest <= length <= len(segment):
                found = gram_hashes(data, first, end, length)
                hashes.append(found)
                rows += [(item, start + at, length) for at in range(len(found))]
            start += len(segment)
    every = np.concatenate([np.empty(0, np.uint64), *hashes])
    places = np.array(rows, np.int64).reshape(-1, 3)
    unique, number = np.unique(every, return_inverse=True)
    gram_of, item_of = np.divmod(np.unique(number * len(items) + places[:, 0]), max(len(items), 1))
    size = 1 << (2 * len(unique) + 15).bit_length()
    table, grams = np.zeros(size, np.uint64), np.zeros(size, np.int64)
    insert(unique, table, grams)
    return NgramIndex(
        lengths=np.unique(places[:, 2]),
        table=table,
        grams=grams,
        postings=item_of,
        posting_starts=_starts(gram_of, len(unique)),
        places=np.stack([number, places[:, 1], places[:, 2]], axis=1),
        place_starts=_starts(places[:, 0], len(items)),
        sizes=np.bincount(item_of, minlength=len(items)).astype(np.int64),
    )


def best(hits: pl.DataFrame, by: str) -> pl.DataFrame:
    """The hit with the largest share for each `record`, or each `item`; ties: the first row."""
    other = "item" if by == "record" else "record"
    return hits.sort([by, "share", other], descending=[False, True, False]).unique(
        by, keep="first", maintain_order=True
    )


def _starts(owners: Ints, count: int) -> Ints:
    return np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=count))]).astype(np.int64)
