from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("statsmodels", reason="the extra stats is not installed")

import pandas as pd
import statsmodels.api as sm
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.contingency_tables import mcnemar as exact
from statsmodels.stats.power import TTestPower

from cqia.statistics import families
from cqia.statistics.cells import _p_values
from cqia.statistics.contrasts import Table, compared
from cqia.statistics.layout import MACRO, MICRO, layout, moments
from cqia.statistics.paired import bootstrapped, matched, mcnemar, mcnemar_of_counts, sign_flip
from cqia.statistics.seeds import spread
from tests.statistics.made import comparison, null_scores, outcomes, plan

PRIME_MINISTER = (794, 150, 86, 570)
"""Agresti, Categorical Data Analysis, table of two ratings by 1,600 people."""


def ratings() -> tuple[np.ndarray, np.ndarray]:
    a, b, c, d = PRIME_MINISTER
    first = np.repeat([1.0, 1.0, 0.0, 0.0], [a, b, c, d])
    second = np.repeat([1.0, 0.0, 1.0, 0.0], [a, b, c, d])
    return first, second


def test_one_seed_is_the_paired_t_test() -> None:
    draw = np.random.default_rng(0)
    scores = draw.normal(size=(3, 1, 40)) + draw.normal(size=40)
    found = comparison(scores, plan(40)).differences([1, 2], [0, 0])
    for line, row in enumerate((1, 2)):
        known = stats.ttest_rel(scores[row, 0], scores[0, 0])
        bounds = known.confidence_interval()
        low, high = families.interval(found)
        assert (low[line, 0], high[line, 0]) == pytest.approx((bounds.low, bounds.high))
        assert families.p_values(found)[line, 0] == pytest.approx(known.pvalue)


def test_clustered_differences_are_those_of_statsmodels() -> None:
    draw = np.random.default_rng(1)
    codes = np.sort(draw.integers(0, 12, 60))
    scores = draw.normal(size=(2, 1, 60)) + 0.3 * codes
    of = layout([""] * 60, [str(c) for c in codes])
    found = comparison(scores, of).differences([1], [0])
    apart = scores[1, 0] - scores[0, 0]
    fit = sm.OLS(apart, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": codes})
    assert found.error[0, 0] == pytest.approx(float(fit.bse[0]))
    assert found.clusters[0, 0] == len(set(codes))


def test_right_or_wrong_is_adjusted_as_published() -> None:
    first, second = ratings()
    scores = np.stack([second, first])[:, None]
    found = comparison(scores, plan(1600)).differences([1], [0])
    n, b, c = 1602, 150.5, 86.5
    assert found.value[0, 0] == pytest.approx(64 / 1600)
    assert found.centre[0, 0] == pytest.approx((b - c) / n)
    error = np.sqrt((b + c - (b - c) ** 2 / n) / n**2 * 1600 / 1599)
    assert found.error[0, 0] == pytest.approx(error)


def test_mcnemar_is_exact_for_one_pair_and_for_many() -> None:
    first, second = ratings()
    known = stats.binomtest(86, 236).pvalue
    assert mcnemar(first, second) == pytest.approx(known)
    table = comparison(np.stack([second, first])[:, None], plan(1600))
    found = table.differences([1], [0])
    assert _p_values(table, found, [1], [0])[0, 0] == pytest.approx(known)
    for up, down in ((0, 0), (5, 0), (3, 3), (40, 17)):
        p = mcnemar_of_counts(np.array([up]), np.array([down]))[0]
        assert p == pytest.approx(exact([[9, up], [down, 9]], exact=True).pvalue)


def test_mcnemar_is_not_for_seeds_clusters_or_the_mean_of_groups() -> None:
    draw = np.random.default_rng(2)
    scores = (draw.random((2, 2, 40)) < 0.6).astype(float)
    scores[0, 1] = np.nan
    assert not comparison(scores, plan(40)).flips([1], [0])[2].any()
    assert not comparison(scores[:, :1], plan(40, cluster=2)).flips([1], [0])[2].any()
    of = plan(40, groups=4)
    exactly = comparison(scores[:, :1], of).flips([1], [0])[2][0]
    assert [place for place, yes in zip(of.places, exactly, strict=True) if not yes] == [MACRO]


def test_seeds_are_split_as_in_an_analysis_of_variance() -> None:
    draw = np.random.default_rng(3)
    scores = draw.normal(size=(4, 30)) + draw.normal(size=30) + draw.normal(size=(4, 1))
    found = spread(scores[None], plan(30))
    frame = pd.DataFrame(
        [(s, i, scores[s, i]) for s in range(4) for i in range(30)], columns=["s", "i", "y"]
    )
    table = sm.stats.anova_lm(ols("y ~ C(s) + C(i)", frame).fit())
    mean_squares = table["sum_sq"] / table["df"]
    assert found.between[0, 0] == pytest.approx(mean_squares["C(s)"] / 30)
    assert found.within[0, 0] == pytest.approx(mean_squares["Residual"] / 30)
    assert found.degrees[0, 0] == 3


def test_more_spread_between_seeds_is_a_wider_interval() -> None:
    draw = np.random.default_rng(4)
    scores = null_scores(draw, rows=4, seeds=3, items=100, kind="numbers", seed_sd=0)
    narrow = families.half(comparison(scores, plan(100)).differences([1], [0]))
    scores[1:] += np.array([-0.5, 0, 0.5])[None, :, None]
    wide = families.half(comparison(scores, plan(100)).differences([1], [0]))
    assert wide[0, 0] > 2 * narrow[0, 0]


def test_the_p_value_is_the_level_at_which_the_interval_touches_nothing() -> None:
    draw = np.random.default_rng(5)
    scores = null_scores(draw, rows=5, seeds=3, items=80, kind="numbers") + 0.0
    scores[2] += 0.4
    found = comparison(scores, plan(80, groups=4)).differences([1, 2, 3, 4], [0] * 4)
    p = families.p_values(found)
    assert ((p > 0) & (p <= 1)).all()
    least = np.exp2(1 - found.clusters)
    free = p > least
    assert free.any()
    np.testing.assert_allclose(families.half(found, p)[free], np.abs(found.centre)[free], rtol=1e-5)


def test_few_clusters_can_show_only_so_much() -> None:
    scores = np.array([[[0.0, 0.0, 0.0, 0.0]], [[0.5, 0.5, 0.5, 0.499]]])
    found = comparison(scores, plan(4)).differences([1], [0])
    assert families.p_values(found)[0, 0] == 2 / 2**4
    assert sign_flip(scores[1, 0] - scores[0, 0], list("abcd")) == pytest.approx(2 / 2**4)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_one_and_the_same_difference_everywhere_has_no_interval(value: float) -> None:
    scores = np.random.default_rng(6).random((2, 1, 30))
    scores[1] = scores[0] + value
    found = comparison(scores, plan(30)).differences([1], [0])
    assert np.isnan(families.interval(found).low[0, 0])
    assert found.value[0, 0] == pytest.approx(value)
    p = families.p_values(found)[0, 0]
    assert p == 1.0 if value == 0 else np.isnan(p)


def test_all_ties_of_right_and_wrong_have_an_interval_around_nothing() -> None:
    scores = np.tile((np.arange(30) % 3 > 0).astype(float), (2, 1, 1))
    low, high = families.interval(comparison(scores, plan(30)).differences([1], [0]))
    assert low[0, 0] == pytest.approx(-high[0, 0])
    assert 0 < high[0, 0] < 0.1


def test_places_are_all_items_the_groups_and_their_mean() -> None:
    of = layout(["a", "a", "a", "b"], list("wxyz"))
    found = moments(np.array([[1.0, 0.0, 1.0, 0.0]]), of)
    assert of.places == (MICRO, "a", "b", MACRO)
    assert found.mean[0] == pytest.approx([0.5, 2 / 3, 0, 1 / 3])
    assert found.items[0].tolist() == [4, 3, 1, 4]
    assert np.isnan(found.variance[0, 2:]).all()


def test_the_mean_of_groups_needs_every_group() -> None:
    of = layout(["a", "a", "b", "b"], list("wxyz"))
    found = moments(np.array([[1.0, 0.0, np.nan, np.nan]]), of)
    assert np.isnan(found.mean[0, -1])
    assert found.mean[0, 0] == 0.5


def test_the_mean_of_groups_is_of_those_with_an_item_that_can_be_asked() -> None:
    values = np.array([[1.0, 0.0, 0.5, 0.25, np.nan], [1.0, 1.0, np.nan, np.nan, np.nan]])
    of = layout(["a", "a", "b", "b", "c"], list("vwxyz"), [True, True, True, True, False])
    found = moments(values, of, eased=np.array([0.0, 2.0]))
    assert of.places == (MICRO, "a", "b", "c", MACRO)
    bare = moments(values[:, :4], layout(["a", "a", "b", "b"], list("vwxy")),
                   eased=np.array([0.0, 2.0]))  # fmt: skip
    for one, other in zip(found, bare, strict=True):
        assert one[:, -1] == pytest.approx(other[:, -1], nan_ok=True)
    assert found.mean[0, -1] == pytest.approx((0.5 + 0.375) / 2)
    assert np.isnan(found.mean[1, -1])
    alone = layout(["a", "b"], list("xy"), [True, False])
    assert alone.places == (MICRO, "a", "b")


def test_a_cluster_over_two_groups_counts_as_one_in_their_mean() -> None:
    draw = np.random.default_rng(7)
    bundle = draw.normal(size=30)
    values = np.concatenate([bundle, bundle])[None]
    names = [str(i) for i in range(30)]
    lumped = moments(values, layout(["a"] * 30 + ["b"] * 30, names * 2))
    alone = moments(values, layout(["a"] * 30 + ["b"] * 30, [str(i) for i in range(60)]))
    assert lumped.variance[0, -1] == pytest.approx(2 * alone.variance[0, -1])


def test_the_table_agrees_with_tests_of_one_pair() -> None:
    draw = np.random.default_rng(8)
    scores = draw.random((2, 1, 60)) + np.repeat(draw.random(20), 3) * 0.2
    scores[1] += 0.1
    of = plan(60, cluster=3)
    found = comparison(scores, of).differences([1], [0])
    names = [str(i // 3) for i in range(60)]
    apart = scores[1, 0] - scores[0, 0]
    low, high = families.interval(found)
    assert bootstrapped(apart, names) == pytest.approx((low[0, 0], high[0, 0]), abs=0.03)
    assert sign_flip(apart, names) == pytest.approx(families.p_values(found)[0, 0], abs=0.02)


def test_pairs_are_matched_by_item_and_the_others_counted() -> None:
    first = outcomes({"a": [[1, 0, None, 1]]})
    second = outcomes({"b": [[0, None, 1, 1]]}).sort("item", descending=True)
    found = matched(first, second)
    assert found.first.tolist() == [1, 1]
    assert found.second.tolist() == [0, 1]
    assert found.left_out == 2


def test_nothing_in_common_has_no_p_value() -> None:
    assert np.isnan(sign_flip(np.zeros(0), []))
    assert sign_flip(np.array([1.0]), ["a"]) == 1.0
    assert np.isnan(bootstrapped(np.array([1.0]), ["a"])).all()


def test_the_detectable_difference_has_the_power_it_says() -> None:
    draw = np.random.default_rng(9)
    scores = draw.normal(size=(2, 1, 100))
    found = comparison(scores, plan(100)).differences([1], [0])
    reach = families.detectable(found, 0.05)[0, 0]
    size = reach / (found.error[0, 0] * 10)
    assert TTestPower().power(size, 100, 0.05) == pytest.approx(0.8, abs=0.01)


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 12))
def test_the_order_of_items_and_unread_ones_change_nothing(
    number: int, seeds: int, unread: int
) -> None:
    draw = np.random.default_rng(number)
    scores = draw.normal(size=(3, seeds, 24))
    scores[0, 1:] = np.nan
    scores[draw.integers(0, 3, unread), :, draw.integers(0, 24, unread)] = np.nan
    names, bundles = [f"g{i % 3}" for i in range(24)], [str(i // 2) for i in range(24)]
    order = draw.permutation(24)
    # A whole item that nobody reads: one more of the first group, in a cluster of its own.
    more = np.concatenate([scores[:, :, order], np.full((3, seeds, 1), np.nan)], axis=2)
    moved = layout([names[i] for i in order] + ["g0"], [bundles[i] for i in order] + ["x"])
    tuned = np.array([False, True, True])
    one = compared(Table(scores, layout(names, bundles), tuned)).differences([1, 2], [0, 1])
    two = compared(Table(more, moved, tuned)).differences([1, 2], [0, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pairs = [(one.error, two.error), (families.p_values(one), families.p_values(two))]
    for mine, other in (*zip(one, two, strict=True), *pairs):
        np.testing.assert_allclose(mine, other, rtol=1e-7, atol=1e-12)
