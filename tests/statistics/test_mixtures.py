from __future__ import annotations

import numpy as np
import pytest

from cqia.errors import UserError
from cqia.statistics.mixtures import _left_out, best, effects, fit, predict, random_mixtures, terms


def test_mixtures_sum_to_one_and_depend_on_the_seed() -> None:
    found = random_mixtures(5, 40, seed=1)
    assert found.shape == (40, 5)
    assert (found >= 0).all()
    assert np.allclose(found.sum(axis=1), 1)
    assert (found == random_mixtures(5, 40, seed=1)).all()
    assert (found != random_mixtures(5, 40, seed=2)).any()


def test_terms_by_hand() -> None:
    weights = np.array([[0.5, 0.3, 0.2]])
    assert terms(weights, "products").tolist() == [[0.5, 0.3, 0.2, 0.15, 0.1, 0.06]]


def test_a_linear_truth_is_found() -> None:
    truth = np.array([1.0, -0.5, 0.2, 0.0])
    weights = random_mixtures(4, 30, seed=3)
    values = weights @ truth + np.random.default_rng(0).normal(0, 0.02, 30)
    found = fit(weights, values)
    value, low, high = effects(found, 4)
    assert np.allclose(value, truth, atol=0.06)
    assert (low <= value).all()
    assert (value <= high).all()
    assert found.learnt
    top = best(found, 4)
    assert top.weights[0] > 0.9
    assert top.low <= top.predicted <= top.high


def test_sources_that_need_each_other_are_mixed() -> None:
    weights = random_mixtures(3, 60, seed=4)
    values = weights[:, 0] * weights[:, 1] * 4
    found = fit(weights, values)
    assert found.form == "products"
    assert best(found, 3).weights[:2] == pytest.approx([0.5, 0.5], abs=0.06)
    value, _, _ = predict(found, np.array([[0.5, 0.5, 0.0]]))
    assert value[0] == pytest.approx(1.0, abs=0.02)


def test_noise_teaches_nothing() -> None:
    learnt = 0
    for seed in range(40):
        values = np.random.default_rng(seed).normal(0, 1, 12)
        learnt += fit(random_mixtures(4, 12, seed=seed), values).learnt
    assert learnt <= 6


def test_left_out_errors_are_those_of_scikit_learn() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    weights, values = random_mixtures(3, 20, seed=5), np.random.default_rng(5).normal(0, 1, 20)
    theirs = linear.RidgeCV(alphas=[0.1], fit_intercept=False, store_cv_results=True)
    theirs.fit(weights, values)
    ours = _left_out(weights, values[:, None], 0.1)[0]
    assert ours == pytest.approx(np.sqrt(np.mean(theirs.cv_results_)))


def test_too_few_rows() -> None:
    with pytest.raises(UserError, match="5 rows are too few to learn how 4 sources add up"):
        fit(random_mixtures(4, 5, seed=0), np.zeros(5))
