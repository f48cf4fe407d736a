from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("statsmodels", reason="the extra stats is not installed")

from cqia.statistics.agreement import cohen, corrected, errors, fleiss, krippendorff

FLEISS = [
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
]  # fmt: skip
"""Ten subjects, fourteen raters, five categories: the textbook example with kappa 0.210."""

_: None = None
OBSERVERS = [
    (1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3),
    (_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _),
]
"""Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section D."""


def test_cohens_kappa_of_the_fifty_grants() -> None:
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    found = cohen(first, second)
    assert found.value == pytest.approx(0.4)
    assert 0.1 < found.low < 0.4 < found.high < 0.7
    assert (found.items, found.left_out) == (50, 0)


def test_cohens_kappa_is_that_of_sklearn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    draw = np.random.default_rng(0)
    first, second = draw.integers(0, 4, (2, 80)).tolist()
    assert cohen(first, second).value == pytest.approx(metrics.cohen_kappa_score(first, second))


def test_fleiss_kappa_is_the_published_one() -> None:
    ratings = [[label for label, n in enumerate(row) for _ in range(n)] for row in FLEISS]
    found = fleiss(ratings)
    assert found.value == pytest.approx(0.210, abs=5e-4)
    assert found.low < 0.21 < found.high


@pytest.mark.parametrize(
    ("scale", "alpha"),
    [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)],
)
def test_krippendorffs_alpha_is_the_published_one(scale: str, alpha: float) -> None:
    found = krippendorff(list(zip(*OBSERVERS, strict=True)), scale=scale)
    assert found.value == pytest.approx(alpha, abs=5e-4)
    assert (found.items, found.left_out) == (11, 1)
    assert found.low < alpha < found.high


def test_what_was_not_rated_is_left_out_and_counted() -> None:
    found = cohen(["a", None, "b", "a"], ["a", "a", None, "b"])
    assert (found.items, found.left_out) == (2, 2)
    assert fleiss([["a", "b"], ["a", None]]).left_out == 1


def test_all_of_one_label_has_no_agreement_beyond_chance() -> None:
    for found in (
        cohen(["a"] * 5, ["a"] * 5),
        fleiss([["a", "a"]] * 4),
        krippendorff([(1, 1)] * 4),
    ):
        assert np.isnan(found.value)
        assert np.isnan(found.low)
    for found in (cohen([], []), fleiss([]), krippendorff([])):
        assert np.isnan(found.value)
        assert found.items == 0


def test_errors_of_a_judge() -> None:
    judge = [True] * 45 + [False] * 5 + [True] * 8 + [False] * 32 + [None] * 3
    people = [True] * 50 + [False] * 40 + [True] * 3
    found = errors(judge, people)
    assert found.sensitivity.value == pytest.approx(0.9)
    assert found.specificity.value == pytest.approx(0.8)
    assert (found.sensitivity.items, found.sensitivity.left_out) == (50, 3)
    metrics = pytest.importorskip("sklearn.metrics")
    read = [(j, p) for j, p in zip(judge, people, strict=True) if j is not None]
    assert found.sensitivity.value == metrics.recall_score(
        [p for _, p in read], [j for j, _ in read]
    )


def test_a_proportion_is_corrected_for_the_judges_errors() -> None:
    of_judge = errors(
        [True] * 90 + [False] * 10 + [True] * 20 + [False] * 80, [True] * 100 + [False] * 100
    )
    found = corrected(400, 1_000, of_judge)
    assert found.value == pytest.approx((0.4 + 0.8 - 1) / 0.7)
    assert 0 < found.low < found.value < found.high < 1
    # A hundred times the calibration and the items: a tenth of the width.
    sure = errors([True] * 9_000 + [False] * 1_000 + [True] * 2_000 + [False] * 8_000,
                  [True] * 10_000 + [False] * 10_000)  # fmt: skip
    narrow = corrected(40_000, 100_000, sure)
    assert (found.high - found.low) / (narrow.high - narrow.low) == pytest.approx(10, rel=0.1)


def test_a_judge_no_better_than_chance_corrects_nothing() -> None:
    chance = errors([True, False] * 10, [True] * 10 + [False] * 10)
    assert np.isnan(corrected(5, 10, chance).value)
    never = errors([], [])
    assert np.isnan(never.sensitivity.value)
    assert np.isnan(corrected(5, 10, never).value)
    assert np.isnan(corrected(0, 0, errors([True, False], [True, False])).value)


def test_corrected_intervals_cover() -> None:
    draw = np.random.default_rng(1)
    held = 0
    for _ in range(1_000):
        hits, spared = draw.binomial(100, 0.85), draw.binomial(100, 0.75)
        of_judge = errors(
            [True] * hits + [False] * (100 - hits) + [False] * spared + [True] * (100 - spared),
            [True] * 100 + [False] * 100,
        )
        found = corrected(int(draw.binomial(500, 0.6 * 0.85 + 0.4 * 0.25)), 500, of_judge)
        held += found.low <= 0.6 <= found.high
    assert 930 <= held <= 970
