from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cqia import store
from cqia.errors import UserError
from cqia.exporters.catalogue import EXPORTERS
from cqia.exporters.release import KEYS, NO_COPYRIGHT, NO_METADATA, Release
from cqia.ledger import scan
from cqia.record import SCHEMA
from cqia.stages.assemble import Take, assemble, export
from tests.workbench import cure, kept, rows

HOSTILE = '第一行\n第二行\t"引号" \\ \x00\x0b\x7f\u2028\u0085 👩‍👩‍👧 =1+1 </s> 𠀀'
TURNS = [{"instruction": "早", "output": "您好"}, {"instruction": "吃了？", "output": "吃了"}]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    talk = {
        "history": lambda n: TURNS if n == 7 else [],
        "system": lambda n: "你是助手" if n in (7, 8) else "",
        "input": lambda n: "附文" if n in (7, 9) else "",
        "output": lambda n: HOSTILE if n == 5 else f"答案{n}",
        "task_minor": lambda n: ["知乎问答"] if n > 15 else [],
        "metadata": lambda n: "qid:1" if n == 1 else "",
        "copyright": lambda n: "某人" if n == 1 else "",
    }
    cure(work, "zhihu", rows(20, talk), title="知乎")
    cure(work, "wiki_a", rows(12, start=100), family="wiki", type="knowledge")
    cure(work, "wiki_b", rows(12, {"domain": ["电"]}, start=200), family="wiki", type="knowledge")
    assemble(work=work, validation=0.25, seed=1)
    return work


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


def test_the_release_has_nine_keys_in_order_and_a_file_a_source(work: Path, tmp_path: Path) -> None:
    export(work=work, folder=tmp_path / "out")
    release = tmp_path / "out" / "release"
    assert sorted(str(p.relative_to(release)) for p in release.rglob("*") if p.is_file()) == [
        "README.md",
        "wiki/wiki_a.jsonl",
        "wiki/wiki_a.validation.jsonl",
        "wiki/wiki_b.jsonl",
        "wiki/wiki_b.validation.jsonl",
        "zhihu/zhihu.jsonl",
        "zhihu/zhihu.validation.jsonl",
    ]
    found = lines(release / "zhihu/zhihu.jsonl") + lines(release / "zhihu/zhihu.validation.jsonl")
    assert all(tuple(record) == KEYS for record in found)
    assert len(found) == 20
    by_output = {record["output"]: record for record in found}
    assert by_output[HOSTILE]["input"] == ""
    assert by_output["答案1"]["metadata"] == "qid:1"
    assert by_output["答案1"]["copyright"] == "某人"
    assert by_output["答案2"]["metadata"] == NO_METADATA == "暂无元数据信息"
    assert by_output["答案2"]["copyright"] == NO_COPYRIGHT == "暂无版权及作者信息"
    assert by_output["答案16"]["task_type"] == {"major": [], "minor": ["知乎问答"]}
    assert by_output["答案7"]["input"] == (
        "系统：你是助手\n用户：早\n助手：您好\n用户：吃了？\n助手：吃了\n\n附文"
    )
    assert by_output["答案8"]["input"] == "系统：你是助手"
    assert by_output["答案9"]["input"] == "附文"


def test_text_is_written_as_utf8_not_as_escapes(work: Path, tmp_path: Path) -> None:
    export(work=work, folder=tmp_path / "out")
    raw = (tmp_path / "out/release/zhihu/zhihu.jsonl").read_bytes()
    assert "个问题是什么".encode() in raw
    assert b"\\u4e2a" not in raw


def test_alpaca_keeps_turns_in_a_file_of_their_own(work: Path, tmp_path: Path) -> None:
    export(work=work, folder=tmp_path / "out", formats=["alpaca"])
    folder = tmp_path / "out" / "alpaca"
    info = json.loads((folder / "dataset_info.json").read_text())
    several = next(file for file in folder.glob("*-turns.jsonl"))
    (record,) = lines(several)
    assert record["history"] == [["早", "您好"], ["吃了？", "吃了"]]
    assert record["system"] == "你是助手"
    entry = info[f"cqia_{several.stem.replace('-', '_')}"]
    assert entry["file_name"] == several.name
    assert set(entry["columns"].values()) == set(record)
    assert {one["file_name"] for one in info.values()} == {
        file.name for file in folder.glob("*.jsonl")
    }
    for record in lines(folder / "train.jsonl"):
        assert list(record) == ["instruction", "input", "output", "system"]


def test_conversations_hold_every_turn_in_order(work: Path, tmp_path: Path) -> None:
    export(work=work, folder=tmp_path / "out", formats=["sharegpt", "messages"])
    found: dict[str, list[Any]] = {}
    for name in ("sharegpt", "messages"):
        files = sorted((tmp_path / "out" / name).glob("*.jsonl"))
        found[name] = [record for file in files for record in lines(file)]
        assert len(found[name]) == 44
    talk = next(r["messages"] for r in found["messages"] if len(r["messages"]) > 3)
    assert [m["role"] for m in talk] == ["system", *["user", "assistant"] * 3]
    assert [m["content"] for m in talk] == [
        "你是助手",
        *("早", "您好", "吃了？", "吃了", "第7个问题是什么\n附文", "答案7"),
    ]
    share = next(r for r in found["sharegpt"] if len(r["conversations"]) > 3)
    assert [turn["value"] for turn in share["conversations"]] == [m["content"] for m in talk[1:]]
    assert [turn["from"] for turn in share["conversations"]] == ["human", "gpt"] * 3
    assert share["system"] == "你是助手"
    for record in found["messages"]:
        roles = [message["role"] for message in record["messages"] if message["role"] != "system"]
        assert roles == ["user", "assistant"] * (len(roles) // 2)


def test_parquet_holds_the_records_as_they_are(work: Path, tmp_path: Path) -> None:
    export(work=work, folder=tmp_path / "out", formats=["parquet"])
    files = sorted((tmp_path / "out" / "parquet").glob("*.parquet"))
    assert [file.name for file in files] == ["train.parquet", "validation.parquet"]
    found = pl.concat(pl.read_parquet(file) for file in files).sort("id")
    wanted = pl.concat(scan(work, name, "kept").collect() for name in ("zhihu", "wiki_a", "wiki_b"))
    assert dict(found.schema) == SCHEMA | {"writer": pl.String}
    assert found["writer"].to_list() == found["answer_from"].to_list()
    found = found.drop("writer")
    assert found.equals(wanted.sort("id"))


@pytest.mark.parametrize("name", sorted(EXPORTERS))
def test_files_are_the_same_bytes_when_made_again(name: str, work: Path, tmp_path: Path) -> None:
    made = []
    for out in (tmp_path / "a", tmp_path / "b"):
        export(work=work, folder=out, formats=[name])
        made.append(
            {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}
        )
    assert made[0] == made[1]


@pytest.mark.parametrize("name", ["release", "alpaca", "sharegpt", "messages"])
def test_datasets_opens_it_unchanged(
    name: str, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    datasets = pytest.importorskip("datasets", reason="needs the package datasets")
    datasets.disable_progress_bars()
    export(work=work, folder=tmp_path / "out", formats=[name])
    folder, cache = tmp_path / "out" / name, str(tmp_path / "cache")
    if name != "release":
        for file in folder.glob("*.jsonl"):
            found = datasets.load_dataset(
                "json", data_files=str(file), split="train", cache_dir=cache
            )
            assert found.to_list() == lines(file)
        return
    assert datasets.get_dataset_config_names(str(folder)) == ["zhihu", "wiki"]
    for config, sources in {"zhihu": ["zhihu"], "wiki": ["wiki_a", "wiki_b"]}.items():
        found = datasets.load_dataset(str(folder), config, cache_dir=cache)
        assert list(found) == ["train", "validation"]
        for split, suffix in (("train", ""), ("validation", ".validation")):
            wanted = [one for s in sources for one in lines(folder / config / f"{s}{suffix}.jsonl")]
            assert found[split].to_list() == wanted
            assert tuple(found[split].column_names) == KEYS


def test_a_second_export_writes_nothing_and_another_dataset_writes_anew(
    work: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export(work=work, folder=out, formats=["alpaca"])
    file = out / "alpaca" / "train.jsonl"
    before = file.stat().st_ino
    facts = export(work=work, folder=out, formats=["alpaca"])
    assert file.stat().st_ino == before
    assert sum(facts["formats"]["alpaca"]["files"].values()) == 44
    file.write_bytes(b"cut")
    export(work=work, folder=out, formats=["alpaca"])
    assert len(lines(file)) > 20
    assemble(work=work, takes=[Take(source="zhihu", amount=3)])
    export(work=work, folder=out, formats=["alpaca"])
    assert sum(len(lines(one)) for one in (out / "alpaca").glob("*.jsonl")) == 3


def test_a_folder_that_holds_something_else_is_left_alone(work: Path, tmp_path: Path) -> None:
    mine = tmp_path / "out" / "release" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("dear")
    with pytest.raises(UserError, match="holds something else"):
        export(work=work, folder=tmp_path / "out")
    assert mine.read_text() == "dear"


def test_what_can_be_mended_is_said(work: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean alpaca"):
        export(work=work, folder=tmp_path / "out", formats=["alpacca"])
    cure(work, "late", rows(3))
    with pytest.raises(UserError, match="run: cqia assemble"):
        export(work=work, folder=tmp_path / "out")
    with pytest.raises(UserError, match="nothing was assembled"):
        export(work=tmp_path / "none", folder=tmp_path / "out")


def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    work = tmp_path / "work"
    cure(work, "one", rows(3), family="../up")
    assemble(work=work)
    with pytest.raises(UserError, match="part of a file's name"):
        export(work=work, folder=tmp_path / "out")
    assert not (tmp_path / "out" / "release").exists()


def test_a_lost_record_breaks_the_conservation(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = next((work / "curate/zhihu").glob("*/kept.parquet"))
    store.write_frame(part, pl.read_parquet(part).head(5))
    with pytest.raises(RuntimeError, match="chosen 44"):
        export(work=work, folder=tmp_path / "out")
    assert not (tmp_path / "out" / "release").exists()


def test_an_empty_dataset_is_written(tmp_path: Path) -> None:
    work = tmp_path / "work"
    cure(work, "one", rows(3, {"output": "x"}))
    assemble(work=work)
    assert kept(work, "one") == []
    export(work=work, folder=tmp_path / "out", formats=list(EXPORTERS))
    assert (tmp_path / "out" / "release" / "README.md").exists()


def test_exporters_are_told_by_their_names() -> None:
    assert list(EXPORTERS) == ["release", "alpaca", "sharegpt", "messages", "parquet"]
    assert EXPORTERS["release"] == Release()
