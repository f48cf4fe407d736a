"""A light model of a judge: character n-grams and a few measures of the text, ridge regression.

It learns what a paid judge said and says it of millions, roughly: at best good enough to spare the
judge what is plainly bad, never a judge itself. Ridge on hashed character n-grams is the usual
strong baseline of text regression; nothing here is fitted by hand. What it is worth is told by
held-out folds, in which records with the same question stay together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cqia.errors import missing_extra

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = npt.NDArray[np.float64]

NGRAMS = (1, 3)
"""Characters in an n-gram, from and to."""
SIZE = 1 << 16
"""Columns that n-grams are hashed to, for question and answer each."""
ALPHAS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Strengths of the ridge that are tried, each by held-out folds of the training part."""
FOLDS = 5


class Held(NamedTuple):
    """What held-out folds say of a regressor. n: records.

    pearson, spearman: correlation of predicted and judged, with a 95 % interval by bootstrap over
    questions (1,000 draws). error: mean absolute error; baseline: that of always saying the mean.
    predicted: in the records' order.
    """

    n: int
    questions: int
    pearson: tuple[float, float, float]
    spearman: tuple[float, float, float]
    error: float
    baseline: float
    predicted: Floats


def measures(frame: pl.DataFrame) -> Floats:
    """Measures of each record's texts, one row a record."""
    text = pl.col("output")
    size = text.str.len_chars().cast(pl.Float64)
    asked = pl.col("instruction").str.len_chars() + pl.col("input").str.len_chars()

    def share(pattern: str) -> pl.Expr:
        return text.str.count_matches(pattern) / size.clip(1)

    found = frame.select(
        size.log1p().alias("length"),
        asked.log1p().alias("asked"),
        share(r"\p{Han}").alias("han"),
        share(r"[A-Za-z]").alias("latin"),
        share(r"\d").alias("digits"),
        share(r"[，。！？；：、]").alias("marks"),
        (text.str.count_matches("\n") + 1).log1p().alias("lines"),
        text.str.contains(r"[。！？…”」）)】》.!?]\s*$").cast(pl.Float64).alias("ends"),
    )
    return found.to_numpy().astype(np.float64)


class Regressor:
    """Learns scores of records (columns instruction, input, output) and predicts them.

    Raises:
        UserError: the extra `distil` is not installed.
    """

    def __init__(self) -> None:
        try:
            from sklearn.feature_extraction.text import HashingVectorizer
        except ImportError:
            raise missing_extra("scikit-learn", "distil") from None
        self._grams = HashingVectorizer(
            analyzer="char", ngram_range=NGRAMS, n_features=SIZE, alternate_sign=False, norm="l2"
        )
        self._model: Any = None
        self._mean = self._scale = np.zeros(0)

    def features(self, frame: pl.DataFrame) -> csr_matrix:
        """The features of records; those of questions and answers apart."""
        from scipy.sparse import csr_matrix, hstack

        asked = frame.select(pl.concat_str("instruction", "input", separator="\n")).to_series()
        parts = [self._grams.transform(text.to_list()) for text in (asked, frame["output"])]
        return hstack([*parts, csr_matrix(measures(frame))], format="csr")

    def fit(self, features: csr_matrix, scores: Floats, groups: Sequence[int]) -> None:
        """Learn; the strength of the ridge is the one that does best on held-out questions."""
        folds = _folds(len(scores), groups, 3)
        errors = [
            sum(
                float(np.abs(_ridge(features[a], scores[a], alpha)(features[b]) - scores[b]).sum())
                for a, b in folds
            )
            for alpha in ALPHAS
        ]
        self._model = _ridge(features, scores, ALPHAS[int(np.argmin(errors))])

    def predict(self, features: csr_matrix) -> Floats:
        """What the judge would say, roughly; not kept within the judge's scale."""
        return np.asarray(self._model(features), np.float64)


def _ridge(features: Any, scores: Floats, alpha: float) -> Any:  # noqa: ANN401
    """A fitted ridge as a function; measures are brought to unit scale, n-grams are left."""
    from scipy.sparse import diags
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import MaxAbsScaler

    grams = 2 * SIZE
    scaler = MaxAbsScaler().fit(features[:, grams:])
    scale = np.concatenate([np.ones(grams), 1 / np.maximum(scaler.max_abs_, 1e-9)])
    model = Ridge(alpha=alpha, solver="sparse_cg", tol=1e-4)
    model.fit(features @ diags(scale), scores)
    return lambda more: model.predict(more @ diags(scale))


def _folds(
    count: int, groups: Sequence[int], folds: int
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    from sklearn.model_selection import GroupKFold

    split = GroupKFold(folds, shuffle=True, random_state=0)
    return list(split.split(np.zeros(count), groups=groups))


def held_out(frame: pl.DataFrame, scores: Floats, groups: Sequence[int]) -> Held:
    """What a regressor is worth on records it did not see, questions apart.

    Args:
        frame: the records' texts.
        scores: what the judge said.
        groups: equal for records with the same question.
    """
    from scipy.stats import pearsonr, spearmanr

    regressor = Regressor()
    features = regressor.features(frame)
    predicted = np.zeros(len(scores))
    baseline = np.zeros(len(scores))
    of = np.asarray(groups)
    for known, new in _folds(len(scores), groups, FOLDS):
        regressor.fit(features[known], scores[known], of[known].tolist())
        predicted[new] = regressor.predict(features[new])
        baseline[new] = scores[known].mean()
    return Held(
        len(scores),
        len(set(groups)),
        _interval(lambda x, y: float(pearsonr(x, y).statistic), predicted, scores, of),
        _interval(lambda x, y: float(spearmanr(x, y).statistic), predicted, scores, of),
        float(np.abs(predicted - scores).mean()),
        float(np.abs(baseline - scores).mean()),
        predicted,
    )


def _interval(
    measure: Any,  # noqa: ANN401
    predicted: Floats,
    scores: Floats,
    groups: npt.NDArray[np.int64],
) -> tuple[float, float, float]:
    """A measure with its 95 % interval: percentiles of a bootstrap that draws whole groups."""
    names, where = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(where == one) for one in range(len(names))]
    draw = np.random.default_rng(0)
    values = []
    for _ in range(1_000):
        rows = np.concatenate([members[one] for one in draw.integers(0, len(names), len(names))])
        if np.ptp(predicted[rows]) and np.ptp(scores[rows]):
            values.append(measure(predicted[rows], scores[rows]))
    if not values:
        return float("nan"), float("nan"), float("nan")
    low, high = np.percentile(values, [2.5, 97.5])
    return measure(predicted, scores), float(low), float(high)
