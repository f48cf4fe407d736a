from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cqia.auditing.audit import kinds
from cqia.cli.main import cqia
from tests.cli.conftest import cli

ROW = {
    "instruction": "怎样煮粥？",
    "output": "先洗米\u200b，再加水，小火慢煮到软烂。",
    "source": "甲",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    return path


def test_findings_are_told_with_their_places(file: Path, tmp_path: Path) -> None:
    said = cli("audit", str(file), "--to", str(tmp_path / "a"), "--examples", "1").stdout
    assert "invisible" in said
    assert "⟨U+200B⟩" in said
    row = json.loads((tmp_path / "a" / "findings.jsonl").read_text())
    assert (row["line"], row["path"], row["kind"]) == (1, "output", "invisible")
    assert json.loads((tmp_path / "a" / "summary.json").read_text())[0]["records"] == 1


def test_programs_get_the_summary_alone(file: Path, tmp_path: Path) -> None:
    said = cli("audit", str(file), "--to", str(tmp_path / "a"), "--format", "json").stdout
    assert [row["kind"] for row in json.loads(said)] == ["invisible"]


def test_fix_writes_a_copy_and_leaves_the_file(file: Path, tmp_path: Path) -> None:
    before = file.read_bytes()
    said = cli("audit", str(file), "--to", str(tmp_path / "a"), "--fix").stdout
    assert "mended" in said
    assert file.read_bytes() == before
    copy = json.loads((tmp_path / "a" / "fixed" / "some.jsonl").read_text())
    assert copy["output"] == ROW["output"].replace("\u200b", "")
    assert "changes.jsonl" in said


@pytest.mark.parametrize(("level", "code"), [("error", 0), ("warning", 1), ("note", 1)])
def test_a_bad_dataset_can_fail_a_build(level: str, code: int, file: Path, tmp_path: Path) -> None:
    arguments = ["audit", str(file), "--to", str(tmp_path / "a"), "--fail-on", level]
    assert CliRunner().invoke(cqia, arguments).exit_code == code


def test_every_kind_is_listed() -> None:
    said = cli("audit", "--kinds").stdout
    assert all(kind in said for kind in kinds())


def test_hostile_text_does_not_reach_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "evil.jsonl"
    evil = "\x1b]0;x\x07\x1b[31m红\u202e反"
    path.write_text(json.dumps({"instruction": evil, "output": evil + "&lt;", evil: evil}))
    said = cli("audit", str(path), "--to", str(tmp_path / "a"), "--examples", "9", "--fix").stdout
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_a_threshold_out_of_bounds(file: Path, tmp_path: Path) -> None:
    arguments = ["audit", str(file), "--to", str(tmp_path / "a"), "--threshold", "1.5"]
    result = CliRunner().invoke(cqia, arguments)
    assert result.exit_code == 2
    assert "above 0, up to 1" in result.output
