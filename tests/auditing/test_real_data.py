"""What docs/audit.md says of public files."""

import json
from pathlib import Path

from cqia.auditing.audit import audit
from cqia.contamination import Benchmark


def test_alpaca_demos(data: Path, tmp_path: Path) -> None:
    paths = [data / "alpaca_zh" / f"{name}_zh_demo.json" for name in ("alpaca", "dpo")]
    found = audit([str(path) for path in paths], folder=tmp_path, fix=True)
    kinds = {row["kind"]: row["records"] for row in found.summary.iter_rows(named=True)}
    assert (kinds["exact_duplicate"], kinds["replacement"], kinds["refusal"]) == (19, 6, 39)
    copies = [json.loads((tmp_path / "fixed" / path.name).read_text()) for path in paths]
    whole = [json.loads(path.read_text()) for path in paths]
    assert sum(map(len, whole)) - sum(map(len, copies)) == 19
    changed = {row["item"] for row in map(json.loads, open_lines(tmp_path)) if row["after"]}
    same = [row for row in whole[0] if row in copies[0]]
    assert len(changed) < 5
    assert len(same) == 1_000


def open_lines(folder: Path) -> list[str]:
    return (folder / "changes.jsonl").read_text().splitlines()


def test_medical_conversations_are_mended_in_place(data: Path, tmp_path: Path) -> None:
    path = data / "medical_sft" / "medical_sft_1K_format.jsonl"
    found = audit([str(path)], folder=tmp_path, fix=True)
    assert found.files.row(0)[:4] == (str(path), "sharegpt", 1_000, 0)
    before = path.read_text().splitlines()
    after = (tmp_path / "fixed" / path.name).read_text().splitlines()
    changed = {row["line"] for row in map(json.loads, open_lines(tmp_path))}
    assert {
        n for n, pair in enumerate(zip(before, after, strict=True), 1) if len(set(pair)) > 1
    } == changed
    assert "E/A比值<1提示" in after[145]


def test_one_public_set_stands_in_another(data: Path, tmp_path: Path) -> None:
    benchmark = Benchmark(name="rz", files=(str(data / "ruozhiba_qa" / "questions.jsonl"),))
    path = data / "better_ruozhiba" / "ruozhiba_qa.json"
    found = audit([str(path)], folder=tmp_path, benchmarks=[benchmark])
    hits = found.summary.filter(kind="contamination")
    assert hits["records"].item() == 1_423
