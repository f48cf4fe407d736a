"""Rows of a table against each other, on the same items, with items and seeds as the chance.

The estimate is the mean, over the items that both rows have read, of the difference between their
scores (each the mean over its seeds). Two things make it uncertain: another draw of items
(clusters), and another seed for each row that was trained. An estimate carries both apart, since
they have degrees of freedom of their own; `families` makes intervals and p-values of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cqia.statistics.layout import MACRO, Bools, Codes, Floats, Layout, Moments, moments
from cqia.statistics.seeds import Spread, pooled, spread


class Estimate(NamedTuple):
    """A line an estimate, a column a place; NaN where a number can't be had."""

    items: Floats
    """How many items it rests on."""
    clusters: Floats
    """How many independent pieces of evidence they are."""
    value: Floats
    centre: Floats
    """The middle of its interval; see `layout.Moments`."""
    variance: Floats
    """Of the centre, from item to item, item x seed included."""
    degrees: Floats
    between: Floats
    """The variance of the centre by the differences between seeds' means; 0 without seeds."""
    within: Floats
    """The part of `between` that item x seed makes, which `variance` holds already."""
    between_degrees: Floats

    @property
    def error(self) -> Floats:
        """The standard error."""
        return np.asarray(np.sqrt(self.variance + np.maximum(self.between - self.within, 0.0)))


@dataclass(frozen=True, slots=True)
class Table:
    """One benchmark's scores under one base model."""

    scores: Floats
    """Rows x seeds x items; NaN: not read, or no such seed."""
    layout: Layout
    trained: Bools
    """Which rows were trained, so that another seed would have given another result."""

    @property
    def right_or_wrong(self) -> bool:
        """Whether every score is 0 or 1."""
        read = self.scores[~np.isnan(self.scores)]
        return bool(np.isin(read, (0.0, 1.0)).all())

    @property
    def averages(self) -> Floats:
        """Rows x items: the mean over the seeds that read the item."""
        read = ~np.isnan(self.scores)
        count = read.sum(axis=1)
        total = np.where(read, self.scores, 0.0).sum(axis=1)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.where(count > 0, total / count, np.nan))


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table with its spread between seeds, from which estimates are taken."""

    table: Table
    spread: Spread
    """Of each row alone."""
    common: Spread
    """Pooled over the trained rows: what the intervals use."""

    def means(self) -> Estimate:
        """Every row's mean."""
        found = moments(self.table.averages, self.table.layout)
        rows = np.arange(len(self.table.scores))
        return self._with_seeds(found, (rows,))

    def differences(self, first: Sequence[int], second: Sequence[int]) -> Estimate:
        """Every row of `first` minus its row of `second`, paired by item."""
        averages, seeds = self.table.averages, self.spread.seeds
        a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
        # Two outcomes are added, which are less than two items where items have several seeds.
        added = 2.0 if self.table.right_or_wrong else 0.0
        eased = added / np.maximum(np.maximum(seeds[a], seeds[b]), 1.0)
        parts = [
            moments(averages[a[chunk]] - averages[b[chunk]], self.table.layout, eased=eased[chunk])
            for chunk in (slice(i, i + CHUNK) for i in range(0, len(a), CHUNK))
        ]
        if not parts:
            empty = np.zeros((0, len(self.table.layout.places)))
            return Estimate(*[empty] * 9)
        joined = Moments(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        return self._with_seeds(joined, (a, b))

    def flips(self, first: Sequence[int], second: Sequence[int]) -> tuple[Floats, Floats, Bools]:
        """Items that only the first row has right, only the second; and whether that is all.

        It is, and McNemar's test applies, where scores are right or wrong, either row has one seed,
        and no items hang together; never for the mean of the groups.
        """
        a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
        of, averages = self.table.layout, self.table.averages
        single = (self.spread.seeds[a] == 1) & (self.spread.seeds[b] == 1)
        together = len(np.unique(of.clusters)) < len(of.clusters)
        if together or not single.any() or not self.table.right_or_wrong:
            none = np.zeros((len(a), len(of.places)))
            return none, none, none > 0
        apart = averages[a] - averages[b]
        up, down = (
            moments(np.where(np.isnan(apart), 0.0, sign * apart > 0), of) for sign in (1, -1)
        )
        exact = single[:, None] & np.array([place != MACRO for place in of.places])
        counts = [np.round(one.mean * one.items) for one in (up, down)]
        read = moments(apart, of).items > 0
        return counts[0], counts[1], np.asarray(exact & read)

    def complete(self, rows: Codes) -> Bools:
        """Whether seeds are in the rows' intervals: not when a trained row has only one."""
        return np.asarray(~self.table.trained[rows] | (self.spread.seeds[rows] > 1))

    def _with_seeds(self, found: Moments, sides: tuple[Codes, ...]) -> Estimate:
        """Moments over items, and what the seeds of the rows on either side add to them."""
        common = self.common
        known = ~np.isnan(common.between)
        share = np.where(known, 1.0 / np.maximum(common.seeds, 1.0)[:, None], 0.0)
        parts = [np.where(known, part, 0.0) * share for part in (common.between, common.within)]
        between, within = (np.sum([part[side] for side in sides], axis=0) for part in parts)
        degrees = np.max(np.where(known, common.degrees, 1.0), axis=0, initial=1.0)
        # Items that all differ by the same amount say nothing of how far another one would differ.
        read = np.abs(self.table.scores[~np.isnan(self.table.scores)])
        least = (ROUNDING * np.max(read, initial=0.0)) ** 2
        with np.errstate(invalid="ignore"):
            blind = ~(found.variance > least)
        return Estimate(
            found.items,
            found.clusters,
            np.where(np.abs(found.mean) < np.sqrt(least) / 1000, 0.0, found.mean),
            found.centre,
            np.where(blind, np.nan, found.variance),
            np.where(blind, np.nan, found.degrees),
            between,
            within,
            np.broadcast_to(degrees, between.shape),
        )


ROUNDING = 1e-9
"""A standard error below so small a part of the largest score is the computer's, not the items'."""
CHUNK = 64
"""Pairs whose differences are held at a time."""


def compared(table: Table) -> Comparison:
    """A table, ready to be compared."""
    own = spread(table.scores, table.layout)
    alone = np.isnan(own.between) | ~table.trained[:, None]
    own = Spread(
        np.where(alone, np.nan, own.between),
        np.where(alone, np.nan, own.within),
        np.where(alone, np.nan, own.degrees),
        own.seeds,
    )
    return Comparison(table, own, pooled(own))
