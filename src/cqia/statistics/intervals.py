"""Intervals of single numbers: proportions, means over clustered items, anything by bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cqia.statistics.contrasts import Estimate
from cqia.statistics.families import LEVEL, Interval, half, interval
from cqia.statistics.layout import Floats, layout, moments


def wilson(count: float, items: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's (1927) interval of a proportion.

    Raises:
        ValueError: no items, which have no proportion.
    """
    from statsmodels.stats.proportion import proportion_confint

    if items <= 0:
        raise ValueError("no items have no proportion")
    low, high = proportion_confint(count, items, alpha=level, method="wilson")
    return float(low), float(high)


def proportions(found: Estimate, level: float = LEVEL) -> Interval:
    """Wilson's interval at the effective number of items, which clusters and seeds lessen.

    After Korn and Graubard (1998): n = p (1 - p) / variance, times the squared ratio of the normal
    to the t quantile. Where all are right or all wrong, the variance is silent and n the clusters.
    """
    from scipy import stats
    from statsmodels.stats.proportion import proportion_confint

    p = found.value
    alone = (found.clusters == found.items) & (found.between == 0) & (found.within == 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        n = p * (1 - p) * (stats.norm.isf(level / 2) / half(found, level)) ** 2
        n = np.where(np.isnan(n), found.clusters, np.minimum(n, found.items))
        n = np.where(alone, found.items, n)
        low, high = proportion_confint(p * n, n, alpha=level, method="wilson")
    none = np.isnan(p) | (found.items == 0)
    return Interval(np.where(none, np.nan, low), np.where(none, np.nan, high))


def mean(
    values: Sequence[float], clusters: Sequence[str] | None = None, level: float = LEVEL
) -> tuple[float, float, float]:
    """A mean and its t interval with cluster-robust standard error; NaN where there is none."""
    names = [str(i) for i in range(len(values))] if clusters is None else list(clusters)
    found = moments(np.array([values], dtype=np.float64), layout([""] * len(names), names))
    nothing = np.zeros((1, 1))
    variance = np.where(found.variance > 0, found.variance, np.nan)
    one = Estimate(*found[:4], variance, found.degrees, nothing, nothing, nothing + 1)
    low, high = interval(one, level)
    return float(found.mean[0, 0]), float(low[0, 0]), float(high[0, 0])


def bca(
    values: Floats,
    statistic: Callable[..., Floats] = np.mean,
    *,
    seed: int = 0,
    level: float = LEVEL,
    resamples: int = 2_000,
) -> tuple[float, float]:
    """Efron's (1987) bias-corrected and accelerated bootstrap interval; NaN where there is none."""
    from scipy.stats import bootstrap

    values = np.asarray(values, dtype=np.float64)
    if len(values) < 2 or np.ptp(values) == 0:
        return float("nan"), float("nan")
    found = bootstrap(
        (values,), statistic, confidence_level=1 - level, n_resamples=resamples, method="BCa",
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
