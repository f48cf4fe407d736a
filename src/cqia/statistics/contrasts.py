"""Rows of a table against each other, on the same items, with items and seeds as the chance.

The estimate is the mean, over the items that both rows have read, of the difference between their
scores (each the mean over its seeds). Its variance is that between items (clusters) plus what seeds
add for each row that was trained; the interval is t with Satterthwaite's (1946) degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cqia.statistics.layout import Bools, Codes, Floats, Layout, Moments, moments
from cqia.statistics.seeds import Spread, pooled, spread


class Estimate(NamedTuple):
    """A line an estimate, a column a place; NaN where a number can't be had.

    items: how many it rests on. value: the estimate. centre and error: the middle of its interval,
    and the standard error. degrees: of freedom. clusters: independent pieces of evidence.
    """

    items: Floats
    clusters: Floats
    value: Floats
    centre: Floats
    error: Floats
    degrees: Floats


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
        averages, matched = self.table.averages, self.table.right_or_wrong
        a, b = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
        chunks = range(0, len(a), CHUNK)
        parts = [
            moments(averages[a[i : i + CHUNK]] - averages[b[i : i + CHUNK]], self.table.layout,
                    matched=matched)
            for i in chunks
        ]  # fmt: skip
        if not parts:
            empty = np.zeros((0, len(self.table.layout.places)))
            return Estimate(*[empty] * 6)
        joined = Moments(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
        return self._with_seeds(joined, (a, b))

    def complete(self, rows: Codes) -> Bools:
        """Whether seeds are in the rows' intervals: not when a trained row has only one."""
        return np.asarray(~self.table.trained[rows] | (self.spread.seeds[rows] > 1))

    def _with_seeds(self, found: Moments, sides: tuple[Codes, ...]) -> Estimate:
        seeds = self.common.seeds[:, None]
        known = ~np.isnan(self.common.between)
        with np.errstate(invalid="ignore", divide="ignore"):
            adds = np.where(
                known, np.maximum(self.common.between - self.common.within, 0) / seeds, 0
            )
            raw = np.where(known, self.common.between / seeds, 0)
            extra = np.sum([adds[side] for side in sides], axis=0)
            chance = np.sum([raw[side] for side in sides], axis=0)
            of_seeds = np.nanmax(np.where(known, self.common.degrees, 1.0), axis=0, initial=1.0)
            variance = found.variance + extra
            degrees = variance**2 / (found.variance**2 / found.degrees + chance**2 / of_seeds)
        # Items that all differ by the same amount say nothing of how far another one would differ.
        read = np.abs(self.table.scores[~np.isnan(self.table.scores)])
        blind = ~(found.variance > (ROUNDING * np.max(read, initial=0.0)) ** 2)
        return Estimate(
            found.items,
            found.clusters,
            found.mean,
            found.centre,
            np.where(blind, np.nan, np.sqrt(variance)),
            np.where(blind, np.nan, np.maximum(degrees, 1.0)),
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
