from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("transformers", reason="the extra train is not installed")

from cqia.errors import UserError
from cqia.exporters.chosen import opened
from cqia.stages.pretrain import texts
from tests.cli.conftest import cli


def test_a_proxy_of_the_demos_texts(played: Path, tmp_path: Path) -> None:
    said = cli("pretrain", "--work", str(played), "--shape", "proxy-tiny", "--tokens", "1000",
               "--out", str(tmp_path / "p")).stdout  # fmt: skip
    assert "PROXY" in said
    facts = json.loads((tmp_path / "p" / "manifest.json").read_text())
    table = pl.read_parquet(played / "assemble" / "chosen.parquet")
    train = table.filter(split="train")
    assert facts["records"]["read"] == len(train)
    assert set(facts["origins"]["licences"]) == set(train["source"].to_list())
    assert 0.5e6 < facts["parameters"] < 0.8e6
    assert (tmp_path / "p" / "model" / "config.json").exists()


def test_a_records_text_is_its_parts_in_order(played: Path) -> None:
    chosen = opened(played)
    found = set(texts(chosen))
    source = chosen.sources[0]["source"]
    row = next(one for split, one in chosen.batches(source) if split == "train").row(0, named=True)
    parts = [row["instruction"], row["input"], row["output"]]
    assert "\n".join(part for part in parts if part) in found


def test_mistakes_are_told(played: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown shape 'proxy-3'; did you mean proxy-3m"):
        cli("pretrain", "--work", str(played), "--shape", "proxy-3")
    with pytest.raises(UserError, match="nothing was assembled here"):
        cli("pretrain", "--work", str(tmp_path / "none"))
