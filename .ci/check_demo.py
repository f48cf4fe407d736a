"""Check what the demo made: the files are there, nothing vanished, and a second run does nothing."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path


def main(work: Path) -> None:
    dataset = work / "dataset"
    for path in (
        dataset / "release" / "README.md",
        dataset / "alpaca" / "dataset_info.json",
        work / "describe" / "sources.md",
        work / "describe" / "funnel.csv",
        work / "report" / "report.html",
        work / "report" / "report.md",
    ):
        assert path.is_file() and path.stat().st_size, f"missing: {path}"

    kept = 0
    for manifest in (work / "curate").glob("*/manifest.json"):
        facts = json.loads(manifest.read_text(encoding="utf-8"))
        assert facts["read"] == facts["kept"] + facts["dropped"], manifest
        assert facts["kept"] and facts["dropped"], f"{manifest}: a rule that never speaks?"
        kept += facts["kept"]
    dedup = json.loads((work / "dedup" / "manifest.json").read_text(encoding="utf-8"))
    assert dedup["read"] == kept == dedup["kept"] + dedup["dropped"]
    assert dedup["dropped"], "the samples hold duplicates"

    written = 0
    for path in (dataset / "release").glob("*/*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            assert list(record) == [
                "instruction", "input", "output", "task_type", "domain", "metadata",
                "answer_from", "human_verified", "copyright",
            ]  # fmt: skip
            assert record["instruction"].strip()
            assert record["output"].strip()
            written += 1
    chosen = json.loads((work / "assemble" / "manifest.json").read_text(encoding="utf-8"))
    assert chosen["candidates"] == dedup["kept"] == chosen["chosen"] + chosen["left"]
    assert written == chosen["chosen"] > 100, (written, chosen["chosen"])

    statement(work)
    before = digest(work)
    started = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "cqia.cli.main", "demo", "--work", str(work)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    print(
        f"second run: {time.monotonic() - started:.1f} s, nothing changed: {digest(work) == before}"
    )
    assert digest(work) == before
    print(f"demo: {written} records, read = kept + dropped everywhere")


def statement(work: Path) -> None:
    """Every row is done, evaluated on every held-out record, compared and reported."""
    facts = json.loads((work / "statement" / "manifest.json").read_text(encoding="utf-8"))
    assert facts["proxy"]
    states = [one["state"] for one in facts["cells"]]
    assert states == ["done"] * len(states), states
    assert len(states) == 1 + 2 * 5
    held = json.loads((work / "assemble" / "manifest.json").read_text(encoding="utf-8"))
    items = held["splits"]["validation"]
    for manifest in (work / "evaluate").glob("*/*/*/*/manifest.json"):
        told = json.loads(manifest.read_text(encoding="utf-8"))
        assert told["n"] == items == sum(told["states"].values()), manifest
    page = (work / "report" / "report.html").read_text(encoding="utf-8")
    assert "代理" in page
    assert len(page) < 8_000_000
    for name in ("chinese_poetry", "gaokao_bench", "zhihu", "random", "shuffled"):
        assert name in page, name


def digest(work: Path) -> str:
    """All results. `hashes.json` is none: a file's hash is remembered once the file is at rest."""
    total = hashlib.sha256()
    for path in sorted(work.rglob("*")):
        if path.is_file() and path.name not in ("lock", "timing.json", "hashes.json"):
            total.update(path.relative_to(work).as_posix().encode() + path.read_bytes())
    return total.hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
