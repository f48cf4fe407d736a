from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cqia.exporters.card import card
from cqia.exporters.chosen import opened
from cqia.stages.assemble import Take, assemble
from tests.workbench import TURN_ROW, cure, doubles, rows

yaml = pytest.importorskip("yaml", reason="needs PyYAML to read the front matter")


def parts(text: str) -> tuple[dict[str, Any], str]:
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def made(work: Path, takes: list[Take] | None = None, validation: float = 0.0) -> str:
    assemble(work=work, takes=takes or [], validation=validation)
    return card(opened(work))


def test_the_front_matter_lists_every_file_once(tmp_path: Path) -> None:
    work = tmp_path / "work"
    cure(work, "one", rows(20), family="fam")
    cure(work, "two", rows(20, start=50), family="fam")
    cure(work, "three", rows(20, start=90), family="other", type="exam")
    front, _ = parts(made(work, validation=0.2))
    assert front["license"] == "other"
    assert front["language"] == ["zh"]
    assert front["task_categories"] == ["text-generation"]
    assert front["size_categories"] == ["n<1K"]
    assert [one["config_name"] for one in front["configs"]] == ["fam", "other"]
    assert front["configs"][0]["data_files"] == [
        {"split": "train", "path": ["fam/one.jsonl", "fam/two.jsonl"]},
        {"split": "validation", "path": ["fam/one.validation.jsonl", "fam/two.validation.jsonl"]},
    ]
    assert [one["config_name"] for one in front["dataset_info"]] == ["fam", "other"]


def test_the_tables_add_up(tmp_path: Path) -> None:
    work = tmp_path / "work"
    mixed = rows(19) + rows(1, {"output": "x"}, start=19)
    cure(work, "one", mixed, type="knowledge", title="甲")
    cure(work, "two", rows(10, start=50), title="乙")
    doubles(work, ["one-k3"])
    _, body = parts(made(work, [Take(source="one", amount=5), Take(source="two")]))
    assert "15 records from 2 sources. Splits: train 15." in body
    assert "| one | 20 | 0 | 20 | 1 | 1 | 13 | 5 |" in body
    assert "Dropped: Length.output 1." in body
    social, knowledge = body.index("社交媒体与论坛"), body.index("世界知识")
    assert social < knowledge
    assert "Duplicates were not looked for" not in body


def test_what_the_release_has_no_key_for_is_counted(tmp_path: Path) -> None:
    work = tmp_path / "work"
    talk = {"history": lambda n: [TURN_ROW] if n < 2 else [], "system": lambda n: "s" * (n < 3)}
    cure(work, "one", rows(9, talk))
    _, body = parts(made(work))
    assert "2 records have earlier turns and 3 a system text" in body
    assert "Duplicates were not looked for." in body


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    work = tmp_path / "work"
    bad = '---\n"x": [1] | <b>`y`</b> \x1b[31m\u202e# z'
    cure(work, "one", rows(3), title=bad, licence=bad)
    text = made(work)
    front, body = parts(text)
    assert set(front) == {
        "license",
        "language",
        "task_categories",
        "size_categories",
        "configs",
        "dataset_info",
    }
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "<b>" not in body
    table = next(line for line in body.splitlines() if "| one |" in line)
    assert table.replace("\\|", "").count("|") == 10


def test_a_dataset_without_records_has_a_card(tmp_path: Path) -> None:
    work = tmp_path / "work"
    cure(work, "one", rows(3, {"output": "x"}))
    front, body = parts(made(work))
    assert "configs" not in front
    assert "0 records from 0 sources. Splits: none." in body
