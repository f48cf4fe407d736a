"""Outcomes in a small table: per group, the mean of groups, and all items; each with its n.

Means are over what was read, and beside them stands what was not. Intervals: Wilson's for right
and wrong on items that stand alone; else normal, from the spread between clusters (Miller 2024,
arXiv 2411.00640). Comparisons between models are the matter of `compare`.
"""

from __future__ import annotations

import math

import polars as pl

from cqia.benchmarks.base import Metric, of_groups

SUMMARY = {
    "group": pl.String,
    "items": pl.Int64,
    "read": pl.Int64,
    "unreadable": pl.Int64,
    "failed": pl.Int64,
    "unsent": pl.Int64,
    "unasked": pl.Int64,
    "mean": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}
MICRO, MACRO = "all items (micro)", "mean of groups (macro)"
_Z = 1.959963984540054


def summary(outcomes: pl.DataFrame, metric: Metric) -> pl.DataFrame:
    """A row a group, then micro and macro, in the metric's unit.

    Args:
        outcomes: as `evaluate` wrote them.
        metric: the benchmark's.

    Raises:
        UserError: the extra stats is not installed.
    """
    rows = [
        _row(str(name), frame, metric)
        for (name,), frame in outcomes.group_by("group", maintain_order=True)
    ]
    table = [*rows, _row(MICRO, outcomes, metric), _macro(outcomes, rows, metric)]
    return pl.DataFrame(table, schema=SUMMARY, orient="row")


def _row(name: str, outcomes: pl.DataFrame, metric: Metric) -> tuple[object, ...]:
    read = outcomes.filter(state="read")
    found = tuple(None if one is None else one * metric.scale for one in interval(read))
    return (name, *_counts(outcomes), *found)


def _counts(outcomes: pl.DataFrame) -> tuple[int, ...]:
    states = ("read", "unreadable", "failed", "unsent", "unasked")
    return (len(outcomes), *(int((outcomes["state"] == one).sum()) for one in states))


def _macro(
    outcomes: pl.DataFrame, rows: list[tuple[object, ...]], metric: Metric
) -> tuple[object, ...]:
    """The mean of the groups' means; none where a group that was asked has none.

    Groups without an item that can be asked have no part in it, and its name says so.
    """
    asked = [row for row in rows if row[1] != row[6]]
    means = [row[7] for row in asked if isinstance(row[7], float)]
    said = of_groups(MACRO, len(asked), len(rows))
    if not means or len(means) < len(asked):
        return (said, *_counts(outcomes), None, None, None)
    mean = sum(means) / len(means)
    errors = [
        _error(frame.filter(state="read"))
        for _, frame in outcomes.filter(pl.col("state") != "unasked").group_by("group")
    ]
    known = [one for one in errors if one is not None]
    if len(known) < len(errors):
        return (said, *_counts(outcomes), mean, None, None)
    half = _Z * math.sqrt(sum(one**2 for one in known)) / len(known) * metric.scale
    return (said, *_counts(outcomes), mean, mean - half, mean + half)


def interval(read: pl.DataFrame) -> tuple[float | None, float | None, float | None]:
    """Mean and 95 % interval of read outcomes; None for what can't be had."""
    from cqia.errors import missing_extra

    try:
        from statsmodels.stats.proportion import proportion_confint
    except ImportError:
        raise missing_extra("statsmodels", "stats") from None
    if not len(read):
        return None, None, None
    mean = float(read["score"].mean())  # type: ignore[arg-type]
    if read["score"].is_in([0.0, 1.0]).all() and read["cluster"].n_unique() == len(read):
        low, high = proportion_confint(int(read["score"].sum()), len(read), method="wilson")
        return mean, float(low), float(high)
    error = _error(read)
    return (mean, None, None) if error is None else (mean, mean - _Z * error, mean + _Z * error)


def _error(read: pl.DataFrame) -> float | None:
    """The standard error of the mean, items of a cluster hanging together; None: one cluster."""
    if read["cluster"].n_unique() < 2:
        return None
    off = read.select("cluster", off=pl.col("score") - pl.col("score").mean())
    sums = off.group_by("cluster").agg(pl.col("off").sum())["off"]
    groups = len(sums)
    return math.sqrt(float((sums**2).sum()) * groups / (groups - 1)) / len(read)
