"""How a benchmark's items hang together, and means over them with cluster-robust variances.

Everything here is counted for many rows at once: a matrix has a line a row of the table and a
column an item, NaN where a row has no readable score. A line of numbers comes back for every group,
for all items together (`""`, the micro average), and for the mean of the groups (`"macro"`).

The variance of a mean over items that come in clusters (questions on one passage) is that of the
sums of residuals a cluster (Liang and Zeger 1986; for evaluations Miller, arXiv 2411.00640), times
C / (C - 1) for C clusters, which is statsmodels' small-sample correction without regressors. An
item that stands alone is a cluster of one, and the formula becomes the usual s^2 / n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

MICRO, MACRO = "", "macro"
"""The group of all items, and the mean of the groups."""


class Moments(NamedTuple):
    """A line a row, a column a place (micro, the groups, macro); NaN where it can't be had.

    mean is the plain mean. centre is the middle of an interval: the mean, or for differences of
    right and wrong the mean drawn a little towards nothing. variance is that of the centre, and
    degrees are its degrees of freedom. items and clusters are what was there.
    """

    items: Floats
    clusters: Floats
    mean: Floats
    centre: Floats
    variance: Floats
    degrees: Floats


@dataclass(frozen=True, slots=True)
class Layout:
    """Which group and which cluster every item belongs to, as numbers from 0 without gaps."""

    names: tuple[str, ...]
    """The groups' names."""
    groups: Codes
    clusters: Codes
    counted: Bools
    """Which groups macro is the mean of: those with an item that can be asked."""

    @property
    def places(self) -> tuple[str, ...]:
        """The columns of results: micro, the groups with a name, and macro when it is of two."""
        macro = (MACRO,) if self.counted.sum() > 1 else ()
        return (MICRO, *self.names, *macro) if self.names != ("",) else (MICRO,)


def layout(
    groups: Sequence[str], clusters: Sequence[str], asked: Sequence[bool] | None = None
) -> Layout:
    """A layout from names, one of each an item.

    asked: which items can be asked; None: all of them.
    """
    names, numbers = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    _, bundles = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    there = numbers if asked is None else numbers[np.asarray(asked, dtype=np.bool_)]
    counted = np.isin(np.arange(len(names)), there)
    return Layout(
        tuple(map(str, names)), numbers.astype(np.int64), bundles.astype(np.int64).ravel(), counted
    )


def moments(values: Floats, of: Layout, *, eased: Floats | float = 0.0) -> Moments:
    """Means over items, in every place.

    Args:
        values: a line a row, a column an item; NaN: not read.
        of: the items' layout.
        eased: for differences of right and wrong: how much of an item is added to the two-by-two
            table, half of it to the cells that differ and half to those that don't, a number a row.
            With 2 it is Agresti and Min's (2005) adjustment, half an item a cell; so few differing
            items, or none, give no false certainty.
    """
    weights = np.broadcast_to(np.reshape(eased, (-1, 1)), (len(values), 1)).astype(np.float64)
    everything = np.zeros(values.shape[1], dtype=np.int64)
    micro, _ = _robust(values, everything, of.clusters, weights)
    if of.places == (MICRO,):
        return micro
    grouped, scaled = _robust(values, of.groups, of.clusters, weights)
    parts = [micro, grouped]
    if MACRO in of.places:
        parts.append(_macro(grouped, scaled, of, weights))
    return Moments(*(np.concatenate(columns, axis=1) for columns in zip(*parts, strict=True)))


def _robust(
    values: Floats, groups: Codes, clusters: Codes, eased: Floats
) -> tuple[Moments, Floats]:
    """Moments a group, and every item's residual over its group's n, scaled for few clusters."""
    read = ~np.isnan(values)
    order = np.lexsort((clusters, groups))
    starts = _starts(groups[order])
    n = _sums(read.astype(np.float64), order, starts)
    totals = _sums(np.where(read, values, 0.0), order, starts)
    size = n + eased
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, centre = totals / n, totals / size
        residuals = np.where(read, values - centre[:, groups], 0.0)
        bundles = _starts(groups[order], clusters[order])
        there = _sums(read.astype(np.float64), order, bundles) > 0
        squares = _sums(residuals, order, bundles) ** 2
        of_bundle = groups[order][bundles]
        own = np.arange(len(of_bundle))
        at = _starts(of_bundle)
        count = _sums(there.astype(np.float64), own, at)
        total = _sums(squares, own, at) + _added(centre, eased)
        few = np.where(count > 1, count / (count - 1.0), np.nan)
        variance = few * total / size**2
        scaled = residuals * (np.sqrt(few) / size)[:, groups]
    degrees = np.where(count > 1, count - 1.0, np.nan)
    centre = np.where(n > 0, centre, np.nan)
    return Moments(n, count, mean, centre, variance, degrees), scaled


def _added(centre: Floats, eased: Floats) -> Floats:
    """Squared residuals of what is added: a quarter each at 1 and -1, half at 0."""
    return np.asarray(eased * (0.5 + centre**2))


def _macro(grouped: Moments, scaled: Floats, of: Layout, eased: Floats) -> Moments:
    """The mean of the groups: null when one was asked in vain, since it would be another mean.

    Groups without an item that can be asked have no part in it, in any row. Clusters that reach
    over groups are taken as a whole. Degrees of freedom: Satterthwaite (1946).
    """
    k = of.counted.sum()
    grouped = Moments(*(column[:, of.counted] for column in grouped))
    order = np.argsort(of.clusters, kind="stable")
    sums = _sums(np.where(np.isnan(scaled), 0.0, scaled), order, _starts(of.clusters[order]))
    with np.errstate(divide="ignore", invalid="ignore"):
        few = grouped.clusters / (grouped.clusters - 1.0)
        more = few * _added(grouped.centre, eased) / (grouped.items + eased) ** 2
        whole = grouped.variance.sum(axis=1, keepdims=True)
        shares = (grouped.variance**2 / grouped.degrees).sum(axis=1, keepdims=True)
        degrees = whole**2 / shares
    total = (sums**2).sum(axis=1, keepdims=True) + more.sum(axis=1, keepdims=True)
    return Moments(
        grouped.items.sum(axis=1, keepdims=True),
        grouped.clusters.sum(axis=1, keepdims=True),
        grouped.mean.mean(axis=1, keepdims=True),
        grouped.centre.mean(axis=1, keepdims=True),
        np.where(np.isnan(whole), np.nan, total / k**2),
        degrees,
    )


def _starts(*codes: Codes) -> Codes:
    """Where runs of equal codes begin."""
    if not len(codes[0]):
        return np.zeros(0, dtype=np.int64)
    new = np.zeros(len(codes[0]), dtype=np.bool_)
    new[0] = True
    for one in codes:
        new[1:] |= one[1:] != one[:-1]
    return np.flatnonzero(new).astype(np.int64)


def _sums(values: Floats, order: Codes, starts: Codes) -> Floats:
    """Sums of columns, over runs of the ordered columns."""
    if not len(starts):
        return np.zeros((len(values), 0))
    return np.asarray(np.add.reduceat(values[:, order], starts, axis=1))
