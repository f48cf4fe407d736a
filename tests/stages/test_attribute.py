from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from cqia.errors import UserError
from cqia.stages.attribute import attribute, design, mixed, together, without
from cqia.statistics.mixtures import random_mixtures

SOURCES = ["a", "b", "c"]


def subset(name: str, **more: object) -> dict[str, Any]:
    plain = {"name": name, "sources": [name], "weights": {}, "control": "", "kind": "subset"}
    return {**plain, **more}


def mixture(name: str, shares: Iterable[float], kind: str = "mixture") -> dict[str, Any]:
    return subset(name, weights=dict(zip(SOURCES, shares, strict=True)), kind=kind)


def cells(values: dict[str, float], direction: str = "lower") -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"base": "p", "benchmark": "x", "group": "g", "direction": direction, "subset": name}
            | {"difference": value, "difference_low": value - 0.1, "difference_high": value + 0.1}
            for name, value in values.items()
        ]
    )


def test_designs_hold_plain_sources_and_their_mixtures_only() -> None:
    given = [
        *(subset(name) for name in SOURCES),
        subset("spoilt", sources=["a"], control="swap"),
        subset("random", sources=[], kind="random"),
        mixture("m", [2, 1, 1]),
    ]
    sources, weights = design(given)
    assert sources == SOURCES
    assert weights == {"a": [1, 0, 0], "b": [0, 1, 0], "c": [0, 0, 1], "m": [0.5, 0.25, 0.25]}


def test_what_a_source_adds_is_turned_so_that_more_is_better() -> None:
    pairs = pl.DataFrame(
        {
            "base": "p",
            "benchmark": "x",
            "group": "g",
            "direction": ["lower", "higher"],
            "first": "all-even",
            "second": ["without-a", "without-b"],
            "n_paired": 9,
            "difference": [-0.5, 2.0],
            "difference_low": [-0.7, 1.0],
            "difference_high": [-0.2, 3.0],
            "p_adjusted": 0.01,
        }
    )
    given = [mixture("without-a", [0, 1, 1], "without"), mixture("without-b", [1, 0, 1], "without")]
    found = without(pairs, given).select("source", "adds", "low", "high").rows()
    assert found == [("a", 0.5, 0.2, 0.7), ("b", 2.0, 1.0, 3.0)]


def test_a_pair_against_the_mean_of_each_alone() -> None:
    given = [subset("a"), subset("b"), subset("a+b", sources=["a", "b"], kind="pair")]
    found = together(cells({"a": -1.0, "b": -3.0, "a+b": -2.5}), given)
    assert found["more_than_mean"].to_list() == [0.5]
    assert len(together(cells({"a": -1.0}), [subset("a")])) == 0


def test_the_regression_finds_which_source_helps_and_checks_it() -> None:
    shares = random_mixtures(3, 20, seed=1)
    truth = np.array([-1.0, 0.2, 0.5])
    given = [subset(name) for name in SOURCES]
    given += [mixture(f"m{n}", row) for n, row in enumerate(shares)]
    values = dict(zip(SOURCES, truth, strict=True))
    values |= {f"m{n}": float(row @ truth) for n, row in enumerate(shares)}
    effects, best, skipped = mixed(cells(values), given)
    assert skipped == 0
    value = dict(effects.select("source", "predicted").iter_rows())
    assert value["a"] == pytest.approx(1.0, abs=0.05)
    assert value["c"] == pytest.approx(-0.5, abs=0.05)
    row = best.row(0, named=True)
    assert row["learnt"]
    assert row["shares"][0] > 0.9
    assert row["checked"] is None
    shares_of = dict(zip(SOURCES, row["shares"], strict=True))
    given.append(subset("check-x-g", weights=shares_of, kind="mixture"))
    checked = mixed(cells(values | {"check-x-g": -0.9}), given)[1].row(0, named=True)
    assert (checked["checked"], checked["checked_low"]) == (0.9, pytest.approx(0.8))
    assert checked["checked_high"] == pytest.approx(1.0)
    assert checked["predicted"] == row["predicted"]


def test_too_few_rows_are_no_regression() -> None:
    effects, best, skipped = mixed(cells({"a": 1.0, "b": 2.0}), [subset("a"), subset("b")])
    assert skipped == 0
    few = [*(subset(name) for name in SOURCES), mixture("m", [1, 1, 1])]
    assert mixed(cells({"a": 1.0, "m": 2.0}), few)[2] == 1
    assert len(effects) == len(best) == 0


def test_nothing_was_played(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no statement was played here"):
        attribute(tmp_path)
