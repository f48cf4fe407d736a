"""agreement: do judges, or models in the same judge's place, say the same of the same records?

A record's score by a judge is the mean of its readable repeats; of a judge of labels it is the
first readable label. Only records that both could read are compared, and how many they are
stands beside every number. Correlation says whether two judges order records alike; the mean
difference whether one is more lenient; Krippendorff's alpha (interval metric) both at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from cqia import scores
from cqia.errors import UserError, missing_extra

LEAST = 4
"""Records that a correlation and its interval need."""
RESAMPLES = 2_000


def named(work: Path, names: Sequence[str]) -> list[list[str]]:
    """The groups to compare: the names (`JUDGE@MODEL`), or each judge's models.

    Raises:
        UserError: there is nothing to compare.
    """
    found = sorted(path.parent.name for path in (work / "score").glob("*@*/manifest.json"))
    if names:
        groups = [list(dict.fromkeys(names))]
    else:
        judges = dict.fromkeys(name.partition("@")[0] for name in found)
        groups = [[one for one in found if one.partition("@")[0] == judge] for judge in judges]
    groups = [group for group in groups if len(group) > 1]
    if not groups:
        known = f"there is {', '.join(found)}" if found else "run: cqia score"
        raise UserError("there are no two judges to compare", where=str(work), mend=known)
    return groups


def table(work: Path, names: Sequence[str]) -> pl.DataFrame:
    """id, then a column a name: scores, or the first label where a verdict has no number.

    Raises:
        UserError: a name that nothing was scored by, or numbers beside labels.
    """
    found: pl.DataFrame | None = None
    kinds = set()
    for name in names:
        judge, _, model = name.partition("@")
        column = _column(scores.read(work, judge, model), name)
        kinds.add(column[name].dtype)
        found = column if found is None else found.join(column, on="id", how="full", coalesce=True)
    if len(kinds) > 1:
        raise UserError("numbers and labels can't be compared", mend="name judges of one kind")
    assert found is not None
    return found.sort("id")


def _column(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    read = rows.filter(state="read")
    if read["score"].null_count() < len(read) or read.is_empty():
        return read.group_by("id", maintain_order=True).agg(pl.col("score").mean().alias(name))
    first = read.unique("id", keep="first", maintain_order=True)
    labels = [_label(one) for one in first["verdict"]]
    return first.select("id", pl.Series(name, labels, dtype=pl.String))


def _label(verdict: str) -> str | None:
    """The first field of a verdict, after the analysis, that holds one label."""
    fields = orjson.loads(verdict)
    return next((v for k, v in fields.items() if k != "分析" and isinstance(v, str)), None)


def pairs(work: Path, names: Sequence[str]) -> pl.DataFrame:
    """A row a pair of judges.

    both: records that both read; only_first, only_second: that only one did. pearson with Fisher's
    interval, spearman with Bonett and Wright's (2000), difference: the mean of the first less the
    second, with its t interval. For labels: same, the share of equal labels, and Cohen's kappa.
    Numbers that a handful of records, or judges who always say the same, can't give are null.
    """
    _needed()
    whole = table(work, names)
    rows = []
    for first, second in combinations(names, 2):
        a, b = whole[first], whole[second]
        both = whole.filter(a.is_not_null() & b.is_not_null())
        row: dict[str, Any] = {"first": first, "second": second, "both": len(both)}
        row["only_first"] = int((a.is_not_null() & b.is_null()).sum())
        row["only_second"] = int((a.is_null() & b.is_not_null()).sum())
        numbers = both[first].dtype.is_numeric()
        row |= (_numbers if numbers else _labels)(both[first], both[second])
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def _needed() -> None:
    try:
        import evalica
        import scipy
        import statsmodels  # noqa: F401
    except ImportError as fault:
        raise missing_extra(str(fault.name), "stats") from None
    del evalica, scipy


def _numbers(a: pl.Series, b: pl.Series) -> dict[str, float | None]:
    from scipy import stats

    from cqia.statistics.intervals import mean

    names = ("pearson", "pearson_low", "pearson_high", "spearman", "spearman_low", "spearman_high")
    found: dict[str, float | None] = dict.fromkeys(names)
    if len(a) >= LEAST and a.n_unique() > 1 and b.n_unique() > 1:
        pearson = stats.pearsonr(a, b)
        interval = pearson.confidence_interval()
        spearman = float(stats.spearmanr(a, b).statistic)
        error = 1.959964 * math.sqrt((1 + spearman**2 / 2) / (len(a) - 3))
        centre = math.atanh(max(min(spearman, 1 - 1e-15), -1 + 1e-15))
        ends = math.tanh(centre - error), math.tanh(centre + error)
        values = (pearson.statistic, *interval, spearman, *ends)
        found = {name: float(value) for name, value in zip(names, values, strict=True)}
    difference: tuple[float | None, ...] = (None, None, None)
    if len(a):
        difference = tuple(None if math.isnan(v) else v for v in mean((a - b).to_list()))
    told = ("difference", "difference_low", "difference_high")
    return found | dict(zip(told, difference, strict=True))


def _labels(a: pl.Series, b: pl.Series) -> dict[str, float | None]:
    from statsmodels.stats.inter_rater import cohens_kappa

    found: dict[str, float | None] = dict.fromkeys(("same", "kappa", "kappa_low", "kappa_high"))
    if a.is_empty():
        return found
    found["same"] = float((a == b).mean())  # type: ignore[arg-type]
    words = sorted({*a, *b})
    if len(words) < 2:
        return found
    counts = [[int(((a == one) & (b == other)).sum()) for other in words] for one in words]
    kappa = cohens_kappa(counts)
    values = (kappa.kappa, kappa.kappa_low, kappa.kappa_upp)
    told = {k: float(v) for k, v in zip(("kappa", "kappa_low", "kappa_high"), values, strict=True)}
    return found | {k: None if math.isnan(v) else v for k, v in told.items()}


def together(work: Path, names: Sequence[str]) -> dict[str, Any]:
    """All of a group at once: Krippendorff's alpha, and how far a record's scores lie apart.

    records: read by two judges or more. alpha: interval metric for numbers, nominal for labels,
    with Krippendorff's bootstrap interval (2006). spread: the mean, over these records, of the
    standard deviation (of a sample) of the judges' scores; null for labels.
    """
    _needed()
    import evalica
    import pandas as pd

    whole = table(work, names)
    judged = whole.filter(
        pl.sum_horizontal(pl.col(name).is_not_null() for name in names) > 1
    ).select(names)
    row: dict[str, Any] = {"judges": ", ".join(names), "records": len(judged)}
    numbers = all(dtype.is_numeric() for dtype in judged.dtypes)
    row |= {"alpha": None, "alpha_low": None, "alpha_high": None, "spread": None}
    if judged.is_empty():
        return row
    values = [column.to_list() for column in judged.get_columns()]
    if len({one for column in values for one in column if one is not None}) > 1:
        ratings = pd.DataFrame(values)
        found = evalica.alpha_bootstrap(
            ratings,
            distance="interval" if numbers else "nominal",
            n_resamples=RESAMPLES,
            random_state=0,
        )
        row |= {"alpha": found.alpha, "alpha_low": found.low, "alpha_high": found.high}
    if numbers:
        row["spread"] = records(work, names)["spread"].mean()
    return row


def records(work: Path, names: Sequence[str]) -> pl.DataFrame:
    """The records that two judges or more read, the most disputed first, with each one's word."""
    whole = table(work, names)
    said = pl.concat_list(names).list.drop_nulls()
    numbers = all(whole[name].dtype.is_numeric() for name in names)
    spread = said.list.std() if numbers else said.list.n_unique().cast(pl.Float64)
    judged = whole.with_columns(judges=said.list.len(), spread=spread).filter(pl.col("judges") > 1)
    return judged.sort("spread", "id", descending=[True, False])
