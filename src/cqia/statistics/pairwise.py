"""Verdicts on two answers at a time: tallies, Bradley-Terry strengths, length-controlled wins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cqia.statistics.families import LEVEL
from cqia.statistics.intervals import wilson
from cqia.statistics.layout import Codes, Floats


class Share(NamedTuple):
    """A number of verdicts, its share of all, and Wilson's interval."""

    verdicts: int
    share: float
    low: float
    high: float


class Tally(NamedTuple):
    """How the verdicts fell, from the first answer's side."""

    wins: Share
    ties: Share
    losses: Share


class Strength(NamedTuple):
    """A player's Bradley-Terry strength: log odds against the average player, with its interval."""

    name: str
    value: float
    low: float
    high: float


class Controlled(NamedTuple):
    """A win rate as if both answers were equally long, with its interval."""

    rate: float
    low: float
    high: float


def tally(scores: Floats) -> Tally:
    """Wins (1), ties (0.5) and losses (0), each with its interval.

    Raises:
        ValueError: a score that is no verdict, or none at all.
    """
    counts = [int((scores == value).sum()) for value in (1.0, 0.5, 0.0)]
    if sum(counts) != len(scores):
        raise ValueError("a verdict is 1, 0.5 or 0")
    if not len(scores):
        raise ValueError("no verdicts have no shares")
    n = len(scores)
    return Tally(*(Share(count, count / n, *wilson(count, n)) for count in counts))


def bradley_terry(
    first: Sequence[str],
    second: Sequence[str],
    scores: Floats,
    items: Sequence[str],
    *,
    seed: int = 0,
    resamples: int = 500,
) -> list[Strength]:
    """Strengths of all players by evalica; a tie is half a win to either side.

    The interval is the bootstrap's percentile one, whole items drawn with all their verdicts, since
    one hard item makes several verdicts alike. A player that never wins, or never loses, has no
    finite strength: NaN; so has an end of an interval that more than a fortieth of the draws leave
    without one.
    """
    players = sorted({*first, *second})
    number = {name: place for place, name in enumerate(players)}
    of = np.array([[number[a], number[b]] for a, b in zip(first, second, strict=True)])
    kinds, kind = np.unique(
        np.column_stack([of, np.rint(2 * scores)]).astype(np.int64), axis=0, return_inverse=True
    )
    _, item = np.unique(np.asarray(items, dtype=str), return_inverse=True)
    rng = np.random.default_rng(seed)
    value = _strengths(kinds, np.bincount(kind.ravel(), minlength=len(kinds)), len(players))
    draws = np.empty((resamples, len(players)))
    for draw in range(resamples):
        times = np.bincount(
            rng.integers(0, item.max() + 1, item.max() + 1), minlength=item.max() + 1
        )
        weights = np.bincount(kind.ravel(), weights=times[item], minlength=len(kinds))
        draws[draw] = _strengths(kinds, weights, len(players))
    low, high = np.quantile(draws, (LEVEL / 2, 1 - LEVEL / 2), axis=0)
    return [Strength(name, *map(float, row)) for name, *row in zip(players, value, low, high,
                                                                   strict=True)]  # fmt: skip


def _strengths(kinds: Codes, weights: Floats | Codes, players: int) -> Floats:
    """Log strengths with mean 0; all NaN when one player has won or lost everything."""
    import evalica
    import pandas as pd

    names = list(range(players))
    winners = [(evalica.Winner.Y, evalica.Winner.Draw, evalica.Winner.X)[k] for k in kinds[:, 2]]
    won = np.zeros(players)
    lost = np.zeros(players)
    for side, gain in ((0, kinds[:, 2]), (1, 2 - kinds[:, 2])):
        np.add.at(won, kinds[:, side], weights * gain)
        np.add.at(lost, kinds[:, side], weights * (2 - gain))
    if (won == 0).any() or (lost == 0).any():
        return np.full(players, np.nan)
    found = evalica.bradley_terry(
        kinds[:, 0].tolist(), kinds[:, 1].tolist(), winners, index=pd.Index(names),
        weights=np.asarray(weights, dtype=np.float64).tolist(), tolerance=1e-8, limit=10_000,
    )  # fmt: skip
    logs = np.log(found.scores.reindex(names).to_numpy())
    return np.asarray(logs - logs.mean())


def length_controlled(
    scores: Floats, length_differences: Floats, items: Sequence[str]
) -> Controlled:
    """The win rate that a logistic regression gives to answers of equal length.

    As in arXiv 2404.04475: logit(win) = strength + slope x tanh(difference / its deviation), and
    the rate is that at no difference. Its term for the difficulty of an instruction is left out: it
    needs many models on the same items. Errors are clustered by item. NaN where wins and lengths
    can't be told apart: all verdicts alike, or a length that decides them all.

    Args:
        scores: 1, 0.5 or 0 from the first answer's side.
        length_differences: the first answer's length minus the second's.
        items: what was asked, an item a verdict.
    """
    import statsmodels.api as sm
    from scipy.special import expit
    from scipy.stats import t

    nothing = Controlled(*[float("nan")] * 3)
    spread = float(np.std(length_differences)) if len(scores) else 0.0
    _, codes = np.unique(np.asarray(items, dtype=str), return_inverse=True)
    groups = int(codes.max(initial=-1)) + 1
    if groups < 3 or np.ptp(scores) == 0:
        return nothing
    design = np.ones((len(scores), 1))
    if spread > 0:
        pull = np.tanh(length_differences / spread)
        if _separated(scores, pull):
            return nothing
        design = np.column_stack([design, pull])
    model = sm.GLM(scores, design, family=sm.families.Binomial())
    found = model.fit(cov_type="cluster", cov_kwds={"groups": codes})
    strength, error = float(found.params[0]), float(found.bse[0])
    wide = float(t.isf(LEVEL / 2, groups - 1)) * error
    return Controlled(*(float(expit(one)) for one in (strength, strength - wide, strength + wide)))


def _separated(scores: Floats, pull: Floats) -> bool:
    """Whether a bound on the length divides wins from losses: no slope is steep enough then."""
    up, down = pull[scores > 0], pull[scores < 1]
    return bool(up.min() >= down.max() or up.max() <= down.min())
