"""Attribute: what each source adds beside the others, and which mixture of them is best at what.

    attribute(work)

reads a statement's cells and pairs and writes `work/attribute/`:

    without.parquet   what leaving a source out of all costs: all minus without it, per ability
    pairs.parquet     two sources together against the mean of each alone
    effects.parquet   a regression over all mixtures: what a source alone is predicted to reach
    mixtures.parquet  the mixture predicted best for each ability, and what training it came to

Abilities are a benchmark's groups and its mean of all (group ""). Values are differences to the
base row, turned so that more is better. Every number has an interval; a regression that predicts
rows left out no better than chance says so (`learnt`), and its mixture is not to be believed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cqia import store
from cqia.errors import UserError
from cqia.statistics.mixtures import Fit, best, effects, fit

PLACE = ("base", "benchmark", "group", "direction")
LEAST = 0.05
"""A smaller share is not trained in a check (this project's choice)."""
EVEN = "all-even"
"""All sources in equal shares: what leaving one out is compared with."""
CHECK = "check-"
"""Subsets that were trained to check a prediction begin so: `check-BENCHMARK-GROUP`."""


def attribute(work: Path) -> store.Facts:
    """Write the four tables.

    Raises:
        UserError: no statement was played here.
    """
    statement, compared = work / "statement", work / "compare"
    told, known = store.manifest(statement), store.manifest(compared)
    if told is None or known is None:
        raise UserError("no statement was played here", where=str(work), mend="cqia run TOML")
    facts: store.Facts = {
        "stage": "attribute",
        "program": store.program("statistics/mixtures.py", "stages/attribute.py"),
        "compare": known["fingerprint"],
        "subsets": told["subsets"],
    }
    mark, folder = store.fingerprint(facts), work / "attribute"
    if done := store.finished(folder, mark):
        return done
    store.begin(folder, mark)
    cells = pl.read_parquet(compared / "cells.parquet").filter(pl.col("group") != "macro")
    pairs = pl.read_parquet(compared / "pairs.parquet").filter(pl.col("group") != "macro")
    *regression, skipped = mixed(cells, told["subsets"])
    tables = {
        "without": without(pairs, told["subsets"]),
        "pairs": together(cells, told["subsets"]),
        **dict(zip(("effects", "mixtures"), regression, strict=True)),
    }
    for name, table in tables.items():
        store.write_frame(folder / f"{name}.parquet", table)
    sizes = {name: len(table) for name, table in tables.items()}
    return store.seal(folder, mark, {**facts, "tables": sizes, "skipped": skipped})


def without(pairs: pl.DataFrame, subsets: list[store.Facts]) -> pl.DataFrame:
    """What a source adds to all the others: `all-even` against `without-SOURCE`, turned."""
    names = [one["name"] for one in subsets if one["kind"] == "without"]
    first = pairs.filter(pl.col("first") == EVEN, pl.col("second").is_in(names))
    sign = pl.when(pl.col("direction") == "higher").then(1.0).otherwise(-1.0)
    low, high = sign * pl.col("difference_low"), sign * pl.col("difference_high")
    return first.select(
        *PLACE,
        source=pl.col("second").str.strip_prefix("without-"),
        n="n_paired",
        adds=sign * pl.col("difference"),
        low=pl.min_horizontal(low, high),
        high=pl.max_horizontal(low, high),
        p_adjusted="p_adjusted",
    )


def together(cells: pl.DataFrame, subsets: list[store.Facts]) -> pl.DataFrame:
    """Two sources in equal shares against the mean of each alone, turned so that more is better."""
    alone = {one["sources"][0]: one["name"] for one in subsets if _single(one)}
    rows = []
    for one in subsets:
        if one["kind"] == "pair" and all(name in alone for name in one["sources"]):
            a, b = (alone[name] for name in one["sources"])
            rows.append({"pair": one["name"], "a": a, "b": b})
    if not rows:
        return pl.DataFrame(schema={**dict.fromkeys(PLACE, pl.String), "pair": pl.String})
    value = _turned(cells).select(*PLACE, "subset", "value")
    table = pl.DataFrame(rows).join(value.rename({"subset": "pair"}), on="pair")
    for side in ("a", "b"):
        table = table.join(
            value.rename({"subset": side, "value": f"value_{side}"}), on=[*PLACE, side]
        )
    more = pl.col("value") - (pl.col("value_a") + pl.col("value_b")) / 2
    return table.with_columns(more_than_mean=more).sort(*PLACE, "pair")


def mixed(
    cells: pl.DataFrame, subsets: list[store.Facts]
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """The regression's effects a source, and the best mixture, a row an ability each.

    The number is of abilities for which there are mixtures, but too few rows to learn from.
    """
    sources, weights = design(subsets)
    mixtures = any(one["kind"] == "mixture" and one["name"] != EVEN for one in subsets)
    effect_rows, best_rows, skipped = [], [], 0
    values = _turned(cells).filter(pl.col("subset").is_in(list(weights)))
    for place, part in values.group_by(*PLACE, maintain_order=True):
        part = part.drop_nulls("value")
        learnt_from = part.filter(~pl.col("subset").str.starts_with(CHECK))
        if len(learnt_from) < len(sources) + 2 or len(sources) < 2:
            skipped += mixtures
            continue
        inner = np.array([weights[name] for name in learnt_from["subset"]])
        found = fit(inner, learnt_from["value"].to_numpy())
        where = dict(zip(PLACE, place, strict=True))
        effect_rows += _effects(where, found, sources)
        best_rows.append({**where, **_best(found, sources, part, weights)})
    return pl.DataFrame(effect_rows), pl.DataFrame(best_rows), skipped


def design(subsets: list[store.Facts]) -> tuple[list[str], dict[str, list[float]]]:
    """The sources, and each row's shares of them: single sources and every mixture of these."""
    sources = [one["sources"][0] for one in subsets if _single(one)]
    found: dict[str, list[float]] = {}
    for one in subsets:
        shares = one["weights"] or ({one["sources"][0]: 1.0} if _single(one) else {})
        if shares and set(shares) <= set(sources):
            whole = sum(shares.values())
            found[one["name"]] = [shares.get(name, 0.0) / whole for name in sources]
    return sources, found


def _single(one: store.Facts) -> bool:
    return one["kind"] == "subset" and not one["control"] and len(one["sources"]) == 1


def _turned(cells: pl.DataFrame) -> pl.DataFrame:
    """Differences to the base row as `value`, turned so that more is better."""
    sign = pl.when(pl.col("direction") == "higher").then(1.0).otherwise(-1.0)
    return cells.with_columns(value=sign * pl.col("difference"))


def _effects(where: dict[str, Any], found: Fit, sources: list[str]) -> list[dict[str, Any]]:
    value, low, high = effects(found, len(sources))
    return [
        {**where, "source": name, "predicted": v, "low": lo, "high": hi, "learnt": found.learnt}
        for name, v, lo, hi in zip(sources, value, low, high, strict=True)
    ]


def _best(
    found: Fit, sources: list[str], part: pl.DataFrame, weights: dict[str, list[float]]
) -> dict[str, Any]:
    """The best mixture, how well it is known, and the check where one was trained."""
    top = best(found, len(sources))
    checks = part.filter(pl.col("subset").str.starts_with(CHECK))
    close = [n for n in checks["subset"] if np.allclose(weights[n], top.weights, atol=2 * LEAST)]
    check = checks.filter(pl.col("subset").is_in(close)).head(1)
    said = {
        "form": found.form,
        "rows": len(part) - len(checks),
        "learnt": found.learnt,
        "p": found.p,
        "error": found.error,
        "chance": found.chance,
        "shares": [round(float(one), 4) for one in top.weights],
        "sources": sources,
        "predicted": top.predicted,
        "low": top.low,
        "high": top.high,
        "checked": None,
        "checked_low": None,
        "checked_high": None,
    }
    if len(check):
        row = check.row(0, named=True)
        bounds = sorted((row["difference_low"], row["difference_high"]), key=abs)
        turn = 1 if row["direction"] == "higher" else -1
        low, high = sorted(turn * one for one in bounds)
        said |= {"checked": row["value"], "checked_low": low, "checked_high": high}
    return said


def best_mixtures(work: Path, count: int) -> list[tuple[str, dict[str, float]]]:
    """The mixtures worth training: of the abilities that were learnt best, by their error.

    Returns:
        A name (`check-BENCHMARK-GROUP`) and shares, by source, each.
    """
    table = pl.read_parquet(work / "attribute" / "mixtures.parquet")
    if not len(table):
        return []
    known = table.filter("learnt").with_columns(worth=pl.col("error") / pl.col("chance"))
    found: dict[str, dict[str, float]] = {}
    for row in known.sort("worth").iter_rows(named=True):
        ability = f"{row['benchmark']}-{row['group'] or 'all'}"
        name = CHECK + re.sub(r"[^\w-]+", "-", ability)
        shares = dict(zip(row["sources"], row["shares"], strict=True))
        found.setdefault(name, {k: v for k, v in shares.items() if v >= LEAST})
    return list(found.items())[:count]
