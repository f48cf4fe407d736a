"""Seeds as a source of variance: how far apart the same training lands with another seed.

A tuned row's score on item i with seed s is taken as

    mean + item_i + seed_s + (item x seed)_is

with items (clusters) and seeds drawn independently: a crossed two-way layout. The variance of the
mean over n items and S seeds is item / n + seed / S + both / (n S). The cluster-robust variance of
the seeds' mean a item holds the first and the third part; what is left is seed / S, estimated as

    (variance between the seeds' means - what item x seed alone would give it) / S

and never below nothing. A bootstrap over two or three seeds would be too narrow (it draws the same
seed twice in a third of all cases and divides by S, not by S - 1); the t distribution with
Satterthwaite's degrees of freedom knows how little two seeds tell.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cqia.statistics.layout import Floats, Layout, moments


class Spread(NamedTuple):
    """Between the seeds of every row (a line a row, a column a place); NaN for one seed.

    between: the variance of the seeds' means. within: the part of it that item x seed alone gives.
    degrees: seeds - 1. seeds: how many seeds have a readable score.
    """

    between: Floats
    within: Floats
    degrees: Floats
    seeds: Floats


def spread(scores: Floats, of: Layout) -> Spread:
    """How far seeds lie apart.

    Args:
        scores: rows x seeds x items; NaN: not read, or no such seed.
        of: the items' layout. Only items that every seed of a row reads are used here.
    """
    places = len(of.places)
    count = (~np.isnan(scores)).any(axis=2).sum(axis=1).astype(np.float64)
    between, within = np.full((2, len(scores), places), np.nan)
    for row in np.flatnonzero(count > 1):
        mine = scores[row][(~np.isnan(scores[row])).any(axis=1)]
        between[row], within[row] = _components(mine, of)
    degrees = np.where(np.isnan(between), np.nan, count[:, None] - 1.0)
    return Spread(between, within, degrees, count)


def _components(scores: Floats, of: Layout) -> tuple[Floats, Floats]:
    """Variance between seeds' means, and what item x seed gives it: one number a place."""
    whole = np.where(np.isnan(scores).any(axis=0), np.nan, scores)
    means = moments(whole, of).mean
    left = moments(whole - whole.mean(axis=0), of).variance
    return means.var(axis=0, ddof=1), left.sum(axis=0) / (len(scores) - 1)


def pooled(found: Spread) -> Spread:
    """The same spread for all rows, weighted by degrees of freedom; more for a row that shows more.

    All rows of a table are trained alike, so one variance between seeds is assumed for them, as in
    an analysis of variance; two seeds of eight rows tell as much of it as nine seeds of one. A row
    of three seeds or more that lie further apart keeps its own, larger variance: otherwise a row
    that another seed throws about would be taken for a steady one. Two seeds tell too little.
    """
    weights = np.where(np.isnan(found.between + found.within), 0.0, found.degrees)
    total = weights.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        between = np.nansum(weights * found.between, axis=0) / total
        within = np.nansum(weights * found.within, axis=0) / total
        own = (found.degrees >= 2) & (found.between > between)
    known = ~np.isnan(found.degrees) & (total > 0)
    shape = found.between.shape
    return Spread(
        np.where(known, np.where(own, found.between, between), np.nan),
        np.where(known, np.where(own, found.within, within), np.nan),
        np.where(known, np.broadcast_to(total, shape), np.nan),
        found.seeds,
    )
