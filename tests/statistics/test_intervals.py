from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("statsmodels", reason="the extra stats is not installed")

import statsmodels.api as sm
from scipy import stats

from cqia.statistics.families import interval
from cqia.statistics.intervals import bca, mean, proportions, wilson
from tests.statistics.made import comparison, plan

NEWCOMBE = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]
"""Newcombe (1998), table I, method 3."""


@pytest.mark.parametrize(("count", "items", "low", "high"), NEWCOMBE)
def test_wilson_is_the_published_one(count: int, items: int, low: float, high: float) -> None:
    assert wilson(count, items) == pytest.approx((low, high), abs=5e-5)


def test_no_items_have_no_proportion() -> None:
    with pytest.raises(ValueError, match="no items"):
        wilson(0, 0)


def test_items_that_stand_alone_have_wilsons_interval() -> None:
    scores = np.array([[[1.0] * 81 + [0.0] * 182]])
    found = comparison(scores, plan(263)).means()
    low, high = proportions(found)
    assert (low[0, 0], high[0, 0]) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_clusters_and_seeds_widen_a_proportion() -> None:
    draw = np.random.default_rng(0)
    bundles = np.repeat(draw.random(40) < 0.6, 5).astype(float)
    alone = proportions(comparison(bundles[None, None], plan(200)).means())
    lumped = proportions(comparison(bundles[None, None], plan(200, cluster=5)).means())
    assert lumped.high[0, 0] - lumped.low[0, 0] > 2 * (alone.high[0, 0] - alone.low[0, 0])
    two = np.full((2, 2, 200), np.nan)
    two[0, 0] = bundles
    two[1] = [np.arange(200) % 2 < 1, np.arange(200) % 10 < 8]
    low, high = proportions(comparison(two, plan(200)).means())
    assert high[1, 0] - low[1, 0] > 0.5


def test_all_right_is_no_certainty() -> None:
    low, high = proportions(comparison(np.ones((1, 1, 20)), plan(20)).means())
    assert (low[0, 0], high[0, 0]) == pytest.approx((1 - 0.1611, 1), abs=5e-5)


def test_a_clustered_mean_is_that_of_statsmodels() -> None:
    draw = np.random.default_rng(1)
    names = [str(i) for i in np.sort(draw.integers(0, 15, 60))]
    values = draw.normal(size=60) + np.array([float(n) for n in names])
    fit = sm.OLS(values, np.ones(60)).fit(
        cov_type="cluster", cov_kwds={"groups": np.array(names, dtype=int)}, use_t=True
    )
    count = len(set(names))
    error = float(fit.bse[0]) * np.sqrt((60 - 1) / 60 * 60 / (60 - 1))
    wide = stats.t.isf(0.025, count - 1) * error
    assert mean(values.tolist(), names) == pytest.approx(
        (values.mean(), values.mean() - wide, values.mean() + wide), rel=1e-6
    )


def test_a_plain_mean_is_the_t_interval() -> None:
    values = np.random.default_rng(2).normal(size=25)
    known = stats.ttest_1samp(values, 0).confidence_interval()
    assert mean(values.tolist())[1:] == pytest.approx((known.low, known.high))


@pytest.mark.parametrize("values", [[], [3.0], [2.0, 2.0, 2.0], [0.1] * 7])
def test_what_has_no_spread_has_no_interval(values: list[float]) -> None:
    assert np.isnan(bca(np.array(values))).all()
    scores = np.full((1, 1, 7), np.nan)
    scores[0, 0, : len(values)] = values
    found = comparison(scores, plan(7)).means()
    assert np.isnan(interval(found).low).all()
    assert found.items[0, 0] == len(values)
    assert np.isnan(found.value[0, 0]) == (not values)


def test_bca_is_near_t_for_normal_values() -> None:
    values = np.random.default_rng(3).normal(size=80)
    assert bca(values) == pytest.approx(mean(values.tolist())[1:], abs=0.05)
