from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cqia import decisions, store
from cqia.errors import UserError
from cqia.exporters.chosen import opened
from cqia.stages.assemble import assemble
from cqia.stages.describe import describe
from tests.workbench import cure, doubles, rows


def decide(work: Path, *found: dict[str, object]) -> None:
    blank = {name: None for name in decisions.DECISIONS} | {"verified": False, "raters": 1}
    told = [blank | {"source": "one", "reason": "看过", "by": "甲"} | one for one in found]
    frame = pl.DataFrame(told, schema=decisions.DECISIONS)
    store.write_frame(work / decisions.QUEUE, frame)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Ten records, k3 of them too short for the recipe, k5 a duplicate."""
    work = tmp_path / "work"
    more = {"output": lambda n: "短" if n == 3 else f"  答案{n} "}
    cure(work, "one", rows(10, more))
    doubles(work, ["one-k5"])
    return work


def chosen(work: Path) -> set[str]:
    return set(pl.read_parquet(work / "assemble" / "chosen.parquet")["id"])


def test_without_decisions_nothing_is_different(work: Path) -> None:
    facts = assemble(work=work)
    assert (facts["kept"], facts["candidates"], facts["reviewed"]) == (9, 8, "")


def test_a_dropped_record_comes_back_with_its_cleaned_text(work: Path) -> None:
    decide(work, {"id": "one-k3", "verdict": "restore"})
    facts = assemble(work=work)
    assert (facts["kept"], facts["duplicates"], facts["chosen"]) == (10, 1, 9)
    texts = pl.concat([rows for _, rows in opened(work).batches("one")])
    assert texts.filter(id="one-k3")["output"].item() == "短"


def test_a_duplicate_comes_back(work: Path) -> None:
    decide(work, {"id": "one-k5", "verdict": "restore"})
    facts = assemble(work=work)
    assert (facts["kept"], facts["duplicates"], facts["candidates"]) == (9, 0, 9)


def test_a_record_turned_away_by_hand_is_left_with_its_rule(work: Path) -> None:
    decide(work, {"id": "one-k1", "verdict": "drop"})
    facts = assemble(work=work)
    assert facts["rules"] == {"Reviewed": 1}
    assert facts["candidates"] == facts["chosen"] + facts["left"] == 8
    assert "one-k1" not in chosen(work)


def test_a_mended_text_stands_in_the_dataset_and_is_verified(work: Path) -> None:
    decide(work, {"id": "one-k2", "verdict": "keep", "verified": True, "new_output": "改过的答案"})
    assemble(work=work)
    texts = pl.concat([rows for _, rows in opened(work).batches("one")])
    row = texts.filter(id="one-k2").row(0, named=True)
    assert (row["output"], row["human_verified"]) == ("改过的答案", True)
    assert texts["human_verified"].sum() == 1


def test_decisions_of_ids_that_are_gone_do_no_harm(work: Path) -> None:
    decide(work, {"id": "nobody", "verdict": "restore"}, {"id": "no-one", "verdict": "drop"})
    assert assemble(work=work)["chosen"] == 8


def test_a_later_decision_makes_the_dataset_stale(work: Path) -> None:
    assemble(work=work)
    decide(work, {"id": "one-k1", "verdict": "drop"})
    with pytest.raises(UserError, match="people decided"):
        opened(work)
    with pytest.raises(UserError, match="assemble is older"):
        describe(work=work)


def test_the_funnel_adds_up_with_decisions(work: Path) -> None:
    decide(
        work,
        {"id": "one-k3", "verdict": "restore"},
        {"id": "one-k5", "verdict": "restore"},
        {"id": "one-k1", "verdict": "drop"},
    )
    assemble(work=work)
    assert describe(work=work)["records"] == 9
    said = (work / "describe" / "funnel.csv").read_text("utf-8")
    assert "review,brought back by hand,-1,10" in said
    assert "assemble,Reviewed,1,9" in said


def test_another_file_in_their_place_is_refused(work: Path) -> None:
    store.write_frame(work / decisions.QUEUE, pl.DataFrame({"id": ["one-k1"]}))
    with pytest.raises(UserError, match="no table of decisions"):
        assemble(work=work)


def test_letting_a_record_stand_brings_nothing_back(work: Path) -> None:
    decide(work, {"id": "one-k3", "verdict": "keep", "verified": True})
    assert "one-k3" not in (assemble(work=work), chosen(work))[1]
