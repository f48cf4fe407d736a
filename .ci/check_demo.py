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


def digest(work: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(work.rglob("*")):
        if path.is_file() and path.name != "lock":
            total.update(path.relative_to(work).as_posix().encode() + path.read_bytes())
    return total.hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
