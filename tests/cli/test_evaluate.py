from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from cqia.cli.evaluate import local_name
from cqia.errors import UserError
from tests.cli.conftest import cli

QUESTIONS = [
    {"id": n, "question": f"第{n}问", "options": ["是。", "否。"], "category": "Mental Health"}
    for n in range(1, 5)
]
ANSWERS = {str(n): {"category": "Mental Health", "answer": n % 2} for n in range(1, 5)}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data" / "safetybench"
    folder.mkdir(parents=True)
    for name, body in (
        ("test_zh_subset.json", QUESTIONS),
        ("test_answers_zh_subset.json", ANSWERS),
    ):
        (folder / name).write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
    return tmp_path / "data"


def evaluate(tmp_path: Path, *arguments: str) -> str:
    places = ("--work", str(tmp_path / "work"), "--cache", str(tmp_path / "r.sqlite"))
    return cli("evaluate", *arguments, "--data-folder", str(tmp_path / "data"), *places).output


@pytest.mark.usefixtures("data")
def test_a_table_with_n_and_what_scripted_means(tmp_path: Path) -> None:
    told = evaluate(tmp_path, "safetybench", "--model", "scripted")
    assert "Mental Health" in told
    assert "unreadable" in told
    assert "a missing answer counts as wrong" in told
    assert "SCRIPTED" in told
    (place,) = (tmp_path / "work" / "evaluate").iterdir()
    assert place.name == "safetybench-logprob-0shot@scripted"
    assert len(pl.read_parquet(place / "outcomes.parquet")) == 4


@pytest.mark.usefixtures("data")
def test_generation_lists_what_the_extractors_read_differently(tmp_path: Path) -> None:
    told = evaluate(tmp_path, "safetybench", "--model", "scripted", "--mode", "generate")
    assert "SCRIPTED" in told
    (place,) = (tmp_path / "work" / "evaluate").iterdir()
    assert set(pl.read_parquet(place / "outcomes.parquet")["state"]) == {"read"}


@pytest.mark.usefixtures("data")
def test_ahead_nothing_is_written(tmp_path: Path) -> None:
    told = evaluate(tmp_path, "safetybench", "--model", "scripted", "--dry-run", "--limit", "3")
    assert "requests" in told
    assert not (tmp_path / "work").exists()


@pytest.mark.usefixtures("data")
def test_the_submission_file(tmp_path: Path) -> None:
    place = tmp_path / "submission.json"
    evaluate(tmp_path, "safetybench", "--model", "scripted", "--submission", str(place))
    found = json.loads(place.read_bytes())
    assert set(found) <= {"1", "2", "3", "4"}
    assert set(found.values()) <= {0, 1}


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("format_", ["json", "csv", "md"])
def test_every_format_stands_alone(tmp_path: Path, format_: str) -> None:
    told = evaluate(tmp_path, "safetybench", "--model", "scripted", "--format", format_)
    assert "outcomes  " not in told
    assert "Mental Health" in told


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("safetybanch",), "did you mean safetybench"),
        (("ceval",), r"no files of the benchmark here; cqia fetch ceval"),
        (("refusal",), "reads your own files"),
        (("belle-eval", "--mode", "generate"), "belle-eval has no --mode"),
    ],
)
def test_mistakes_say_how_to_mend_them(
    tmp_path: Path, arguments: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(UserError, match=problem):
        evaluate(tmp_path, *arguments, "--model", "scripted")


def test_weights_name_a_local_model(tmp_path: Path) -> None:
    names = []
    for body in (b"one", b"two"):
        (tmp_path / "tuned").mkdir(exist_ok=True)
        (tmp_path / "tuned" / "model.safetensors").write_bytes(body)
        names.append(local_name(tmp_path / "tuned"))
    assert names[0] != names[1]
    assert all(name.startswith("tuned-") for name in names)
    with pytest.raises(UserError, match="no model here"):
        local_name(tmp_path)
