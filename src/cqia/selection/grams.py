"""Records as hashed character n-grams, weighed by TF-IDF: a space without any model.

Pairs and triples of characters of the matching view (width, script, case and punctuation don't
count), hashed to 2^18 places; the weight is (1 + ln tf) (1 + ln((1 + n) / (1 + df))), and of each
record only its 128 heaviest places count. So long texts don't drown short ones, what many records
share says little, and 50,000 records take 50 MB. All of these numbers are this project's choice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from cqia.selection.space import Array, Rows, Spread
from cqia.text.buffers import flat
from cqia.text.matching import matching_view

BITS = 18
HEAVIEST = 128
BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Grams:
    """Texts' vectors; a text without a character has none and is like nothing."""

    terms: Array
    weights: Array
    counts: Array

    @classmethod
    def of(cls, texts: pl.Series) -> Grams:
        """The vectors of texts, weighed against one another."""
        from cqia.selection.kernels import document_counts, weighted

        found = np.zeros(1 << BITS, np.int64)
        for batch in _views(texts):
            document_counts(*flat(batch), BITS, found)
        idf = 1 + np.log((1 + len(texts)) / (1 + found))
        terms = np.zeros((len(texts), HEAVIEST), np.int32)
        weights = np.zeros((len(texts), HEAVIEST), np.float32)
        counts = np.zeros(len(texts), np.int32)
        at = 0
        for batch in _views(texts):
            here = slice(at, at + len(batch))
            weighted(*flat(batch), BITS, idf, terms[here], weights[here], counts[here])
            at += len(batch)
        return cls(terms, weights, counts)

    @property
    def count(self) -> int:
        """How many texts there are."""
        return len(self.counts)

    def spread(self, order: Rows, amount: int, bound: float) -> Spread:
        """Take rows in order, unless one that is taken is as similar as `bound` or more."""
        from cqia.selection.kernels import spread

        nearest, who = np.zeros(self.count), np.full(self.count, -1, np.int64)
        seen, _ = spread(
            self.terms, self.weights, self.counts, 1 << BITS, order, amount, bound, nearest, who
        )
        rows = order[:seen]
        return Spread(rows, nearest[rows] < bound, nearest[rows], who[rows])

    def closest(self, most: int, *, among: Rows | None = None) -> tuple[Array, Array]:
        """Of every row the most similar rows and their similarities."""
        from cqia.selection.kernels import closest

        rows = np.arange(self.count) if among is None else np.sort(among)
        who = np.full((self.count, most), -1, np.int32)
        near = np.zeros((self.count, most), np.float32)
        closest(
            self.terms, self.weights, self.counts, 1 << BITS, rows, among is not None, who, near
        )
        return who, near


def _views(texts: pl.Series) -> Iterable[pl.Series]:
    for at in range(0, len(texts), BATCH):
        yield matching_view(texts.slice(at, BATCH))
