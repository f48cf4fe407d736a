"""How sources add up: a regression from mixtures to an ability, and the mixture it likes best.

    found = fit(weights, values)              # rows x sources, and what each row reached
    best(found, seed=0)                       # shares, what is predicted, its interval

Rows are models trained on equal amounts; a row's weights are its sources' shares and sum to 1. The
model is Scheffé's for mixtures (1958, *Experiments with mixtures*): linear in the shares, or with
their products, without a constant, which the shares' sum makes superfluous. Ridge penalty (towards
the rows' mean) and the form are chosen by leave-one-out error, and what that error is worth is told
by a permutation test. The best mixture is looked for as in RegMix (Liu et al., arXiv 2407.01492):
many mixtures are drawn, and those predicted best are averaged. What is predicted must be trained to
be believed.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cqia.errors import UserError

Floats = npt.NDArray[np.float64]

PENALTIES = tuple(10.0**power for power in range(-6, 3))
DRAWS = 20_000
"""Mixtures that are drawn to find the best."""
TOP = 100
"""Of these, so many are averaged (RegMix's number)."""
RESAMPLES = 500
PERMUTATIONS = 999


class Fit(NamedTuple):
    """A regression from mixtures to an ability.

    form: linear or products. mean: of the rows' values; coefficients are deviations from it.
    resampled: coefficients over rows drawn again, RESAMPLES x coefficients. error: root mean
    square of the leave-one-out errors. chance: the same of always saying the other rows' mean.
    p: the share of random pairings of mixtures with values that are predicted as well.
    """

    form: str
    mean: float
    coefficients: Floats
    resampled: Floats
    error: float
    chance: float
    p: float

    @property
    def learnt(self) -> bool:
        """Whether left-out rows are predicted better than chance would do (at 5 %)."""
        return self.error < self.chance and self.p <= 0.05


class Best(NamedTuple):
    """The mixture that is predicted best, and how well."""

    weights: Floats
    predicted: float
    low: float
    high: float


def fit(weights: Floats, values: Floats, *, seed: int = 0) -> Fit:
    """Learn what mixtures do.

    Args:
        weights: rows x sources, each row's shares, summing to 1.
        values: what each row reached; more is better.
        seed: of the resampling.

    Raises:
        UserError: fewer rows than sources and two more.
    """
    rows, sources = weights.shape
    if rows < sources + 2:
        raise UserError(
            f"{rows} rows are too few to learn how {sources} sources add up",
            mend="train more mixtures: [statement.attribution] mixtures = N",
        )
    forms = ["linear"]
    if rows > sources * (sources + 1) // 2:
        forms.append("products")
    draw = np.random.default_rng(seed)
    mean = float(values.mean())
    paired = np.column_stack([values, *(draw.permutation(values) for _ in range(PERMUTATIONS))])
    tried = [
        (form, penalty, _left_out(terms(weights, form), paired - mean, penalty))
        for form in forms
        for penalty in PENALTIES
    ]
    form, penalty, errors = min(tried, key=lambda one: one[2][0])
    least = np.min([one[2] for one in tried], axis=0)
    inner = terms(weights, form)
    again = [
        _solve(inner[some], values[some] - mean, penalty)
        for some in draw.integers(rows, size=(RESAMPLES, rows))
    ]
    others = values - (values.sum() - values) / (rows - 1)
    return Fit(
        form=form,
        mean=mean,
        coefficients=_solve(inner, values - mean, penalty),
        resampled=np.array(again),
        error=float(errors[0]),
        chance=float(np.sqrt(np.mean(others**2))),
        p=float(np.mean(least <= least[0])),
    )


def terms(weights: Floats, form: str) -> Floats:
    """The regression's columns: the shares, and in `products` the product of each two."""
    if form == "linear":
        return weights
    pairs = [weights[:, i] * weights[:, j] for i, j in combinations(range(weights.shape[1]), 2)]
    return np.column_stack([weights, *pairs]) if pairs else weights


def predict(found: Fit, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """What is predicted of mixtures: value, and the 95 % interval of the resampled fits."""
    inner = terms(weights, found.form)
    low, high = np.quantile(inner @ found.resampled.T, (0.025, 0.975), axis=1)
    return found.mean + inner @ found.coefficients, found.mean + low, found.mean + high


def effects(found: Fit, sources: int) -> tuple[Floats, Floats, Floats]:
    """What a row of one source alone is predicted to reach, with its interval, a source each."""
    return predict(found, np.eye(sources))


def best(found: Fit, sources: int, *, seed: int = 0) -> Best:
    """The mixture that is predicted best.

    Half of the draws are even over all mixtures, half lean to few sources.
    """
    draw = np.random.default_rng(seed)
    even = draw.dirichlet(np.ones(sources), DRAWS // 2)
    few = draw.dirichlet(np.full(sources, 0.3), DRAWS // 2)
    mixtures = np.vstack([np.eye(sources), even, few])
    predicted = terms(mixtures, found.form) @ found.coefficients
    weights = mixtures[np.argsort(-predicted, kind="stable")[:TOP]].mean(axis=0)
    value, low, high = predict(found, weights[None, :])
    return Best(weights, float(value[0]), float(low[0]), float(high[0]))


def random_mixtures(sources: int, count: int, *, seed: int) -> Floats:
    """Mixtures to train: even draws from all mixtures."""
    draw = np.random.default_rng(seed)
    return np.asarray(draw.dirichlet(np.ones(sources), count), dtype=np.float64)


def _left_out(inner: Floats, values: Floats, penalty: float) -> Floats:
    """The leave-one-out error of ridge regression for each column of values, in closed form.

    The error of a row left out is its residual over 1 - h, h the diagonal of the hat matrix (Allen
    1974); scikit-learn's RidgeCV says the same, a column at a time.
    """
    gram = inner.T @ inner + penalty * np.eye(inner.shape[1])
    hat = inner @ np.linalg.solve(gram, inner.T)
    rest = (values - hat @ values) / (1 - np.clip(np.diag(hat), None, 1 - 1e-9))[:, None]
    errors: Floats = np.sqrt(np.mean(rest**2, axis=0))
    return errors


def _solve(inner: Floats, values: Floats, penalty: float) -> Floats:
    gram = inner.T @ inner + penalty * np.eye(inner.shape[1])
    return np.asarray(np.linalg.solve(gram, inner.T @ values), dtype=np.float64)
