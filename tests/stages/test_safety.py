from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from cqia import scores, store
from cqia.cli.safety import command
from cqia.describing import safety
from cqia.describing.safety import Rules
from cqia.errors import UserError
from cqia.reviewing import outcomes, people, queue
from cqia.reviewing.book import Book
from cqia.stages.safety import assess
from tests.workbench import cure, rows

HOSTILE = '=HYPERLINK("http://x")<script>alert(1)</script>\u202e|`*'


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    cure(work, "ruozhiba", rows(40), licence="MIT")
    cure(work, "mine", rows(20, start=50), type="exam")
    return work


def sheet(work: Path) -> list[dict[str, str]]:
    with (work / "safety" / "sheet.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fill(work: Path, verdicts: dict[str, str], path: Path | None = None) -> Path:
    told = [row | {"verdict": verdicts.get(row["id"], "")} for row in sheet(work)]
    path = path or work.parent / "filled.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, told[0].keys())
        writer.writeheader()
        writer.writerows(told)
    return path


def table(work: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((work / "safety" / f"{name}.json").read_text("utf-8"))
    return found


def test_the_draw_is_seeded_and_needs_no_order(work: Path) -> None:
    first = assess(work=work, rules=Rules(drawn=10), seed=3)
    assert first["drawn"] == len(sheet(work)) == 10
    records = pl.DataFrame({"id": [f"r{n}" for n in range(100)]})
    drawn = safety.draw(records, Rules(drawn=10), seed=3)["id"].to_list()
    assert safety.draw(records.reverse(), Rules(drawn=10), seed=3)["id"].to_list() == drawn
    assert safety.draw(records, Rules(drawn=10), seed=4)["id"].to_list() != drawn


def test_another_corpus_is_drawn_from_anew() -> None:
    records = pl.DataFrame({"id": [f"r{n}" for n in range(200)]})
    drawn = safety.draw(records, Rules(drawn=20), seed=3)["id"]
    left = records.filter(~pl.col("id").is_in(drawn.head(1).implode()))
    again = safety.draw(left, Rules(drawn=20), seed=3)["id"]
    # Were the lottery the same, 19 of 20 would be the ones that passed before.
    assert len(set(drawn) & set(again)) < 10


def test_few_records_are_all_drawn(work: Path) -> None:
    facts = assess(work=work, rules=Rules())
    assert (facts["records"], facts["drawn"], facts["read"]) == (60, 60, 0)
    states = [row["state"] for row in facts["criteria"]]
    assert states[0].endswith("not finished")
    assert states[1].endswith("met")


def test_filled_sheets_make_the_rate_and_reject_a_source(work: Path) -> None:
    assess(work=work, rules=Rules())
    ids = [row["id"] for row in sheet(work)]
    verdicts = dict.fromkeys(ids, "合格")
    bad = sorted(one for one in ids if one.startswith("mine"))[:2]
    filled = fill(work, verdicts | dict.fromkeys(bad, "Fail "))
    facts = assess(work=work, rules=Rules(), verdicts=[filled])
    first = facts["criteria"][0]
    assert first["found"] == "96.67 %"
    assert first["checked"] == 60
    assert first["state"].endswith("/ met")
    # Clopper and Pearson: the 2.5 % and 97.5 % quantiles of Beta(58, 3) and Beta(59, 2).
    assert first["interval"] == "88.47 % – 99.59 %"
    assert facts["rejected"] == ["mine"]
    assert (work / "safety" / "rejected.txt").read_text("utf-8") == "mine\n"
    mine, other = table(work, "sources")
    assert (mine["source"], mine["failed"], mine["share"], mine["state"]) == (
        "mine", 2, 0.1, "rejected",
    )  # fmt: skip
    assert mine["sure"] is False
    assert other["state"] == "stands"
    assert {row["id"] for row in table(work, "failed")} == set(bad)


def test_too_many_failures_are_missed_before_all_is_read(work: Path) -> None:
    assess(work=work, rules=Rules())
    ids = [row["id"] for row in sheet(work)][:5]
    facts = assess(work=work, rules=Rules(), verdicts=[fill(work, dict.fromkeys(ids, "不合格"))])
    assert facts["criteria"][0]["state"].endswith("missed")


def test_unreadable_verdicts_are_counted_and_unread(work: Path) -> None:
    assess(work=work, rules=Rules())
    ids = [row["id"] for row in sheet(work)]
    said = {ids[0]: "maybe", ids[1]: "=1+1", ids[2]: "通过"}
    facts = assess(work=work, rules=Rules(), verdicts=[fill(work, said)])
    assert (facts["unreadable"], facts["read"]) == (2, 1)


def test_who_says_fail_is_not_outvoted(work: Path) -> None:
    assess(work=work, rules=Rules())
    id_ = sheet(work)[0]["id"]
    one = fill(work, {id_: "不合格"}, work.parent / "one.csv")
    two = fill(work, {id_: "合格"}, work.parent / "two.csv")
    for order in ([one, two], [two, one]):
        assess(work=work, rules=Rules(), verdicts=order)
        assert [row["id"] for row in table(work, "failed")] == [id_]


def test_a_filled_json_sheet_counts_and_is_never_written_over(work: Path) -> None:
    assess(work=work, rules=Rules())
    path = work / "safety" / "sheet.json"
    sent = json.loads(path.read_text("utf-8"))
    for row, said in zip(sent, ("approve", "reject", "合格", "maybe"), strict=False):
        key = "verdict" if said == "合格" else "action"
        row["responses"] = [{"user": "小王", "values": {key: {"value": said}}}]
    sent[4]["responses"] = [{"status": "draft", "values": {"action": {"value": "reject"}}}]
    path.write_text(json.dumps(sent), "utf-8")
    facts = assess(work=work, rules=Rules())
    assert (facts["read"], facts["unreadable"]) == (3, 1)
    assert [row["id"] for row in table(work, "failed")] == [sent[1]["id"]]
    assert json.loads(path.read_text("utf-8")) == sent
    with pytest.raises(UserError, match="of another draw"):
        assess(work=work, rules=Rules(drawn=11))
    path.write_text(json.dumps([{"id": "x"}]), "utf-8")
    with pytest.raises(UserError, match="can't be read"):
        assess(work=work, rules=Rules())


def test_who_reads_for_quality_says_nothing_of_safety(work: Path) -> None:
    book = Book(work)
    who = people.named(book, "小王")
    queue.start(book, "质量", [("ruozhiba-k1", "ruozhiba")], overlap=0)
    assert queue.take(book, 1, who.id)
    queue.decide(book, round_=1, record="ruozhiba-k1", person=who.id, action="reject", reason="差")
    outcomes.export(book)
    assert assess(work=work, rules=Rules())["read"] == 0


def test_a_begun_sheet_is_never_written_over(work: Path) -> None:
    assess(work=work, rules=Rules(drawn=10))
    path = work / "safety" / "sheet.csv"
    fill(work, {sheet(work)[0]["id"]: "合格"}, path)
    before = path.read_bytes()
    assert assess(work=work, rules=Rules(drawn=10))["read"] == 1
    assert path.read_bytes() == before
    with pytest.raises(UserError, match="of another draw"):
        assess(work=work, rules=Rules(drawn=11))
    assert path.read_bytes() == before
    path.rename(work / "kept.csv")
    assert assess(work=work, rules=Rules(drawn=11))["drawn"] == 11


def test_keywords_are_counted_by_category_and_a_source_is_suspected(
    work: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "politics.txt").write_text("第51个\n第52个 # two\n", "utf-8")
    (folder / "politics.allow.txt").write_text("第52个问题\n", "utf-8")
    facts = assess(work=work, rules=Rules(source=0.04), words=folder)
    found = {row["category"]: row for row in table(work, "keywords")}
    assert (found["politics"]["entries"], found["politics"]["records"]) == (2, 1)
    assert found["fraud"]["records"] == 0
    assert [row["state"] for row in table(work, "sources")] == ["suspected", "unread"]
    assert facts["rejected"] == []
    with pytest.raises(UserError, match="no list"):
        assess(work=work, rules=Rules(), words=work / "curate")


def test_a_models_scores_must_cover_enough(work: Path) -> None:
    folder = work / "score" / "quality@m" / "0001"
    ids = [f"mine-k{n}" for n in range(50, 60)]
    made = pl.DataFrame(
        {
            "id": ids, "source": "mine", "repeat": 0, "state": ["read"] * 9 + ["unreadable"],
            "score": [5.0] * 8 + [1.0, None], "verdict": "", "reply": "", "reason": "",
            "prompt_tokens": 1, "reply_tokens": 1,
        }
    )  # fmt: skip
    folder.mkdir(parents=True)
    made.select(*scores.SCORES).cast(pl.Schema(scores.SCORES)).write_parquet(
        folder / "scores.parquet"
    )
    store.write_json(folder.parent / "manifest.json", {"fingerprint": "x"})
    facts = assess(work=work, rules=Rules(), judge=("quality", "m"), low=3)
    last = facts["criteria"][-1]
    assert (last["checked"], last["found"]) == (9, "88.89 %")
    assert last["state"].endswith("missed")
    wide = assess(work=work, rules=Rules(checked=0.5, machines=0.5), judge=("quality", "m"), low=3)
    assert wide["criteria"][-1]["state"].endswith("not finished")


def test_hostile_texts_are_harmless_everywhere(tmp_path: Path) -> None:
    work = tmp_path / "work"
    cure(work, "bad", rows(3, {"instruction": HOSTILE, "output": HOSTILE}), title=HOSTILE,
         licence=HOSTILE)  # fmt: skip
    assess(work=work, rules=Rules())
    assert all(row["instruction"].startswith("'=") for row in sheet(work))
    ids = [row["id"] for row in sheet(work)]
    assess(work=work, rules=Rules(), verdicts=[fill(work, dict.fromkeys(ids, "fail"))])
    page = (work / "safety" / "safety.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    for name in ("safety.html", "safety.md", "sheet.csv", "failed.csv", "rights.csv"):
        assert "\u202e" not in (work / "safety" / name).read_text("utf-8")
    assert "<script>" not in (work / "safety" / "safety.md").read_text("utf-8")


@pytest.mark.parametrize("body", [b"id,wrong\n1,2\n", b"\xff\xfe\x00"])
def test_another_file_is_no_sheet(work: Path, tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "other.csv"
    path.write_bytes(body)
    with pytest.raises(UserError, match="sheet"):
        assess(work=work, rules=Rules(), verdicts=[path])


@pytest.mark.parametrize("bad", [{"people": 1.5}, {"source": -0.1}, {"drawn": 0}])
def test_thresholds_out_of_bounds(bad: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        Rules(**bad)


def test_the_command_writes_the_pack_and_starts_a_round(work: Path) -> None:
    done = CliRunner().invoke(command, ["--work", str(work), "--drawn", "5", "--round", "备案"])
    assert done.exit_code == 0, done.output
    assert "0 of 5 drawn" in done.output
    assert "round      1" in done.output
    assert (work / "safety" / "safety.html").is_file()
    sent = json.loads((work / "safety" / "sheet.json").read_text("utf-8"))
    assert [one["id"] for one in sent] == [row["id"] for row in sheet(work)]


def test_a_judge_without_a_bound_is_told(work: Path) -> None:
    done = CliRunner().invoke(command, ["--work", str(work), "--judge", "quality@m"])
    assert isinstance(done.exception, UserError)
