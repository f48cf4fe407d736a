"""Simulations: intervals cover what they say, and nothing wins where nothing differs."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("statsmodels", reason="the extra stats is not installed")

from cqia.statistics import families
from tests.statistics.made import GROUPS, comparison, null_scores, plan

TABLES = 1_000
ROWS = 9
"""A base row and eight subsets."""
ERROR = 0.004
"""Of a share of the 8,000 intervals of a simulation, two standard errors."""


def played(
    *, seeds: int, items: int, kind: str, tables: int, cluster: int = 1
) -> tuple[float, float]:
    """The share of the intervals over all items that cover 0, and of tables with any verdict."""
    draw = np.random.default_rng(1_000 * seeds + items)
    of = plan(items, groups=GROUPS, cluster=cluster)
    held, wrong = 0.0, 0
    for _ in range(tables):
        scores = null_scores(draw, rows=ROWS, seeds=seeds, items=items, kind=kind, cluster=cluster)
        found = comparison(scores, of).differences(range(1, ROWS), [0] * (ROWS - 1))
        low, high = families.interval(found)
        held += float(((low <= 0) & (high >= 0))[:, 0].mean())
        low, high = families.interval(found, families.sidak(found.value.size))
        clear = (low > 0) | (high < 0)
        if clear.any():
            p = families.holm(families.p_values(found).reshape(-1, 1)).reshape(low.shape)
            wrong += bool((clear & (p <= families.LEVEL)).any())
    return held / tables, wrong / tables


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["numbers", "right or wrong"])
@pytest.mark.parametrize("items", [50, 300])
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_intervals_cover_and_nothing_wins_by_chance(seeds: int, items: int, kind: str) -> None:
    held, wrong = played(seeds=seeds, items=items, kind=kind, tables=TABLES)
    print(f"\n{kind}, {seeds} seeds, {items} items: covers {held:.4f}, false winners {wrong:.3f}")
    assert 0.93 - ERROR <= held <= 0.97 + ERROR
    assert wrong <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / TABLES)


@pytest.mark.slow
def test_clusters_of_five_are_covered_too() -> None:
    held, wrong = played(seeds=3, items=300, kind="numbers", tables=TABLES, cluster=5)
    print(f"\nclusters of 5: covers {held:.4f}, false winners {wrong:.3f}")
    assert 0.93 - ERROR <= held <= 0.97 + ERROR
    assert wrong <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / TABLES)


def test_a_short_run_of_the_same() -> None:
    held, wrong = played(seeds=3, items=60, kind="numbers", tables=40)
    assert 0.9 <= held <= 1
    assert wrong <= 0.15
