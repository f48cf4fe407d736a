"""Selections side by side: overlap, means with their interval, amounts a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

WIDTH = 1.959964
"""Standard errors on each side of a 95 % interval (normal)."""


def overlap(chosen: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Jaccard similarity of every two selections: shared records over all records of both."""
    sets = {name: frozenset(ids) for name, ids in chosen.items()}
    columns = {
        name: [_jaccard(other, own) for other in sets.values()] for name, own in sets.items()
    }
    return pl.DataFrame({"selection": list(sets), **columns}, schema_overrides=_floats(sets))


def _floats(names: Mapping[str, object]) -> dict[str, pl.DataType]:
    return {name: pl.Float64() for name in names}


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float | None:
    return len(a & b) / len(a | b) if a or b else None


def mean(values: pl.Series) -> dict[str, float | int | None]:
    """n, mean, and its 95 % interval; nulls where they can't be had, never 0."""
    sound = values.drop_nulls()
    n = len(sound)
    middle = sound.mean() if n else None
    spread = sound.std() if n > 1 else None
    if not isinstance(middle, float) or not isinstance(spread, float):
        return {"n": n, "mean": middle, "low": None, "high": None}  # type: ignore[dict-item]
    error = WIDTH * spread / n**0.5
    return {"n": n, "mean": middle, "low": middle - error, "high": middle + error}


def amounts(
    chosen: Mapping[str, Sequence[str]], candidates: pl.DataFrame, group: str
) -> pl.DataFrame:
    """How many records of each group the candidates and every selection hold.

    Args:
        chosen: the selections' ids.
        candidates: columns id and the group's.
        group: its column.
    """
    kind = pl.col(group).cast(pl.String)
    found = candidates.group_by(kind).agg(candidates=pl.len()).sort(group)
    for name, ids in chosen.items():
        mine = candidates.filter(pl.col("id").is_in(list(ids)))
        counts = mine.group_by(kind).agg(pl.len().alias(name))
        found = found.join(counts, on=group, how="left", nulls_equal=True, maintain_order="left")
    return found.with_columns(pl.col(*chosen).fill_null(0)) if chosen else found
