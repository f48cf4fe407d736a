"""Selections side by side, with random draws of the same size as the measure of each.

Two large studies find that most methods tie with random at scale (arXiv 2410.09335, 2503.01807), so
every number of a selection stands beside the mean, the least and the most of some random draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from cqia import store
from cqia.errors import UserError
from cqia.pool import of_texts, of_vectors, pool, sources_of
from cqia.sampling import lot, sample
from cqia.selection import results
from cqia.selection.compare import amounts, mean, overlap
from cqia.selection.dense import read
from cqia.selection.space import Space
from cqia.tables import FORMATS, render
from cqia.thresholds import means_of
from cqia.workers import Progress

SEEDS = 5
NEAR = {"grams": 0.1, "vectors": 0.8}
"""Similarity from which a candidate counts as covered by a chosen one (this project's choice)."""
MEASURES = ("sources", "tasks", "coverage", "nearest", "median_length", "mean_length")


class Compared(NamedTuple):
    """The tables by name; selections that were made of other records; scores that are made up."""

    tables: dict[str, pl.DataFrame]
    stale: list[str]
    scripted: list[str]


def compare(
    *,
    work: Path,
    near: float | None = None,
    vectors: Path | None = None,
    seeds: int = SEEDS,
    progress: Progress | None = None,
) -> Compared:
    """Write `selections`, `scores`, `overlap`, `by-source` and `by-task` to `work/select/report/`.

    Args:
        work: a working folder in which select has run.
        near: similarity from which a candidate counts as covered; None: as NEAR says.
        vectors: a Parquet file (id, vector) to measure similarity by; None: character n-grams.
        seeds: random draws of each size.
        progress: told of every part read.

    Raises:
        UserError: there is no selection, or none of these records.
    """
    inputs, names, ran = sources_of(work)
    facts = {name: results.facts_of(work, name) for name in results.made(work)}
    stale = [name for name, one in facts.items() if one["inputs"] != inputs]
    fresh = {name: one for name, one in facts.items() if name not in stale}
    if not fresh:
        raise UserError(
            "there is no selection of these records",
            where=str(work),
            mend=f"run: cqia select --method random --amount N --work {work}",
        )
    near = NEAR["vectors" if vectors else "grams"] if near is None else near
    if not 0 < near <= 1 or seeds < 2:
        raise UserError("similarity lies above 0 and at most at 1, and two draws are the least")
    writers = list(dict.fromkeys(who for one in fresh.values() for who in one["writers"]))
    found = pool(work, names, ran=ran, writers=writers, seed=0, progress=progress)
    table = found.table.filter(pl.col("length") > 0)
    known = read(vectors) if vectors else pl.DataFrame()
    if vectors:
        table = table.join(known.select("id"), on="id", how="semi", maintain_order="left")
    space: Space
    space = of_vectors(table, known) if vectors else of_texts(work, names, table, writers)
    chosen = {name: results.selected(work, name)["id"].to_list() for name in fresh}
    draws = {
        size: [_draw(table, size, seed) for seed in range(1, seeds + 1)]
        for size in sorted({len(ids) for ids in chosen.values()})
    }
    tables = _tables(work, table, space, near, chosen, draws)
    for title, shown in tables.items():
        for kind in FORMATS:
            place = work / "select" / results.REPORT / f"{title}.{kind}"
            store.write_bytes(place, render(shown, kind).encode())
    return Compared(tables, stale, _scripted(work))


def _scripted(work: Path) -> list[str]:
    """The scores of models that only play one."""
    folders = [path.parent for path in sorted((work / "score").glob("*@*/manifest.json"))]
    facts = {folder.name: store.manifest(folder) or {} for folder in folders}
    return [name for name, one in facts.items() if one.get("family") == "scripted"]


def _draw(table: pl.DataFrame, size: int, seed: int) -> list[str]:
    """A random draw as `select` makes it: each source and task by its share."""
    own = table.select("id", "source", "task_minor", "characters").with_columns(
        lot=lot(seed), row=pl.int_range(pl.len())
    )
    rows = sample(own, budget=size, unit="records", strata=["source", "task_minor"])
    return own["id"].gather(rows.cast(pl.Int64)).to_list()


def _tables(
    work: Path,
    table: pl.DataFrame,
    space: Space,
    near: float,
    chosen: Mapping[str, list[str]],
    draws: Mapping[int, Sequence[list[str]]],
) -> dict[str, pl.DataFrame]:
    every = {"candidates": table["id"].to_list(), **chosen}
    sizes = {size: f"random of {size}" for size in draws}
    rows = [
        {"selection": name, **_measured(table, space, near, ids)} for name, ids in every.items()
    ]
    for size, some in draws.items():
        found = pl.DataFrame([_measured(table, space, near, ids) for ids in some])
        rows += [{"selection": name, "records": size, **one}
                 for name, one in _spread(sizes[size], found, MEASURES)]  # fmt: skip
    first = {sizes[size]: some[0] for size, some in draws.items()}
    named = {**chosen, **{name: ids for name, ids in first.items() if name not in chosen}}
    return {
        "selections": pl.DataFrame(rows, infer_schema_length=None),
        "scores": _scores(work, table, every, draws, sizes),
        "overlap": overlap(named),
        "by-source": amounts(named, table, "source"),
        "by-task": amounts(named, table, "task_minor"),
    }


def _measured(table: pl.DataFrame, space: Space, near: float, ids: Sequence[str]) -> dict[str, Any]:
    """What a selection is like. tasks: of those that the candidates' labels name."""
    taken = pl.col("id").is_in(pl.Series(ids, dtype=pl.String).implode())
    mine = table.filter(taken)
    rows = table.select(taken).to_series().arg_true().to_numpy().astype(np.int64)
    _, similar = space.closest(1, among=rows)
    return {
        "records": len(mine),
        "sources": mine["source"].n_unique(),
        "tasks": mine["task_minor"].cast(pl.String).replace("", None).drop_nulls().n_unique(),
        "coverage": float((similar[:, 0] >= near).mean()) if len(table) else None,
        "nearest": float(similar[:, 0].mean()) if len(table) else None,
        "median_length": mine["length"].median(),
        "mean_length": mine["length"].mean(),
    }


def _spread(
    name: str, found: pl.DataFrame, columns: Iterable[str]
) -> list[tuple[str, dict[str, Any]]]:
    """Mean, least and most of some draws, each as a row's name and numbers."""
    numbers = found.select(pl.col(*columns).cast(pl.Float64))
    which = {"mean": numbers.mean(), "least": numbers.min(), "most": numbers.max()}
    return [(f"{name}: {of} of {len(found)}", one.row(0, named=True)) for of, one in which.items()]


def _scores(
    work: Path,
    table: pl.DataFrame,
    every: Mapping[str, list[str]],
    draws: Mapping[int, Sequence[list[str]]],
    sizes: Mapping[int, str],
) -> pl.DataFrame:
    """Mean scores with n and a 95 % interval; of the random draws the mean, least and most mean."""
    kinds = {"score": pl.String, "selection": pl.String, "n": pl.Float64, "unscored": pl.Float64}
    rows = []
    for path in sorted((work / "score").glob("*@*/manifest.json")):
        scored = table.join(means_of(path.parent), on="id", how="left", maintain_order="left")
        name = path.parent.name
        if not scored["mean"].count():
            continue
        for selection, ids in every.items():
            rows.append({"score": name, "selection": selection, **_mean(scored, ids)})
        for size, some in draws.items():
            found = pl.DataFrame([_mean(scored, ids) for ids in some])
            rows += [
                {"score": name, "selection": told, **one}
                for told, one in _spread(sizes[size], found, ("n", "unscored", "mean"))
            ]
    more = dict.fromkeys(("mean", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema={**kinds, **more})


def _mean(scored: pl.DataFrame, ids: Sequence[str]) -> dict[str, Any]:
    """The mean score of some records; those without a score are counted, not reckoned in."""
    mine = scored.filter(pl.col("id").is_in(pl.Series(ids, dtype=pl.String).implode()))
    return {**mean(mine["mean"]), "unscored": mine["mean"].null_count()}
