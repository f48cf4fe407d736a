"""Many numbers at once: intervals and p-values that hold for a whole table, and shared ranks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cqia.statistics.contrasts import Estimate
from cqia.statistics.layout import Bools, Codes, Floats

LEVEL = 0.05
POWER = 0.8


class Interval(NamedTuple):
    """Two bounds; NaN where there are none."""

    low: Floats
    high: Floats


def half(found: Estimate, level: Floats | float = LEVEL) -> Floats:
    """Half the width of the two-sided interval at 1 - level.

    The root of t_I^2 V_I + max(0, t_S^2 B - t_I^2 W): V_I is the variance between items with its t
    quantile, B that between seeds' means with its own, W the part of B that V_I holds already. That
    each variance takes its own t quantile along is Banerjee's (1960) interval for sums of means,
    which covered at least what it says in every draw; taking W off is this project's part. One
    quantile with Satterthwaite's degrees of freedom, the usual way, covers 88 % instead of 95 %
    with two seeds, as docs/statistics.md shows.
    """
    from scipy import stats

    with np.errstate(invalid="ignore"):
        of_items = stats.t.isf(np.asarray(level) / 2, found.degrees) ** 2
        of_seeds = stats.t.isf(np.asarray(level) / 2, found.between_degrees) ** 2
        seeds = np.maximum(of_seeds * found.between - of_items * found.within, 0.0)
        return np.asarray(
            np.sqrt(of_items * found.variance + np.where(found.between > 0, seeds, 0))
        )


def interval(found: Estimate, level: float = LEVEL) -> Interval:
    """The two-sided interval at 1 - level for each estimate by itself."""
    wide = half(found, level)
    return Interval(np.asarray(found.centre - wide), np.asarray(found.centre + wide))


def sidak(count: int, level: float = LEVEL) -> float:
    """The level of each of `count` intervals so that all hold together at 1 - level.

    Sidak (1967): for normal estimates this is enough however they depend on each other, and rows
    that share a base row do.
    """
    return float(-np.expm1(np.log1p(-level) / max(count, 1)))


def p_values(found: Estimate) -> Floats:
    """Two-sided p-values against no difference: the level at which the interval touches 0.

    None is smaller than what flipping the signs of so many clusters could show, 2 / 2^C: with few
    items a t test on coarse scores says more than it knows.
    """
    from scipy import stats

    far = np.abs(found.centre)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        p = 2 * stats.t.sf(far / np.sqrt(found.variance), found.degrees)
        seeded = (found.between > 0) & ~np.isnan(p) & (far > 0)
        if seeded.any():
            p[seeded] = _touching(Estimate(*(part[seeded] for part in found)))
    least = np.exp2(1.0 - np.minimum(found.clusters, 1000))
    same = (found.items > 0) & (found.value == 0) & np.isnan(found.variance)
    return np.asarray(np.where(same, 1.0, np.minimum(np.maximum(p, least), 1.0)))


def _touching(found: Estimate) -> Floats:
    """The level at which an interval's half is the distance from 0, where seeds play a part."""
    from scipy.optimize import elementwise

    far = np.abs(found.centre)

    def beyond(depth: Floats, *parts: Floats) -> Floats:
        return half(Estimate(*parts), np.exp(-depth)) - np.abs(parts[3])

    ends = (np.full(far.shape, 1e-12), np.full(far.shape, 600.0))
    root = elementwise.find_root(beyond, ends, args=tuple(found))
    return np.asarray(np.where(root.success, np.exp(-root.x), np.exp(-600.0)))


def holm(p: Floats) -> Floats:
    """Holm's (1979) adjusted p-values, each column a family of its own; NaN is no member.

    As statsmodels' multipletests gives them (the tests compare), which takes one family at a time
    and collects garbage at every call: that took two thirds of the time of a large table.
    """
    order = np.argsort(p, axis=0)
    ranked = np.take_along_axis(p, order, axis=0)
    left = (~np.isnan(p)).sum(axis=0) - np.arange(len(p))[:, None]
    steps = np.minimum(np.maximum.accumulate(ranked * np.maximum(left, 1), axis=0), 1.0)
    out = np.empty_like(p)
    np.put_along_axis(out, order, steps, axis=0)
    return np.asarray(np.where(np.isnan(p), np.nan, out))


def detectable(found: Estimate, level: float, power: float = POWER) -> Floats:
    """The smallest true difference that a test at this level finds with this power.

    (quantile at 1 - level / 2, plus quantile at power) x standard error: the formula behind a
    paired t test's power (for evaluations: Miller, arXiv 2411.00640).
    """
    from scipy import stats

    return np.asarray(half(found, level) + stats.t.isf(1 - power, found.degrees) * found.error)


def ranks(values: Floats, apart: Bools) -> Codes:
    """Ranks that rows share unless they can be told apart.

    Rows are put in order, the highest value first. Between two neighbours a new rank begins only if
    every row above is told apart from every row below; so two rows that can't be told apart never
    have different ranks, whatever stands between them. A rank is 1 + the number of rows above.

    Args:
        values: higher is better; NaN has no rank, which is written 0.
        apart: rows x rows, symmetric: the pair is told apart.
    """
    order = [int(i) for i in np.argsort(-values, kind="stable") if not np.isnan(values[i])]
    out = np.zeros(len(values), dtype=np.int64)
    rank = 1
    for place, row in enumerate(order):
        if place and apart[np.ix_(order[:place], order[place:])].all():
            rank = place + 1
        out[row] = rank
    return out
