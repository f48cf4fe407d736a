from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

pytest.importorskip("statsmodels", reason="the extra stats is not installed")

from cqia.statistics.kinship import kinship
from cqia.statistics.matrix import checked
from tests.statistics.made import outcomes

ITEMS = 120


def judged(*, likes: float = 0.1, mild: float = 0.2, seeds: int = 3) -> pl.DataFrame:
    """Every judge likes its own family's subset by `likes`; gpt is milder with all by `mild`."""
    draw = np.random.default_rng(0)
    frames = []
    for writer, subset in (("", ""), ("gpt", "a"), ("qwen", "b"), ("unknown", "c"), ("human", "d")):
        for judge in ("gpt", "qwen", "unknown"):
            more = likes * (judge == writer) + mild * (judge == "gpt")
            scores = [
                (draw.normal(0.4 + more, 0.1, ITEMS)).tolist()
                for _ in range(seeds if subset else 1)
            ]
            frames.append(outcomes({subset: scores}, writer_family=writer, judge_family=judge))
    return pl.concat(frames)


def rows(frame: pl.DataFrame) -> dict[str, dict[str, Any]]:
    found = kinship(checked(frame))
    return {row["subset"]: row for row in found.iter_rows(named=True)}


def test_the_excess_is_the_liking_without_the_mildness() -> None:
    found = rows(judged())
    for subset, gap in (("a", 0.3), ("b", -0.1)):
        assert found[subset]["gap"] == pytest.approx(gap, abs=0.02)
        assert found[subset]["excess"] == pytest.approx(0.1, abs=0.03)
        assert 0 < found[subset]["excess_low"] < 0.1 < found[subset]["excess_high"]
        assert found[subset]["n_paired"] == ITEMS
        assert found[subset]["variance"] == "items+seeds"
    assert found["a"]["kin_judges"] == "gpt"
    assert found["a"]["other_judges"] == "qwen"


def test_unknown_families_are_never_kin_and_are_shown() -> None:
    found = rows(judged())
    assert found["c"]["state"] == "no known writer"
    assert found["c"]["gap"] is None
    assert found["d"]["state"] == "no kin judge"
    assert {row["unknown_judges"] for row in found.values()} == {"unknown"}


def test_only_answers_that_all_judges_read_are_compared() -> None:
    frame = judged()
    lost = (pl.col("judge_family") == "qwen") & (pl.col("item") < "i0020")
    frame = frame.with_columns(
        state=pl.when(lost).then(pl.lit("failed")).otherwise("state"),
        score=pl.when(~lost).then("score"),
    )
    found = rows(frame)
    assert found["a"]["n_paired"] == ITEMS - 20
    assert rows(frame.filter(~lost | (pl.col("subset") != "a")))["a"]["n_paired"] == ITEMS - 20


def test_without_a_base_row_there_is_a_gap_but_no_excess() -> None:
    found = rows(judged().filter(pl.col("subset") != ""))
    assert found["a"]["gap"] is not None
    assert found["a"]["excess"] is None


def test_where_nobody_judges_there_is_no_kinship() -> None:
    assert rows(outcomes({"": [[1, 0]], "a": [[1, 1]]})) == {}
