"""experiments/cqia.toml: every source of the paper, from raw item to release file, in one go."""

import json
from pathlib import Path

import pytest

from cqia import paper
from tests.cli.conftest import cli

ROOT = Path(__file__).parents[2]
CONFIGS = {
    "chinese_traditional", "coig_pc", "douban", "exam", "finance", "human_value", "logi_qa",
    "ruozhiba", "segmentfault", "wiki", "wikihow", "xhs", "zhihu",
}  # fmt: skip
KEYS = [
    "instruction", "input", "output", "task_type", "domain", "metadata", "answer_from",
    "human_verified", "copyright",
]  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("paper")
    cli("run", str(ROOT / "experiments" / "cqia.toml"), "--work", str(work), "--workers", "1")
    return work


def test_all_thirteen_configs_are_built(work: Path) -> None:
    release = work / "dataset" / "release"
    assert {path.name for path in release.iterdir() if path.is_dir()} == CONFIGS
    files = {path.stem for path in release.glob("*/*.jsonl")}
    assert files == {row.source for row in (*paper.TABLE_1, paper.RUOZHIBA)}


def test_every_release_file_loads_with_the_nine_keys(work: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="needs the package datasets")
    datasets.disable_progress_bars()
    release = work / "dataset" / "release"
    for config in sorted(CONFIGS):
        files = sorted(str(path) for path in (release / config).glob("*.jsonl"))
        found = datasets.load_dataset(
            "json", data_files=files, split="train", cache_dir=str(work / "cache")
        )
        assert found.column_names == KEYS
        lines = [line for path in files for line in Path(path).read_text().splitlines()]
        assert len(found) == len(lines) > 0
        assert all(json.loads(line)["output"].strip() for line in lines)


def test_describe_prints_table_1_beside_the_paper_s(work: Path) -> None:
    rows = json.loads(cli("describe", "--work", str(work), "--format", "json").stdout)
    named = [row for row in rows if row["source"]]
    assert [row["source"] for row in named if row["source"] != "ruozhiba"] == [
        row.source for row in paper.TABLE_1
    ]
    assert all(row["paper"] == paper.quantity(row["source"]) for row in named)
    assert rows[-1]["paper"] == paper.TOTAL
    assert rows[-1]["records"] == sum(row["records"] for row in named) > 500
    subtotals = [row["paper"] for row in rows if row["title"] == "小计"]
    assert subtotals == [13_935, 23_788, 4_878, 5_774]
    shown = cli("describe", "--work", str(work)).stdout
    assert "48,375" in shown
    assert all(kind in shown for kind in paper.TYPES.values())
