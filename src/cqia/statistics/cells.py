"""The cells of a result table, and the pairs of its rows, as frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from cqia.statistics import families
from cqia.statistics.contrasts import Comparison, Estimate, compared
from cqia.statistics.intervals import proportions
from cqia.statistics.layout import Bools, Floats
from cqia.statistics.matrix import BASE_ROW, Matrix
from cqia.statistics.paired import mcnemar_of_counts

_TEXT, _INT, _NUMBER = pl.String(), pl.Int64(), pl.Float64()
CELLS: dict[str, pl.DataType] = {
    **dict.fromkeys(("base", "subset", "benchmark", "group", "direction"), _TEXT),
    **dict.fromkeys(
        ("seeds", "items", "groups", "all_groups", "read", "unreadable", "failed", "unsent",
         "unasked", "absent"), _INT
    ),
    **dict.fromkeys(("mean", "low", "high", "seed_sd"), _NUMBER),
    "n_paired": _INT,
    **dict.fromkeys(
        ("difference", "difference_low", "difference_high", "simultaneous_low",
         "simultaneous_high", "p", "p_adjusted", "detectable"), _NUMBER
    ),
    "rank": _INT,
    "variance": _TEXT,
    "verdict": _TEXT,
}  # fmt: skip
"""Columns of `cells.parquet`. groups, all_groups: of how many groups a macro is the mean."""
PAIRS: dict[str, pl.DataType] = {
    **dict.fromkeys(("base", "benchmark", "group", "direction", "first", "second"), _TEXT),
    "n_paired": _INT,
    **dict.fromkeys(
        ("difference", "difference_low", "difference_high", "p", "p_adjusted"), _NUMBER
    ),
    "variance": _TEXT,
    "verdict": _TEXT,
}
"""Columns of `pairs.parquet`: `difference` is the first row's score minus the second's."""


def cells_and_pairs(matrix: Matrix) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every cell of one benchmark's table under one base, and every pair of its rows."""
    comparison = compared(matrix.table)
    pairs, apart = _pairs(matrix, comparison)
    return _cells(matrix, comparison, apart), pairs


def _cells(matrix: Matrix, comparison: Comparison, apart: Bools) -> pl.DataFrame:
    means = comparison.means()
    low, high = _bounds(matrix, means)
    with np.errstate(invalid="ignore"):
        seed_sd = np.sqrt(comparison.spread.between)
    better = matrix.sign * means.value
    ranks = np.column_stack(
        [families.ranks(better[:, k], apart[:, :, k]) for k in range(better.shape[1])]
    ).astype(np.float64)
    numbers = {"mean": means.value, "low": low, "high": high, "seed_sd": seed_sd}
    complete = comparison.complete(np.arange(len(matrix.subsets)))
    frame = _grid(matrix, {**numbers, **_to_base(matrix, comparison), "rank": ranks})
    names = np.where(complete & matrix.table.trained, "items+seeds", "items")
    about = pl.DataFrame({"subset": matrix.subsets, "variance": names})
    frame = frame.join(about, on="subset", how="left", maintain_order="left")
    frame = frame.join(matrix.counts, on=["subset", "group"], how="left", maintain_order="left")
    frame = frame.with_columns(
        base=pl.lit(matrix.base),
        benchmark=pl.lit(matrix.benchmark),
        direction=pl.lit(matrix.direction),
        n_paired=pl.when(subset=BASE_ROW).then(None).otherwise("n_paired"),
        rank=pl.when(pl.col("rank") > 0).then("rank"),
    )
    frame = frame.with_columns(verdict=_verdict("simultaneous_low", "simultaneous_high"))
    return frame.select(pl.col(name).cast(kind) for name, kind in CELLS.items())


def _to_base(matrix: Matrix, comparison: Comparison) -> dict[str, Floats]:
    """Every row against the base row; NaN without one, and in it.

    The table of one base and one benchmark is the family over which intervals and p-values hold.
    """
    names = ("n_paired", "difference", "difference_low", "difference_high", "simultaneous_low",
             "simultaneous_high", "p", "p_adjusted", "detectable")  # fmt: skip
    shape = (len(matrix.subsets), len(matrix.table.layout.places))
    out = {name: np.full(shape, np.nan) for name in names}
    if BASE_ROW not in matrix.subsets:
        return out
    base = matrix.subsets.index(BASE_ROW)
    tuned = [row for row in range(len(matrix.subsets)) if row != base]
    found = comparison.differences(tuned, [base] * len(tuned))
    p = _p_values(comparison, found, tuned, [base] * len(tuned))
    level = families.sidak(int((~np.isnan(found.value)).sum()))
    single, together = families.interval(found), families.interval(found, level)
    adjusted = families.holm(p.reshape(-1, 1)).reshape(p.shape)
    reach = families.detectable(found, level)
    values = (found.items, found.value, *single, *together, p, adjusted, reach)
    for name, value in zip(names, values, strict=True):
        out[name][tuned] = value
    return out


def _pairs(matrix: Matrix, comparison: Comparison) -> tuple[pl.DataFrame, Bools]:
    """Every two rows, Holm over the pairs of each place; and which are told apart."""
    first, second = np.triu_indices(len(matrix.subsets), 1)
    found = comparison.differences(list(first), list(second))
    p = _p_values(comparison, found, list(first), list(second))
    places = range(p.shape[1])
    adjusted = families.holm(p)
    low, high = families.interval(found)
    apart = np.zeros((len(matrix.subsets), len(matrix.subsets), p.shape[1]), dtype=np.bool_)
    apart[first, second] = apart[second, first] = adjusted <= families.LEVEL
    complete = comparison.complete(first) & comparison.complete(second)
    names = list(matrix.subsets)
    frame = pl.DataFrame(
        {
            "first": [names[i] for i in first for _ in places],
            "second": [names[i] for i in second for _ in places],
            "group": list(matrix.table.layout.places) * len(first),
            "variance": np.repeat(np.where(complete, "items+seeds", "items"), p.shape[1]),
            "n_paired": found.items.ravel(),
            "difference": found.value.ravel(),
            "difference_low": low.ravel(),
            "difference_high": high.ravel(),
            "p": p.ravel(),
            "p_adjusted": adjusted.ravel(),
        },
        nan_to_null=True,
    ).with_columns(
        base=pl.lit(matrix.base),
        benchmark=pl.lit(matrix.benchmark),
        direction=pl.lit(matrix.direction),
    )
    frame = frame.with_columns(verdict=_verdict("difference", "difference"))
    return frame.select(pl.col(name).cast(kind) for name, kind in PAIRS.items()), apart


def _p_values(
    comparison: Comparison, found: Estimate, first: Sequence[int], second: Sequence[int]
) -> Floats:
    """McNemar's exact p-value where it applies, else that of the interval."""
    p = families.p_values(found)
    up, down, exact = comparison.flips(first, second)
    return np.where(exact, mcnemar_of_counts(up, down), p)


def _verdict(low: str, high: str) -> pl.Expr:
    """better, worse, undecided or no data: an interval clear of 0 and an adjusted p-value."""
    up = pl.col("direction") == "higher"
    sure = (pl.col("p_adjusted") <= families.LEVEL).fill_null(False)
    above, below = sure & (pl.col(low) > 0), sure & (pl.col(high) < 0)
    empty = pl.col("mean").is_null() if low != "difference" else pl.col("difference").is_null()
    return (
        pl.when(empty)
        .then(pl.lit("no data"))
        .when(pl.col("difference").is_null())
        .then(None)
        .when((above & up) | (below & ~up))
        .then(pl.lit("better"))
        .when((above & ~up) | (below & up))
        .then(pl.lit("worse"))
        .otherwise(pl.lit("undecided"))
    )


def _bounds(matrix: Matrix, means: Estimate) -> tuple[Floats, Floats]:
    """Intervals of means: Wilson's for right and wrong, else t."""
    if matrix.table.right_or_wrong:
        return proportions(means)
    return families.interval(means)


def _grid(matrix: Matrix, columns: dict[str, Floats]) -> pl.DataFrame:
    """Arrays of rows x places as a long frame."""
    places = matrix.table.layout.places
    return pl.DataFrame(
        {
            "subset": [name for name in matrix.subsets for _ in places],
            "group": list(places) * len(matrix.subsets),
            **{name: value.ravel() for name, value in columns.items()},
        },
        nan_to_null=True,
    )
