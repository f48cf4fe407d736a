"""cqia preflight and cqia train, from an assembled dataset to a model."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cqia.cli.main import cqia
from cqia.cli.train import tuned
from cqia.errors import UserError
from cqia.stages.assemble import assemble
from tests.llm.tiny import tiny_model
from tests.workbench import cure


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("cli") / "work"
    rows = [
        {"key": str(one), "instruction": f"第{one}天做什么？", "output": "煮粥。" * (1 + one % 3)}
        for one in range(12)
    ]
    cure(place, "s", rows)
    cure(place, "t", [{"key": "1", "instruction": "很长？", "output": "\x1b[31m长" * 200}])
    assemble(work=place)
    tiny_model(place / "base" / "tiny" / "model")
    return place


def said(*arguments: str) -> str:
    done = CliRunner().invoke(cqia, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_preflight_shows_the_table_and_the_mask(work: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    base = str(work / "base" / "tiny")
    out = said(
        "preflight", "--work", str(work), "--base", base, "--source", "s", "--html", str(page)
    )
    assert "served_alike" in out
    assert "⟦煮粥。<|im_end|>⟧" in out
    assert page.read_text("utf-8").startswith("<!doctype html>")
    csv = said(
        "preflight", "--work", str(work), "--base", base, "--format", "csv", "--max-tokens", "2000"
    )
    assert csv.splitlines()[0].startswith("source,read,kept,dropped,EmptyPrompt")
    assert "\x1b" not in csv


def test_preflight_shows_what_is_wrong_before_it_says_so(work: Path) -> None:
    base = str(work / "base" / "tiny")
    done = CliRunner().invoke(
        cqia, ["preflight", "--work", str(work), "--base", base, "--max-tokens", "60"]
    )
    assert isinstance(done.exception, UserError)
    assert done.exception.where == "t"
    assert "TooLong" in done.output


def test_train_from_the_dataset_and_again(work: Path) -> None:
    arguments = [
        "train", "--work", str(work), "--base", str(work / "base" / "tiny"), "--source", "s",
        "--method", "lora", "--epochs", "2", "--max-tokens", "128", "--amount", "16", "--repeat",
        "--tune", "learning_rate=1e-3", "--tune", "batch=4", "--tune", "targets=q_proj,v_proj",
    ]  # fmt: skip
    out = said(*arguments)
    assert "records seen 2 times" in out
    assert (work / "train" / "s" / "model" / "adapter_model.safetensors").exists()
    stamp = (work / "train" / "s" / "manifest.json").stat().st_mtime_ns
    said(*arguments)
    assert (work / "train" / "s" / "manifest.json").stat().st_mtime_ns == stamp


def test_accelerate_is_printed_before_it_runs(work: Path) -> None:
    out = said("train", "--work", str(work), "--base", "tiny", "--accelerate", "fsdp", "--dry-run")
    assert "accelerate.commands.launch --config_file" in out
    assert "fsdp.yaml" in out


@pytest.mark.parametrize(
    ("tune", "message"),
    [
        ("batch", "NAME=VALUE"),
        ("lerning_rate=1", "did you mean learning_rate"),
        ("epochs=2", "option --epochs|option of its own"),
        ("batch=many", "whole number"),
        ("packing=maybe", "true or false"),
        ("schedule=step", "unknown schedule"),
    ],
)
def test_settings_that_cant_be_meant_are_refused(tune: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        tuned([tune], {"epochs": 1})


def test_settings_are_read_by_their_kind() -> None:
    made = tuned(["batch=4", "learning_rate=1e-4", "packing=true", "targets=a,b"], {})
    assert (made.batch, made.learning_rate, made.packing, made.targets) == (
        4,
        1e-4,
        True,
        ("a", "b"),
    )


def test_a_source_that_is_not_there_is_refused(work: Path) -> None:
    arguments = [
        "train",
        "--work",
        str(work),
        "--base",
        str(work / "base" / "tiny"),
        "--source",
        "q",
    ]
    done = CliRunner().invoke(cqia, arguments)
    assert isinstance(done.exception, UserError)
    assert "unknown source 'q'" in str(done.exception)
