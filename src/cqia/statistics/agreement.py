"""A judge against people: agreement beyond chance, its errors, and what they do to a proportion."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np

from cqia.statistics.families import LEVEL
from cqia.statistics.intervals import wilson
from cqia.statistics.layout import Codes, Floats


class Agreement(NamedTuple):
    """A value with its interval, the items it is of, and those that could not be used."""

    value: float
    low: float
    high: float
    items: int
    left_out: int


class Errors(NamedTuple):
    """How often a judge says yes where people do, and no where they do; each with its interval."""

    sensitivity: Agreement
    specificity: Agreement


def cohen(
    first: Sequence[Hashable | None], second: Sequence[Hashable | None], *, seed: int = 0
) -> Agreement:
    """Cohen's (1960) kappa of two raters; None: not rated, left out and counted."""
    both = [(a, b) for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    codes = _codes(both)

    def kappa(rows: Codes) -> float:
        from statsmodels.stats.inter_rater import cohens_kappa

        size = int(codes.max()) + 1
        table = np.bincount(codes[rows, 0] * size + codes[rows, 1], minlength=size * size)
        if _one_label(codes[rows]):
            return float("nan")
        return float(cohens_kappa(table.reshape(size, size), return_results=False))

    return _with_interval(kappa, len(both), len(first) - len(both), seed)


def fleiss(ratings: Sequence[Sequence[Hashable | None]], *, seed: int = 0) -> Agreement:
    """Fleiss' (1971) kappa: a row an item, as many raters each; rows with a None are left out."""
    whole = [tuple(row) for row in ratings if all(one is not None for one in row)]
    codes = _codes(whole)

    def kappa(rows: Codes) -> float:
        from statsmodels.stats.inter_rater import fleiss_kappa

        picked, size = codes[rows], int(codes.max()) + 1
        if _one_label(picked):
            return float("nan")
        table = np.stack([(picked == label).sum(axis=1) for label in range(size)], axis=1)
        return float(fleiss_kappa(table))

    return _with_interval(kappa, len(whole), len(ratings) - len(whole), seed)


def krippendorff(
    ratings: Sequence[Sequence[float | None]], *, scale: str = "nominal", seed: int = 0
) -> Agreement:
    """Krippendorff's (2018) alpha: a row an item, a place a rater, None where one didn't rate.

    Items that fewer than two rated can't agree with anyone; they are left out and counted.

    Args:
        ratings: numbers; labels as numbers when the scale is nominal.
        scale: nominal, ordinal, interval or ratio.
        seed: of the bootstrap over items.
    """
    table = np.array(
        [[np.nan if one is None else one for one in row] for row in ratings], dtype=np.float64
    ).reshape(len(ratings), len(ratings[0]) if ratings else 0)
    shared = table[(~np.isnan(table)).sum(axis=1) > 1]

    def alpha(rows: Codes) -> float:
        import evalica
        import pandas as pd

        picked = shared[rows]
        if _one_label(picked):
            return float("nan")
        return float(evalica.alpha(pd.DataFrame(picked.T), distance=scale).alpha)

    return _with_interval(alpha, len(shared), len(table) - len(shared), seed)


def errors(judge: Sequence[bool | None], people: Sequence[bool]) -> Errors:
    """Sensitivity and specificity of a judge's yes and no, with Wilson's intervals."""
    found = []
    for truth in (True, False):
        mine = [said for said, real in zip(judge, people, strict=True) if real is truth]
        read = [said for said in mine if said is not None]
        right = sum(said is truth for said in read)
        value = right / len(read) if read else float("nan")
        low, high = wilson(right, len(read)) if read else (float("nan"), float("nan"))
        found.append(Agreement(value, low, high, len(read), len(mine) - len(read)))
    return Errors(*found)


def corrected(yes: int, items: int, of_judge: Errors, level: float = LEVEL) -> Agreement:
    """The proportion that people would have found, from a judge's and the judge's errors.

    Rogan and Gladen (1978): (p + specificity - 1) / (sensitivity + specificity - 1). The interval
    is the delta method's with the calibration's own uncertainty in it, as arXiv 2511.21140 asks
    for; shares within it have one yes and one no added, so that a judge who was never wrong on a
    few items isn't taken to be infallible. Both ends stay within 0 and 1. NaN when the judge knows
    no more than chance (sensitivity + specificity <= 1).
    """
    from scipy import stats

    finds, spares = of_judge
    slope = finds.value + spares.value - 1
    nothing = Agreement(float("nan"), float("nan"), float("nan"), items, 0)
    if not items or not slope > 0:
        return nothing
    value = (yes / items + spares.value - 1) / slope

    def smooth(share: float, count: int) -> tuple[float, float]:
        eased = (share * count + 1) / (count + 2)
        return eased, eased * (1 - eased) / (count + 2)

    p, chance = smooth(yes / items, items)
    sensitivity, missed = smooth(finds.value, finds.items)
    specificity, false = smooth(spares.value, spares.items)
    eased = sensitivity + specificity - 1
    if eased <= 0:
        return nothing
    middle = float(np.clip((p + specificity - 1) / eased, 0, 1))
    error = np.sqrt(chance + middle**2 * missed + (1 - middle) ** 2 * false) / eased
    wide = float(stats.norm.isf(level / 2) * error)
    low, high = (float(np.clip(one, 0, 1)) for one in (middle - wide, middle + wide))
    return Agreement(float(np.clip(value, 0, 1)), low, high, items, 0)


def _codes(rows: Sequence[Sequence[Hashable | None]]) -> Codes:
    """Labels as numbers; equal labels, equal numbers."""
    labels = sorted({one for row in rows for one in row}, key=repr)
    number = {label: place for place, label in enumerate(labels)}
    width = len(rows[0]) if rows else 0
    return np.array([[number[one] for one in row] for row in rows], dtype=np.int64).reshape(
        len(rows), width
    )


def _one_label(picked: Floats | Codes) -> bool:
    """Whether all said the same of everything: chance agreement is 1 and there is no value."""
    flat = picked[~np.isnan(picked)]
    return not len(flat) or bool((flat == flat[0]).all())


def _with_interval(
    statistic: Callable[[Codes], float], items: int, left_out: int, seed: int
) -> Agreement:
    """A statistic of items with its percentile interval, items drawn 1,000 times.

    Draws without a value (all of one label) are left out of the percentiles; scipy's bootstrap
    gives no interval at all then.
    """
    value = statistic(np.arange(items)) if items else float("nan")
    if items < 2 or np.isnan(value):
        return Agreement(value, float("nan"), float("nan"), items, left_out)
    rng = np.random.default_rng(seed)
    draws = [statistic(rng.integers(0, items, items)) for _ in range(1_000)]
    low, high = np.nanquantile(draws, (LEVEL / 2, 1 - LEVEL / 2))
    return Agreement(value, float(low), float(high), items, left_out)
