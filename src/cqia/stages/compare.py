"""Compare: what a matrix of outcomes shows, and what it doesn't: evidence instead of a bold winner.

    compare(folder=Path("work/compare"), outcomes=pl.read_parquet("outcomes.parquet"))

Every cell is a mean with its interval, the paired difference to the untuned base row with an
interval that holds for the whole table, and a verdict only where the evidence carries one. See
docs/statistics.md for every formula and its source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from cqia import store
from cqia.errors import missing_extra
from cqia.statistics.matrix import Matrix, checked, matrices
from cqia.workers import Progress


def compare(
    *, folder: Path, outcomes: pl.DataFrame, seed: int = 0, progress: Progress | None = None
) -> store.Facts:
    """Write cells, pairs, kinship and, for pairwise outcomes, a ranking.

    Args:
        folder: where the results go.
        outcomes: a row an item, of every base, subset, seed and benchmark.
        seed: of the bootstraps.
        progress: told of every table.

    Raises:
        UserError: outcomes that say two things, or the extra is missing.
    """
    try:
        from cqia.statistics.cells import CELLS, PAIRS, cells_and_pairs
        from cqia.statistics.kinship import kinship
        from cqia.statistics.ranking import ranking
    except ImportError as fault:
        raise missing_extra(fault.name or "statsmodels", "stats") from fault
    frame = checked(outcomes)
    facts: store.Facts = {
        "stage": "compare",
        "program": store.program("statistics", "stages/compare.py"),
        "outcomes": hashlib.sha256(frame.write_csv().encode()).hexdigest(),
        "seed": seed,
    }
    mark = store.fingerprint(facts)
    if done := store.finished(folder, mark):
        return done
    store.begin(folder, mark)
    tables = list(matrices(frame))
    made = []
    for number, matrix in enumerate(tables):
        made.append(cells_and_pairs(matrix))
        if progress:
            progress(number + 1, len(tables), f"{matrix.base} {matrix.benchmark}")
    cells = pl.concat([pl.DataFrame(schema=CELLS), *(one for one, _ in made)])
    pairs = pl.concat([pl.DataFrame(schema=PAIRS), *(one for _, one in made)])
    store.write_frame(folder / "cells.parquet", cells)
    store.write_frame(folder / "pairs.parquet", pairs)
    store.write_frame(folder / "kinship.parquet", kinship(frame))
    ranked = ranking(frame, seed=seed)
    if len(ranked):
        store.write_frame(folder / "ranking.parquet", ranked)
    return store.seal(folder, mark, {**facts, **_counts(frame, tables, cells)})


def _counts(frame: pl.DataFrame, tables: Sequence[Matrix], cells: pl.DataFrame) -> store.Facts:
    """What was compared, and how it came out."""
    states = dict(frame["state"].value_counts().sort("state").iter_rows())
    if sum(states.values()) != len(frame):
        raise RuntimeError(f"{states} are not {len(frame)} outcomes")
    verdicts = cells.drop_nulls("verdict")["verdict"].value_counts().sort("verdict")
    return {
        "n": len(frame),
        "states": states,
        "tables": len(tables),
        "cells": len(cells),
        "verdicts": dict(verdicts.iter_rows()),
    }
