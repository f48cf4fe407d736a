"""The verbs that ask models, end to end through the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiohttp", reason="the extra llm is not installed")

from cqia.errors import UserError
from tests.cli.conftest import cli
from tests.llm.batch_server import Batches
from tests.llm.server import Stub, serve, serving

SECRET = "sk-not-to-be-seen-0123456789"
GOOD = "先把问题读一遍，再按顺序回答，就不会漏掉什么。"


def verdict(score: float) -> str:
    whole = {
        "分析": "看过了。",
        "可回答": True,
        "有启发": True,
        "自足": True,
        "安全": True,
        "得分": score,
    }
    return json.dumps(whole, ensure_ascii=False)


def models(place: Path, stub: Stub, monkeypatch: pytest.MonkeyPatch, **more: object) -> Path:
    monkeypatch.setenv("STUB_KEY", SECRET)
    given = {"name": "stub", "url": stub.url, "key": "STUB_KEY", "family": "qwen", "retries": 0}
    lines = [f"{key} = {json.dumps(value)}" for key, value in (given | more).items()]
    path = place / "models.toml"
    path.write_text("[[model]]\n" + "\n".join(lines) + "\nprice = { prompt = 1.0, reply = 2.0 }\n")
    return path


def amounts(output: str) -> dict[str, Any]:
    rows = json.loads(output)
    return {row["what"]: row.get("amount", row.get("records", row.get("requests"))) for row in rows}


def no_key(*places: Path) -> bool:
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert files
    return not any(SECRET.encode() in path.read_bytes() for path in files)


def mean(text: str) -> float:
    """A score that depends on the question, from 4.5 to 9.5."""
    return 4.5 + sum(text.encode()) % 51 / 10


def test_ruozhiba_scored_cut_cut_again_and_reported_without_asking_twice(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real questions: score, threshold, answer, report; then another threshold, nothing sent."""
    work, cache = tmp_path / "work", tmp_path / "replies.sqlite"
    lines = (data / "ruozhiba_qa" / "questions.jsonl").read_text("utf-8").splitlines()
    bare = [{name: json.loads(one)[name] for name in ("id", "question")} for one in lines]
    raw = tmp_path / "questions.jsonl"
    raw.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in bare), "utf-8")
    cli("curate", "ruozhiba", str(raw), "--work", str(work))
    with serve(lambda asked, _: f"say {GOOD if '待答' in asked else verdict(mean(asked))}") as stub:
        path = models(tmp_path, stub, monkeypatch, concurrency=64)
        common = ["--work", str(work), "--format", "json"]
        asking = [*common, "--model", "stub", "--models", str(path), "--cache", str(cache)]
        (row,) = json.loads(cli("score", "instruction", *asking).output)
        assert row["read"] == row["records"] == row["n"] > 1_200
        fit, chosen = {}, {}
        for bound in ("8", "7"):
            answers = ["answer", *asking, "--min-score", f"instruction@stub={bound}"]
            sent = stub.asked.total()
            ahead = amounts(cli(*answers, "--dry-run").output)
            assert stub.asked.total() == sent
            found = amounts(cli(*answers).output)
            assert found["read"] == int(ahead["requests"]) + int(ahead["cached"])
            assert stub.asked.total() == sent + int(ahead["requests"])
            fit[bound] = found["read"]
        assert 0 < fit["8"] < fit["7"] < row["records"]
        sent = stub.asked.total()
        for bound in ("9", "7"):
            cut = ["--min-score", f"instruction@stub={bound}", "--answers", "stub"]
            found = amounts(cli("assemble", *cut, *common).output)
            chosen[bound] = found["chosen"]
            assert found["chosen"] + found["left"] == found["candidates"] == row["records"]
            cli("describe", "--work", str(work))
            told = (work / "describe" / "sources.md").read_text("utf-8")
            assert f"{chosen[bound]:,}" in told
        assert 0 < chosen["9"] < chosen["7"] == fit["7"]
        cli("score", "instruction", *asking)
        assert stub.asked.total() == sent
        assert set(stub.paid.values()) == {1}
    made = (work / "dataset" / "release" / "ruozhiba" / "ruozhiba.jsonl").read_text("utf-8")
    assert len(made.splitlines()) == chosen["7"]
    assert made.count(GOOD) == chosen["7"]
    assert no_key(tmp_path)


def test_answers_are_drafted_from_notes_and_assembled(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve(lambda *_: f"say {GOOD}") as stub:
        path = models(tmp_path, stub, monkeypatch)
        asking = ["--model", "stub", "--models", str(path), "--cache", str(tmp_path / "r.sqlite")]
        common = ["--work", str(work), "--format", "json"]
        first = amounts(cli("answer", *asking, *common).output)
        assert first["read"] == first["records without an answer"] > 0
        before = amounts(cli("assemble", *common).output)
        after = amounts(cli("assemble", "--answers", "stub", *common).output)
        assert after["chosen"] == before["chosen"] + first["read"]
        assert "left: NoAnswer" not in after
        told = cli("answer", *asking, "--work", str(work)).output
        assert "0 requests sent" in told
        assert "cqia assemble --answers stub" in told
    assert no_key(work)


def test_a_batch_is_submitted_collected_and_then_nothing_is_sent(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Batches(status="in_progress")) as stub:
        path = models(tmp_path, stub, monkeypatch)
        asking = ["--model", "stub", "--models", str(path), "--cache", str(tmp_path / "r.sqlite")]
        command = ["score", "instruction", *asking, "--work", str(work), "--source", "ruozhiba"]
        first = amounts(cli(*command, "--batch", "--format", "json").output)
        assert first["submitted"] == first["asked"] > 0
        assert "the same command later" in cli(*command, "--batch").output
        stub.status = "completed"
        assert "without --batch: it sends nothing" in cli(*command, "--batch").output
        assert "0 requests sent" in cli(*command).output
        assert not stub.bodies
        assert len(stub.made) == 1
    assert no_key(tmp_path)
    with pytest.raises(UserError, match="has no batches"):
        cli("score", "quality", "--model", "scripted", "--work", str(work), "--batch",
            "--cache", str(tmp_path / "r.sqlite"))  # fmt: skip


def test_a_judge_is_attacked(tmp_path: Path) -> None:
    pytest.importorskip("statsmodels", reason="the extra stats is not installed")
    common = ["quality", "--model", "scripted", "--work", str(tmp_path / "w"), "--each", "1",
              "--cache", str(tmp_path / "r.sqlite")]  # fmt: skip
    ahead = amounts(cli("attack", *common, "--dry-run", "--format", "json").output)
    told = cli("attack", *common).output
    assert f"{ahead['requests']} requests sent" in told
    assert "SCRIPTED" in told
    assert "neutral" in told
    assert "0 requests sent" in cli("attack", *common).output
    with pytest.raises(UserError, match="unknown judge"):
        cli("attack", "qualty", "--model", "scripted")


def test_an_unaffordable_or_unknown_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text('[[model]]\nname = "x"\nurl = "http://127.0.0.1:9/v1"\n')
    for verb in (["answer"], ["attack", "quality"]):
        with pytest.raises(UserError, match="--max-cost can't hold"):
            cli(*verb, "--model", "x", "--models", str(path), "--max-cost", "1",
                "--work", str(tmp_path))  # fmt: skip
        with pytest.raises(UserError, match="unknown model"):
            cli(*verb, "--model", "y", "--models", str(path), "--work", str(tmp_path))


BROKEN = """
import sys
import cqia.llm.ask
from cqia.cli.main import main

def broken(*_):
    raise RuntimeError("a bug")

cqia.llm.ask._count = broken
main()
"""


def test_no_key_is_in_a_traceback_or_what_is_printed(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when a bug ends the run, nor when the endpoint throws the key back at us."""
    with serve(lambda *_: "500") as stub:
        path = models(tmp_path, stub, monkeypatch)
        asking = ["score", "instruction", "--work", str(work), "--model", "stub", "--models", str(path),
                  "--cache", str(tmp_path / "r.sqlite")]  # fmt: skip
        told = cli(*asking).output
        assert "not complete" in told
        command = [sys.executable, "-c", BROKEN, *asking, "--source", "ruozhiba"]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert "RuntimeError: a bug" in ended.stderr
        assert stub.headers[-1]["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in told + ended.stdout + ended.stderr
    assert no_key(tmp_path)
