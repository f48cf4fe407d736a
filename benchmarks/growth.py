"""How cost grows with the input: short records, ten and a hundred times as many.

python benchmarks/growth.py [--records 100000 1000000 10000000] [--workers 1] [--cluster ADDRESS]

Every stage is a command of its own; its CPU seconds come from the kernel, its memory is sampled. A
record is about 60 characters; one in ten is a copy of an earlier one with two characters changed,
one in twenty an exact copy. Small inputs pay for the start of the interpreter, so growth is stated
between the costs above a start of nothing. Results go to work/bench/growth.json and .md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
from meter import Cost, measure

HERE = Path(__file__).resolve().parent
HEAD = ("records", "stage", "CPU s", "µs a record", "against the least", "process MiB", "wall s",
        "others")  # fmt: skip
BATCH = 100_000
LENGTH = 60
FIRST, LETTERS = 0x4E00, 3_000
TOML = """
[[source]]
name = "short"
reader = "jsonl"
files = ["{file}"]
map = {{ instruction = "q", output = "a" }}

[dedup]
"""


def texts(records: int, seed: int = 1) -> Iterator[pl.DataFrame]:
    """Batches of questions and answers, copies among them; the same for the same number."""
    for start in range(0, records, BATCH):
        size = min(BATCH, records - start)
        rng = np.random.default_rng((seed, start))
        codes = rng.integers(FIRST, FIRST + LETTERS, (size, LENGTH), dtype=np.uint32)
        copied = rng.random(size)
        for row in np.flatnonzero(copied < 0.15):
            codes[row] = codes[rng.integers(0, max(row, 1))]
            if copied[row] < 0.1:
                codes[row, rng.integers(0, LENGTH, 2)] = rng.integers(FIRST, FIRST + LETTERS, 2)
        whole = pl.Series(codes.view(f"<U{LENGTH}").ravel(), dtype=pl.String)
        numbers = pl.int_range(start, start + size, eager=True).cast(pl.String)
        yield pl.DataFrame(
            {"q": numbers + "号：" + whole.str.slice(0, 15) + "？", "a": whole + "。"}
        )


def generated(folder: Path, records: int) -> Path:
    file = folder / f"short-{records}.jsonl"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        half = file.with_suffix(".unfinished")
        with half.open("wb") as out:
            for frame in texts(records):
                frame.write_ndjson(out)
        half.replace(file)
    return file


def stages(folder: Path, file: Path, given: list[str]) -> dict[str, Cost]:
    """Curate, dedup and describe in a fresh working folder."""
    work = folder / "out"
    shutil.rmtree(work, ignore_errors=True)
    toml = folder / "growth.toml"
    curate = TOML.format(file=file).partition("[dedup]")[0]
    toml.write_text(curate, encoding="utf-8")
    cqia = [sys.executable, "-m", "cqia.cli.main"]
    commands = {
        "curate": ["run", str(toml), "--allow-bad", "0", *given],
        "dedup": ["dedup", *given],
        "describe": ["describe", *given],
    }
    costs = {}
    for stage, words in commands.items():
        log = folder / f"{stage}.log"
        costs[stage] = measure([*cqia, *words, "--work", work], log=log, environment={})
    shutil.rmtree(work)
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description="growth of cost with the number of short records")
    parser.add_argument("--records", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--cluster")
    parser.add_argument("--work", type=Path, default=HERE.parent / "work/bench")
    options = parser.parse_args()
    folder = options.work.resolve() / "growth"
    given = ["--workers", str(options.workers)]
    given += ["--cluster", options.cluster] if options.cluster else []
    start = stages(folder, generated(folder, 100), given)
    results: list[dict[str, object]] = []
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    least: dict[str, float] = {}
    for records in options.records:
        for stage, cost in stages(folder, generated(folder, records), given).items():
            each = 1e6 * (cost.cpu - start[stage].cpu) / records
            growth = each / least.setdefault(stage, each)
            results.append({"records": records, "stage": stage, "growth": growth} | asdict(cost))
            cells = [f"{records:,}", stage, f"{cost.cpu:.1f}", f"{each:.1f}", f"{growth:.2f}x"]
            cells += [f"{cost.process_mb:,.0f}", f"{cost.wall:.1f}", f"{cost.others:.0%}"]
            lines.append("| " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    (options.work / "growth.json").write_text(json.dumps(results, indent=2))
    (options.work / "growth.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
