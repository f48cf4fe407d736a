"""The whole path over real public data: experiments/open-data.toml."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl
import pytest

from cqia import experiment, ledger, store
from cqia.play import play
from cqia.shipped import shipped


@pytest.fixture(scope="module")
def played(
    data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, store.Facts]]:
    work = tmp_path_factory.mktemp("open-data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CQIA_DATA", str(data))
        read = experiment.read(shipped("experiments") / "open-data.toml", work=work)
        facts = {one.stage: one.facts for one in play(read)}
        began = time.monotonic()
        assert {one.stage: one.facts for one in play(read)} == facts
        print(f"again: {time.monotonic() - began:.1f} s")
    return work, facts


def test_nothing_vanishes_at_any_stage(played: tuple[Path, dict[str, store.Facts]]) -> None:
    work, facts = played
    sources = ledger.curated(work)
    assert len(sources) == 8
    for name in sources:
        one = facts[f"curate {name}"]
        assert one["read"] == one["kept"] + one["dropped"] > 0
        assert one["bad"] == 0
    kept = sum(facts[f"curate {name}"]["kept"] for name in sources)
    assert kept == facts["dedup"]["read"] == facts["dedup"]["kept"] + facts["dedup"]["dropped"]
    chosen = facts["assemble"]
    assert facts["dedup"]["kept"] == chosen["candidates"] == chosen["chosen"] + chosen["left"]
    for one in facts["export"]["formats"].values():
        assert sum(one["files"].values()) == chosen["chosen"]


def test_the_questions_two_sources_share_are_found(
    played: tuple[Path, dict[str, store.Facts]],
) -> None:
    _, facts = played
    across = facts["dedup"]["across"]
    shared = across["better_ruozhiba -> ruozhiba_qa"] + across["ruozhiba_qa -> better_ruozhiba"]
    assert 1_400 <= shared <= 1_440


def test_agieval_stands_in_gaokao_bench_and_its_history_does_not(
    played: tuple[Path, dict[str, store.Facts]],
) -> None:
    work, facts = played
    counts = facts["dedup"]["contamination"]["agieval-gaokao"]
    hit = {Path(file).stem: numbers for file, numbers in counts["files"].items()}
    assert hit["gaokao-history"] == [235, 0]
    assert counts["items"] == 2_072
    assert 600 <= counts["items_hit"] <= 720
    assert all(found > 0 for name, (_, found) in hit.items() if name != "gaokao-history")
    hits = pl.read_parquet(work / "dedup" / "contamination" / "agieval-gaokao.parquet")
    assert set(hits["id"].str.split("-").list.first()) == {"gaokao_bench"}
    assert hits["share"].min() >= 0.5  # type: ignore[operator]
