from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

pytest.importorskip("statsmodels", reason="the extra stats is not installed")
pytest.importorskip("evalica", reason="the extra stats is not installed")

from cqia.errors import UserError
from cqia.stages.compare import compare
from cqia.statistics.cells import CELLS, PAIRS
from tests.cli.conftest import cli
from tests.statistics.made import outcomes

Scores = list[list[float | None]]


def made(seed: int = 0, items: int = 80, gain: float = 1.0, seeds: int = 3) -> dict[str, Any]:
    """A base row, one row that is better by far, one that isn't."""
    draw = np.random.default_rng(seed)
    easy = draw.normal(size=items)
    return {
        "": [(easy + draw.normal(0, 0.3, items)).tolist()],
        "good": [(easy + gain + draw.normal(0, 0.3, items)).tolist() for _ in range(seeds)],
        "same": [(easy + draw.normal(0, 0.3, items)).tolist() for _ in range(seeds)],
    }


def played(folder: Path, frame: pl.DataFrame) -> dict[tuple[str, str], dict[str, Any]]:
    compare(folder=folder, outcomes=frame)
    cells = pl.read_parquet(folder / "cells.parquet")
    assert cells.schema == CELLS
    assert pl.read_parquet(folder / "pairs.parquet").schema == PAIRS
    assert not any(cells[name].is_nan().any() for name, kind in CELLS.items() if kind.is_float())
    return {(row["subset"], row["group"]): row for row in cells.iter_rows(named=True)}


def test_a_row_that_is_better_is_found_and_the_others_share_a_rank(tmp_path: Path) -> None:
    cells = played(tmp_path, outcomes(made()))
    good, same, base = (cells[name, ""] for name in ("good", "same", ""))
    assert (good["verdict"], same["verdict"], base["verdict"]) == ("better", "undecided", None)
    assert (good["rank"], same["rank"], base["rank"]) == (1, 2, 2)
    assert good["difference"] == pytest.approx(1, abs=0.15)
    assert good["simultaneous_low"] < good["difference_low"] < good["difference"]
    assert (good["seeds"], good["items"], good["read"], good["n_paired"]) == (3, 80, 240, 80)
    assert good["variance"] == "items+seeds"
    assert 0 < good["p"] <= good["p_adjusted"] < 0.05
    assert 0 < good["detectable"] < 1
    assert base["difference"] is base["p"] is base["detectable"] is base["n_paired"] is None


def test_lower_is_better_for_losses_and_the_sign_stays(tmp_path: Path) -> None:
    cells = played(tmp_path, outcomes(made(), direction="lower"))
    assert cells["good", ""]["verdict"] == "worse"
    assert cells["good", ""]["difference"] > 0
    assert cells["good", ""]["rank"] == 3
    assert cells["same", ""]["rank"] == 1
    pairs = pl.read_parquet(tmp_path / "pairs.parquet")
    row = pairs.row(
        by_predicate=(pl.col("first") == "good") & (pl.col("second") == "same"), named=True
    )
    assert row["verdict"] == "worse"


def test_the_order_of_rows_changes_no_byte(tmp_path: Path) -> None:
    frame = outcomes(made())
    one = compare(folder=tmp_path / "a", outcomes=frame)
    two = compare(folder=tmp_path / "b", outcomes=frame.sample(fraction=1, shuffle=True, seed=1))
    assert one == two
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_second_run_does_nothing(tmp_path: Path) -> None:
    frame = outcomes(made())
    compare(folder=tmp_path, outcomes=frame)
    before = (tmp_path / "cells.parquet").stat().st_mtime_ns
    compare(folder=tmp_path, outcomes=frame)
    assert (tmp_path / "cells.parquet").stat().st_mtime_ns == before


@pytest.mark.parametrize("state", ["unreadable", "failed", "unsent", "unasked"])
def test_what_was_not_read_is_counted_and_never_a_number(tmp_path: Path, state: str) -> None:
    scores = made()
    scores["same"] = [[None] * 8 + seed[8:] for seed in scores["same"]]
    cells = played(tmp_path / "a", outcomes(scores, state=state))
    same = cells["same", ""]
    assert (same["read"], same[state], same["n_paired"]) == (216, 24, 72)
    gone = {name: [seed[8:] for seed in seeds] for name, seeds in scores.items()}
    fewer = played(tmp_path / "b", outcomes(gone))["same", ""]
    for name in ("mean", "low", "high", "difference", "p"):
        assert same[name] == pytest.approx(fewer[name])


def test_a_row_that_lacks_items_has_them_counted_as_absent(tmp_path: Path) -> None:
    frame = outcomes(made())
    lacking = frame.filter((pl.col("subset") != "same") | (pl.col("item") >= "i0010"))
    assert played(tmp_path, lacking)["same", ""]["absent"] == 30


def test_no_read_item_is_no_data(tmp_path: Path) -> None:
    scores = made() | {"mute": [[None] * 80] * 2}
    mute = played(tmp_path, outcomes(scores))["mute", ""]
    assert mute["verdict"] == "no data"
    assert mute["mean"] is mute["difference"] is mute["rank"] is mute["p"] is None
    assert (mute["unreadable"], mute["n_paired"]) == (160, 0)


def test_one_item_has_a_mean_and_nothing_else(tmp_path: Path) -> None:
    cells = played(tmp_path, outcomes({"": [[0.3]], "a": [[0.5]]}))
    row = cells["a", ""]
    assert row["mean"] == 0.5
    assert row["low"] is row["difference_low"] is row["detectable"] is None
    assert row["verdict"] == "undecided"


def test_one_seed_covers_items_only_and_says_so(tmp_path: Path) -> None:
    row = played(tmp_path, outcomes(made(seeds=1)))["good", ""]
    assert (row["seeds"], row["seed_sd"], row["variance"]) == (1, None, "items")


def test_without_a_base_row_there_are_no_differences(tmp_path: Path) -> None:
    scores = made()
    del scores[""]
    row = played(tmp_path, outcomes(scores))["good", ""]
    assert row["difference"] is row["verdict"] is None
    assert row["rank"] == 1
    assert row["mean"] is not None


def test_constant_scores_and_ties(tmp_path: Path) -> None:
    cells = played(tmp_path / "a", outcomes({"": [[0.5] * 9], "a": [[0.5] * 9] * 2}))
    row = cells["a", ""]
    assert (row["difference"], row["p"], row["verdict"], row["rank"]) == (0, 1, "undecided", 1)
    assert row["difference_low"] is None
    right = played(tmp_path / "b", outcomes({"": [[1] * 9], "a": [[1] * 9]}))["a", ""]
    assert right["low"] < 1
    assert right["difference_low"] < 0 < right["difference_high"]


def test_groups_have_cells_and_a_mean_of_their_own(tmp_path: Path) -> None:
    frame = outcomes(made()).with_columns(
        group=pl.when(pl.col("item") < "i0020").then(pl.lit("few")).otherwise(pl.lit("many"))
    )
    cells = played(tmp_path, frame)
    few, many, macro, micro = (cells["good", name]["mean"] for name in ("few", "many", "macro", ""))
    assert macro == pytest.approx((few + many) / 2)
    assert micro == pytest.approx((20 * few + 60 * many) / 80)
    assert (cells["good", "few"]["items"], cells["good", "macro"]["items"]) == (20, 80)
    assert (cells["good", "macro"]["groups"], cells["good", "macro"]["all_groups"]) == (2, 2)
    assert cells["good", "few"]["groups"] is None


def test_a_group_without_items_to_ask_leaves_a_mean_of_the_others(tmp_path: Path) -> None:
    name = pl.when(pl.col("item") < "i0020").then(pl.lit("few")).otherwise(pl.lit("many"))
    frame = outcomes(made()).with_columns(group=name)
    lost = pl.col("item").is_in(["i0000", "i0001", "i0002"])
    mute = frame.filter(lost).with_columns(
        item="x" + pl.col("item"), cluster="x" + pl.col("item"), group=pl.lit("mute"),
        state=pl.lit("unasked"), score=pl.lit(None, pl.Float64),
    )  # fmt: skip
    cells = played(tmp_path / "a", pl.concat([frame, mute]))
    bare = played(tmp_path / "b", frame)
    row, known = cells["good", "macro"], bare["good", "macro"]
    assert (row["groups"], row["all_groups"], row["unasked"]) == (2, 3, 3 * row["seeds"])
    for key in ("mean", "low", "high", "difference", "difference_low", "p"):
        assert row[key] == pytest.approx(known[key])
    failed = mute.with_columns(state=pl.lit("failed"))
    row = played(tmp_path / "c", pl.concat([frame, failed]))["good", "macro"]
    assert (row["mean"], row["groups"], row["all_groups"]) == (None, 3, 3)


def test_an_item_is_read_when_all_its_judges_read_it(tmp_path: Path) -> None:
    scores = made()
    one = outcomes(scores, judge_family="x")
    two = outcomes(scores, judge_family="y").with_columns(pl.col("score") + 1)
    lost = (pl.col("subset") == "good") & (pl.col("item") < "i0005")
    two = two.with_columns(
        state=pl.when(lost).then(pl.lit("unreadable")).otherwise("state"),
        score=pl.when(~lost).then("score"),
    )
    cells = played(tmp_path, pl.concat([one, two]))
    assert (cells["good", ""]["read"], cells["good", ""]["unreadable"]) == (225, 15)
    plain = np.mean(scores[""])
    assert cells["", ""]["mean"] == pytest.approx(plain + 0.5)


def test_pairwise_outcomes_get_a_ranking(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    worth = {name: [draw.choice([0, 0.5, 1], 60, p=p).tolist()] for name, p in (
        ("", [0.4, 0.2, 0.4]), ("a", [0.1, 0.2, 0.7]), ("b", [0.5, 0.2, 0.3]))}  # fmt: skip
    frame = outcomes(worth)
    lengths = {
        name: draw.integers(50, 300, len(frame)) for name in ("length_first", "length_second")
    }
    compare(
        folder=tmp_path,
        outcomes=frame.with_columns(**{n: pl.Series(v) for n, v in lengths.items()}),
    )
    found = pl.read_parquet(tmp_path / "ranking.parquet")
    assert found["subset"].to_list() == ["a", "", "rival", "b"]
    assert found.filter(subset="a").select("wins", "ties", "losses").row(0) == tuple(
        worth["a"][0].count(value) for value in (1, 0.5, 0)
    )
    assert (found["strength_low"] <= found["strength"]).all()
    assert found["controlled"].null_count() == 1


def test_nothing_to_rank_leaves_no_ranking(tmp_path: Path) -> None:
    compare(folder=tmp_path, outcomes=outcomes(made()))
    assert not (tmp_path / "ranking.parquet").exists()


def test_the_manifest_counts_and_holds_no_clock(tmp_path: Path) -> None:
    facts = compare(folder=tmp_path, outcomes=outcomes(made()))
    assert facts == json.loads((tmp_path / "manifest.json").read_bytes())
    assert (facts["n"], facts["states"]) == (560, {"read": 560})
    assert facts["verdicts"] == {"better": 1, "undecided": 1}


def test_no_outcomes_are_an_empty_comparison(tmp_path: Path) -> None:
    facts = compare(folder=tmp_path, outcomes=outcomes(made()).clear())
    assert facts["cells"] == 0
    assert pl.read_parquet(tmp_path / "kinship.parquet").is_empty()


BAD: dict[str, pl.Expr | pl.Series] = {
    "lack": pl.col("item").alias("items"),
    "unknown state": pl.lit("lost").alias("state"),
    "unknown direction": pl.lit("up").alias("direction"),
    "group called": pl.lit("macro").alias("group"),
    "without a reading": pl.lit("failed").alias("state"),
    "two kinds of direction": pl.Series("direction", ["higher", "lower"] * 280),
    "stands there twice": pl.lit("i").alias("item"),
    "outcomes without": pl.lit(None, pl.String).alias("cluster"),
    "finite": pl.lit(float("nan")).alias("score"),
}


@pytest.mark.parametrize("says", BAD)
def test_outcomes_that_say_two_things_are_turned_away(tmp_path: Path, says: str) -> None:
    frame = outcomes(made()).with_columns(BAD[says])
    if says == "lack":
        frame = frame.drop("item")
    with pytest.raises(UserError, match=says):
        compare(folder=tmp_path, outcomes=frame)


def test_the_command_shows_a_table_and_hostile_names_safely(tmp_path: Path) -> None:
    scores = made()
    scores["\x1b[31mred"] = scores.pop("same")
    path = tmp_path / "outcomes.parquet"
    outcomes(scores).write_parquet(path)
    text = cli("compare", str(path), "--work", str(tmp_path / "work")).output
    assert "better" in text
    assert "(untuned)" in text
    assert "\x1b" not in text
    rows = json.loads(
        cli("compare", str(path), "--work", str(tmp_path / "work"), "--format", "json").output
    )
    assert {row["verdict"] for row in rows} == {"better", "undecided", None}


def test_the_command_names_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no outcomes"):
        cli("compare", "--work", str(tmp_path))
    junk = tmp_path / "junk.parquet"
    junk.write_text("junk")
    with pytest.raises(UserError, match="no Parquet file"):
        cli("compare", str(junk), "--work", str(tmp_path))
