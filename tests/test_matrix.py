"""A small statement played to its end: a proxy of one layer, two sources, a control, a judge."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from cqia import account, matrix, store
from cqia.errors import UserError
from cqia.llm.protocol import Failure, Outcome, Request
from cqia.llm.scripted import Scripted
from cqia.play import no_bar
from cqia.settings import load
from cqia.stages.assemble import assemble
from cqia.statement import Statement, read
from cqia.training.proxy import SHAPES, Shape
from tests.workbench import cure, rows

for extra in ("torch", "trl", "statsmodels", "plotly"):
    pytest.importorskip(extra, reason="the extras train, stats and plot are not installed")

pytestmark = pytest.mark.xdist_group("matrix")
"""The tests go on from what those before them trained."""

TOML = """
[statement]
seeds = [1, 2]
amount = 20

[[statement.base]]
name = "proxy"
preset = "proxy-tiny"
tokens = 6000

[[statement.subset]]
name = "tang"

[[statement.subset]]
name = "song"

[[statement.subset]]
name = "spoilt"
sources = ["tang"]
control = "shuffle"

[statement.tuning]
epochs = 1
learning_rate = 5e-3
batch = 4
max_tokens = 128

[[statement.benchmark]]
name = "held-out"
benchmark = "reference-loss"
held_out = true

[statement.attribution]
pairs = true
"""
JUDGED = """
[[statement.benchmark]]
name = "belle-eval"
files = ["set.json", "prompt.json"]
judges = ["scripted"]
options = { max_tokens = 8 }

[[statement.benchmark]]
name = "duels"
benchmark = "pairwise"
files = ["set.json"]
judges = ["scripted"]
against = ["proxy"]
options = { max_tokens = 8 }
"""
LINES = ("床前明月光疑是地上霜", "春眠不觉晓处处闻啼鸟", "明月几时有把酒问青天")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("m") / "work"
    for name, line in (("tang", LINES[0]), ("song", LINES[2])):
        more = {"output": lambda n, line=line: line[n % 5 :] + line * 2 + "。" * (n % 3)}
        cure(place, name, rows(60, more, start=0 if name == "tang" else 100))
    assemble(work=place, validation=0.3)
    return place


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = Shape(layers=1, width=32, heads=2, vocabulary=300, context=192)
    monkeypatch.setitem(SHAPES, "proxy-tiny", shape)


def statement(folder: Path, text: str = TOML) -> Statement:
    path = folder / "x.toml"
    path.write_text(text, encoding="utf-8")
    table = load(path)
    found = read(table.table("statement"), path, ["song", "tang"])
    table.close()
    return found


def play(work: Path, said: Statement) -> dict[str, store.Facts]:
    steps = matrix.play(work, said, ["song", "tang"], name="small", bar=no_bar)
    return {one.stage: one.facts for one in steps}


def test_from_rows_to_the_report_and_a_second_run_does_nothing(work: Path, tmp_path: Path) -> None:
    said = statement(tmp_path)
    steps = play(work, said)
    assert steps["rows"] == {"rows": 9, "done": 9, "failed": 0, "incomplete": 0}
    cells = pl.read_parquet(work / "compare" / "cells.parquet")
    own = cells.filter(subset="tang", group="tang").row(0, named=True)
    assert own["seeds"] == 2
    assert own["difference"] < 0
    assert cells.filter(subset="", group="").row(0, named=True)["difference"] is None
    assert cells["unreadable"].sum() == 0
    spoilt = cells.filter(subset="spoilt", group="tang")["difference"].item()
    assert spoilt > own["difference"]
    pairs = pl.read_parquet(work / "attribute" / "pairs.parquet")
    assert set(pairs["pair"]) == {"tang+song"}
    page = (work / "report" / "report.html").read_text("utf-8")
    assert "tang" in page
    told = store.read_json(work / "statement" / "manifest.json")
    assert told["proxy"] is True
    assert {one["name"]: one["records"] for one in told["subsets"]}["tang"] == 20
    kept = {path: path.stat().st_mtime_ns for path in work.glob("train/**/*.safetensors")}
    assert len(kept) == 8
    again = play(work, said)
    assert again["compare"] == steps["compare"]
    assert {path: path.stat().st_mtime_ns for path in work.glob("train/**/*.safetensors")} == kept


def test_a_row_whose_requests_failed_is_not_done(work: Path, tmp_path: Path) -> None:
    said = statement(tmp_path)
    play(work, said)
    path = work / "statement" / "rows" / "proxy" / "tang" / "1.json"
    store.write_json(path, {**store.read_json(path), "incomplete": ["held-out"]})
    assert play(work, said)["rows"]["incomplete"] == 0
    assert store.read_json(path)["incomplete"] == []


def test_a_row_that_fails_is_told_and_the_others_go_on(work: Path, tmp_path: Path) -> None:
    play(work, statement(tmp_path))
    path = work / "statement" / "rows" / "proxy" / "tang" / "1.json"
    facts = store.read_json(path)
    store.write_json(path, {**facts, "state": "failed", "error": "made up"})
    strict = TOML.replace("max_tokens = 128", 'max_tokens = 90\nover_long = "error"')
    steps = play(work, statement(tmp_path, strict.replace("[1, 2]", "[9]")))
    assert steps["rows"]["failed"] == 1
    assert steps["rows"]["done"] == 4
    failed = store.read_json(work / "statement" / "rows" / "proxy" / "spoilt" / "9.json")
    assert "can't be trained on" in failed["error"]
    assert "spoilt" in (work / "report" / "report.html").read_text("utf-8")
    mended = play(work, statement(tmp_path))
    assert mended["rows"]["failed"] == 0
    assert store.read_json(path)["state"] == "done"


def judged(folder: Path) -> Statement:
    questions = [
        {"question": f"第{n}题？", "std_answer": "答。", "class": "open qa"} for n in range(4)
    ]
    prompts = [{"class": "open QA", "prompt": '请按"得分:"的形式打分。'}]
    for name, lines in (("set.json", questions), ("prompt.json", prompts)):
        body = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines)
        (folder / name).write_text(body, encoding="utf-8")
    return statement(folder, TOML.partition("[statement.attribution]")[0] + JUDGED)


def test_a_judge_reads_every_row_and_its_family_is_told(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(self: Scripted, request: Request) -> Outcome:
        return Failure("busy", "429")

    said = judged(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(Scripted, "generate", busy)
        assert play(work, said)["rows"]["incomplete"] == 7 + 6
    steps = play(work, said)
    assert steps["rows"] == {"rows": 7, "done": 7, "failed": 0, "incomplete": 0}
    outcomes = pl.read_parquet(work / "statement" / "outcomes.parquet")
    belle = outcomes.filter(benchmark="belle-eval")
    assert len(belle) == 4 * 7
    assert set(belle["judge_family"]) == {"scripted"}
    duels = outcomes.filter(benchmark="duels")
    assert len(duels) == 4 * 6
    assert set(duels["group"]) == set(duels["opponent"]) == {"proxy"}
    ranking = pl.read_parquet(work / "compare" / "ranking.parquet")
    assert set(ranking["subset"]) == {"tang", "song", "spoilt", "proxy"}
    assert ranking.filter(subset="proxy")["verdicts"].item() == 0
    assert set(belle["state"]) == {"read"}
    page = (work / "report" / "report.html").read_text("utf-8")
    assert "scripted model" in page
    assert "means nothing" in page


def test_an_unknown_judge_is_told_before_anything_is_trained(work: Path, tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text("", encoding="utf-8")
    for name in ("set.json", "prompt.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    text = TOML + JUDGED.replace("scripted", "nobody")
    unwanted = TOML.replace("held_out = true", 'held_out = true\nagainst = ["proxy"]')
    with pytest.raises(UserError, match="'held-out' compares nothing"):
        play(work, statement(tmp_path, unwanted))
    with pytest.raises(UserError, match="unknown model 'nobody'"):
        play(work, statement(tmp_path, text.replace("seeds = [1, 2]", "seeds = [77]")))
    assert not list(work.glob("train/proxy/*/77"))


def test_the_plan_counts_rows_and_items(work: Path, tmp_path: Path) -> None:
    said = account.plan(work, statement(tmp_path), ["song", "tang"])
    told = dict(said.iter_rows())
    assert told["rows"] == "9: 8 to train, 1 as they are"
    assert "items a row" in told["held-out"]
