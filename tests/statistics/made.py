"""Tables and outcomes made up with known chance in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from cqia.statistics.contrasts import Comparison, Table, compared
from cqia.statistics.layout import Bools, Floats, Layout, layout

GROUPS = 5


def plan(items: int, *, groups: int = 1, cluster: int = 1) -> Layout:
    """Items in clusters of a size, clusters dealt out to groups."""
    bundles = [i // cluster for i in range(items)]
    names = [f"g{b % groups}" if groups > 1 else "" for b in bundles]
    return layout(names, [str(b) for b in bundles])


def trained(rows: int) -> Bools:
    """A base row and tuned ones."""
    return np.arange(rows) > 0


def null_scores(
    draw: np.random.Generator,
    *,
    rows: int,
    seeds: int,
    items: int,
    kind: str,
    cluster: int = 1,
    seed_sd: float = 0.15,
    first_sd: float | None = None,
) -> Floats:
    """No row differs: rows x seeds x items; the first row is the base, with one seed."""

    def lumps(*shape: int) -> Floats:
        drawn = draw.normal(0, 0.4, (*shape, items // cluster))
        return np.repeat(np.asarray(drawn, dtype=np.float64), cluster, axis=-1)

    easy = np.repeat(draw.normal(0, 1, items // cluster), cluster)
    spread = np.full((rows, 1, 1), seed_sd)
    spread[1] = seed_sd if first_sd is None else first_sd
    drift = draw.normal(0, 1, (rows, seeds, 1)) * spread
    scores: Floats = easy + lumps(rows, 1) + drift + draw.normal(0, 0.5, (rows, seeds, items))
    if kind == "right or wrong":
        # The base row's latent noise is as wide as a tuned row's, so that both are right as often.
        scores[0, 0] += draw.normal(0, 1, items) * seed_sd - drift[0, 0]
        scores = (scores > -0.7).astype(np.float64)
    elif seeds:
        scores[0, 0] -= drift[0, 0]
    scores[0, 1:] = np.nan
    return scores


def comparison(scores: Floats, of: Layout) -> Comparison:
    return compared(Table(scores, of, trained(len(scores))))


def outcomes(
    scores: Mapping[str, Sequence[Sequence[float | None]]],
    *,
    state: str = "unreadable",
    **more: str,
) -> pl.DataFrame:
    """Outcomes from subset -> seeds -> items; None has the state instead of a score."""
    rows = []
    for subset, seeds in scores.items():
        for seed, values in enumerate(seeds):
            for number, value in enumerate(values):
                rows.append({
                    "base": "m", "subset": subset, "seed": seed, "benchmark": "b",
                    "direction": "higher", "writer_family": "human", "judge_family": "",
                    "item": f"i{number:04d}", "group": "", "cluster": f"i{number:04d}",
                    "state": "read" if value is not None else state,
                    "score": None if value is None else float(value),
                } | more)  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)
