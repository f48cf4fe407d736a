from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqia import paper, store
from cqia.errors import UserError
from cqia.exporters.chosen import opened
from cqia.stages.assemble import Take, assemble
from cqia.stages.dedup import dedup
from cqia.stages.describe import PERCENTILES, _statistics, describe
from tests.workbench import cure, doubles, rows


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    mixed = rows(17, {"human_verified": lambda n: n < 4}) + rows(3, {"output": "x"}, start=17)
    cure(work, "ruozhiba", [*mixed, {"key": "bad", "output": "有答无问"}])
    cure(work, "mine", rows(10, {"answer_from": "llm"}, start=50), type="exam", title="题|库")
    return work


def table(work: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        (work / "describe" / f"{name}.json").read_text("utf-8")
    )
    return found


def test_kept_records_are_described_when_nothing_else_ran(work: Path) -> None:
    facts = describe(work=work)
    assert facts["described"] == "curate"
    assert facts["records"] == 27
    first, second, total = table(work, "sources")
    assert first | {"characters": 0} == {
        "type": "社交媒体与论坛",
        "source": "ruozhiba",
        "title": "标题",
        "records": 17,
        "characters": 0,
        "paper": 240,
        "answer_from": "human 17",
        "human_verified": pytest.approx(4 / 17),
        "licence": "not stated",
        "origin": "https://example.org",
    }
    assert second["type"] == "考试"
    assert second["paper"] is None
    assert second["answer_from"] == "llm 10"
    assert total["records"] == 27
    assert total["characters"] == first["characters"] + second["characters"]
    assert total["paper"] is None
    assert total["answer_from"] == "human 17, llm 10"


def test_the_tables_stand_in_three_formats_at_the_paths_told(work: Path) -> None:
    facts = describe(work=work)
    assert set(facts["tables"]) == {"sources", "lengths", "funnel"}
    for paths in facts["tables"].values():
        assert set(paths) == {"md", "csv", "json"}
        with Path(paths["csv"]).open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file))
        assert len(found) == len(json.loads(Path(paths["json"]).read_text("utf-8")))
        assert len(Path(paths["md"]).read_text("utf-8").splitlines()) == len(found) + 2


def test_lengths_are_those_of_the_texts(work: Path) -> None:
    describe(work=work)
    found = {(row["source"], row["text"]): row for row in table(work, "lengths")}
    assert list(found) == [
        (source, text)
        for source in ("ruozhiba", "mine", "total")
        for text in ("instruction+input", "output")
    ]
    outputs = pl.Series([2 + number % 7 for number in range(50, 60)])
    row = found["mine", "output"]
    assert row["n"] == 10
    assert row["mean"] == outputs.mean()
    assert row["sd"] == pytest.approx(outputs.std())
    assert row["median"] == outputs.median()
    assert row["p95"] == pytest.approx(outputs.quantile(0.95, "linear"))
    assert row["max"] == 8
    assert found["mine", "instruction+input"]["max"] == len("第50个问题是什么")
    assert found["total", "output"]["n"] == 27


def test_the_funnel_runs_from_items_to_the_dataset(work: Path) -> None:
    doubles(work, ["ruozhiba-k1", "ruozhiba-k2"])
    assemble(work=work, takes=[Take(source="ruozhiba", amount=6)])
    assert describe(work=work)["described"] == "assemble"
    rows_ = [tuple(row.values()) for row in table(work, "funnel")]
    assert rows_ == [
        ("ruozhiba", "read", "items", None, 21),
        ("ruozhiba", "read", "unreadable", 1, 20),
        ("ruozhiba", "read", "records", None, 20),
        ("ruozhiba", "curate", "Length.output", 3, 17),
        ("ruozhiba", "dedup", "NearDuplicate", 2, 15),
        ("ruozhiba", "assemble", "NotSampled", 9, 6),
        ("ruozhiba", "assemble", "in the dataset", None, 6),
        ("mine", "read", "items", None, 10),
        ("mine", "read", "unreadable", 0, 10),
        ("mine", "read", "records", None, 10),
        ("mine", "assemble", "NotTaken", 10, 0),
        ("mine", "assemble", "in the dataset", None, 0),
    ]
    first, second, total = table(work, "sources")
    assert (first["records"], second["records"], total["records"]) == (6, 0, 6)
    assert second["human_verified"] is None


def test_what_dedup_left_is_described_before_assemble(work: Path) -> None:
    doubles(work, ["mine-k50"])
    facts = describe(work=work)
    assert (facts["described"], facts["records"]) == ("dedup", 26)


@given(st.lists(st.integers(0, 200), max_size=60))
def test_counted_lengths_have_the_statistics_of_a_list(lengths: list[int]) -> None:
    counted = pl.DataFrame({"length": lengths}).group_by("length").agg(n=pl.len())
    found, each = _statistics(counted), pl.Series(lengths, dtype=pl.Int64)
    assert (found["n"], found["mean"], found["max"]) == (len(each), each.mean(), each.max())
    assert found["sd"] == (None if len(each) < 2 else pytest.approx(each.std()))
    for percent in PERCENTILES:
        told = found["median" if percent == 50 else f"p{percent}"]
        wanted = each.quantile(percent / 100, interpolation="linear")
        assert told == (None if wanted is None else pytest.approx(wanted))


def test_many_parts_tell_what_one_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = rows(
        300,
        {"output": lambda n: "".join(map(chr, range(0x4E00 + n % 90 * 99, 0x4E20 + n % 90 * 100)))},
    )
    found = []
    for place, size in (("one", 1 << 25), ("many", 4_000)):
        monkeypatch.setattr("cqia.raw.plan.TASK_BYTES", size)
        work = tmp_path / place
        cure(work, "mine", lines)
        dedup(work=work, near="output", threshold=0.9)
        told = [describe(work=work)["records"], table(work, "lengths")]
        assemble(work=work, takes=[Take(source="mine", amount=30)])
        told += [describe(work=work)["records"], table(work, "lengths"), table(work, "sources")]
        batches = [batch for _, batch in opened(work).batches("mine")]
        told.append(pl.concat(batches)["id"].to_list())
        found.append(told)
        parts = store.parts(work / "curate" / "mine")
        assert (len(parts) > 5) == (place == "many")
    assert found[0] == found[1]
    assert (30 < found[0][0] < 300, found[0][2], len(found[0][-1])) == (True, 30, 30)


def test_a_table_without_parts_is_one_line(work: Path) -> None:
    doubles(work, ["mine-k50"])
    table = work / "dedup" / "dropped.parquet"
    store.write_frame(table, pl.read_parquet(table).drop("part"))
    with pytest.raises(UserError, match="an older cqia wrote this; run: cqia dedup --work"):
        describe(work=work)


def test_a_stage_older_than_its_inputs_is_refused(work: Path) -> None:
    assemble(work=work)
    doubles(work, ["mine-k50"])
    with pytest.raises(UserError, match="assemble is older"):
        describe(work=work)
    cure(work, "mine", rows(3))
    with pytest.raises(UserError, match="dedup is older"):
        describe(work=work)


def test_numbers_that_do_not_add_up_are_no_table(work: Path) -> None:
    manifest = work / "curate" / "mine" / "manifest.json"
    facts = store.read_json(manifest)
    store.write_json(manifest, {**facts, "rules": {"Length.output": 1}})
    with pytest.raises(RuntimeError, match="the rules leave 9 records, kept are 10"):
        describe(work=work)
    part = next((work / "curate" / "mine").glob("*/kept.parquet"))
    store.write_json(manifest, facts)
    store.write_frame(part, pl.read_parquet(part).head(9))
    with pytest.raises(RuntimeError, match="leaves 10 records, there are 9"):
        describe(work=work)


def test_another_folder_is_not_emptied(work: Path, tmp_path: Path) -> None:
    mine = tmp_path / "tables"
    mine.mkdir()
    (mine / "manifest.json").write_text("mine")
    describe(work=work, folder=mine)
    assert (mine / "manifest.json").read_text() == "mine"
    assert (mine / "sources.md").exists()
    assert not (work / "describe").exists()


def test_describing_twice_writes_the_same_bytes(work: Path) -> None:
    def made() -> dict[str, bytes]:
        describe(work=work)
        return {file.name: file.read_bytes() for file in (work / "describe").iterdir()}

    assert made() == made()


def test_nothing_curated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing was curated"):
        describe(work=tmp_path)


def test_a_source_that_kept_nothing_is_described(tmp_path: Path) -> None:
    work = tmp_path / "work"
    cure(work, "one", rows(2, {"output": "x"}))
    assert describe(work=work)["records"] == 0
    assert table(work, "lengths")[0]["mean"] is None


def test_the_papers_rows_add_up_to_its_total() -> None:
    assert len(paper.TABLE_1) == 22
    assert sum(row.quantity for row in paper.TABLE_1) == paper.TOTAL == 48_375
    assert {row.type for row in paper.TABLE_1} == set(paper.TYPES)
    assert len({row.source for row in paper.TABLE_1}) == 22
    assert paper.quantity("zhihu") == 8_837
    assert paper.quantity("mine") is None


def test_the_funnel_of_a_dataset_made_without_dedup(work: Path) -> None:
    assemble(work=work)
    facts = describe(work=work)
    assert facts["described"] == "assemble"
    assert not [row for row in table(work, "funnel") if row["stage"] == "dedup"]


def test_the_source_table_sums_up_types_of_several_sources(tmp_path: Path) -> None:
    for number, (name, kind) in enumerate(
        (("poem", "nlp"), ("zhihu", "social"), ("xhs", "social"), ("ruozhiba", "social"))
    ):
        cure(tmp_path, name, rows(3 + number, start=number * 100), type=kind)
    describe(work=tmp_path)
    shown = [(r["type"], r["source"], r["records"], r["paper"]) for r in table(tmp_path, "sources")]
    assert shown == [
        ("社交媒体与论坛", "zhihu", 4, 8_837),
        ("社交媒体与论坛", "xhs", 5, 1_508),
        ("社交媒体与论坛", "ruozhiba", 6, 240),
        ("社交媒体与论坛", "", 15, 1_508 + 8_837),
        ("NLP 数据集", "poem", 3, 47),
        ("total", "", 18, 1_508 + 8_837 + 47),
    ]
