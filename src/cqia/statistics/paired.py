"""Two rows on the same items: exact tests and a bootstrap, for one pair at a time.

The table of `compare` uses `contrasts`, which does all pairs at once; these are for the pair one
looks at, and what the tests hold the table against.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from cqia.statistics.families import LEVEL
from cqia.statistics.layout import Floats


class Paired(NamedTuple):
    """Scores of two rows on the items that both have read, and how many were left out."""

    first: Floats
    second: Floats
    clusters: list[str]
    left_out: int


def matched(first: pl.DataFrame, second: pl.DataFrame) -> Paired:
    """Two rows' outcomes (item, cluster, state, score), matched by item."""
    read = [one.filter(state="read").select("item", "cluster", "score") for one in (first, second)]
    both = read[0].join(read[1].select("item", "score"), on="item", suffix="_second").sort("item")
    known = pl.concat([first.select("item"), second.select("item")])["item"].n_unique()
    return Paired(
        both["score"].to_numpy().astype(np.float64),
        both["score_second"].to_numpy().astype(np.float64),
        both["cluster"].to_list(),
        known - len(both),
    )


def mcnemar(first: Floats, second: Floats) -> float:
    """McNemar's exact p-value of two rows of 0 and 1."""
    from statsmodels.stats.contingency_tables import mcnemar as test

    table = [[int(np.sum((first == a) & (second == b))) for b in (1, 0)] for a in (1, 0)]
    return float(test(table, exact=True).pvalue)


def mcnemar_of_counts(up: Floats, down: Floats) -> Floats:
    """McNemar's exact p-values of many pairs: a binomial test of the items that differ."""
    from scipy import stats

    fewer = np.minimum(up, down)
    return np.asarray(np.minimum(2 * stats.binom.cdf(fewer, up + down, 0.5), 1.0))


def sign_flip(differences: Floats, clusters: list[str], *, seed: int = 0) -> float:
    """The p-value of no difference when every cluster's sign could as well be the other.

    All flips when there are few clusters, 9,999 random ones otherwise. NaN without items.
    """
    from scipy.stats import permutation_test

    sums, _ = _bundled(differences, clusters)
    if not len(sums):
        return float("nan")
    if len(sums) == 1:
        return 1.0
    found = permutation_test(
        (sums,), lambda x, axis: np.sum(x, axis=axis), permutation_type="samples", vectorized=True,
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(found.pvalue)


def bootstrapped(
    differences: Floats, clusters: list[str], *, seed: int = 0, level: float = LEVEL
) -> tuple[float, float]:
    """The paired cluster bootstrap's BCa interval of the mean difference; NaN where there is none.

    Of items only: seeds are too few to draw from (see `seeds`).
    """
    from scipy.stats import bootstrap

    sums, sizes = _bundled(differences, clusters)
    if len(sums) < 2 or np.ptp(sums / sizes) == 0:
        return float("nan"), float("nan")
    found = bootstrap(
        (sums, sizes), lambda s, n, axis: s.sum(axis=axis) / n.sum(axis=axis), paired=True,
        vectorized=True, method="BCa", confidence_level=1 - level, n_resamples=4_999,
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _bundled(values: Floats, clusters: list[str]) -> tuple[Floats, Floats]:
    """Sums and sizes of clusters."""
    _, numbers = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    sums = np.bincount(numbers, weights=values).astype(np.float64)
    return sums, np.bincount(numbers).astype(np.float64)
