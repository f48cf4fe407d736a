"""Whether memory stays flat: curate and dedup of a few and of ten times as many records.

python benchmarks/flat_memory.py [--records 100000 1000000] [--workers 1 2]

Every stage runs as a process of its own through the recipe of the side-by-side timings; its memory
is sampled, and that of all it starts. The results go to work/bench/flat_memory.json and .md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from meter import Cost, measure
from words import write_words

HERE = Path(__file__).resolve().parent
OURS = HERE / "rivals/ours.py"
HEAD = ("records", "workers", "stage", "process MiB", "tree MiB", "CPU s", "wall s", "others")


def generated(folder: Path, records: int) -> Path:
    """A corpus of about 1.7 KB a record; generated once."""
    file = folder / f"corpus-{records}.jsonl"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        half = file.with_suffix(".unfinished")
        command = [sys.executable, HERE / "corpus.py", "--docs", str(records), "--out", half]
        truth = folder / f"truth-{records}.jsonl"
        subprocess.run([str(word) for word in (*command, "--truth", truth)], check=True)
        half.replace(file)
    return file


def stages(folder: Path, file: Path, workers: int) -> dict[str, Cost]:
    """Curate, then dedup, in a fresh working folder."""
    work = folder / "out"
    shutil.rmtree(work, ignore_errors=True)
    words = folder / "words"
    write_words(words)
    given: dict[str, tuple[str | Path, ...]] = {
        "curate": (work, file, words, "--workers", str(workers)),
        "dedup": (work,),
    }
    costs = {
        stage: measure(
            [sys.executable, OURS, stage, *more], log=folder / f"{stage}.log", environment={}
        )
        for stage, more in given.items()
    }
    shutil.rmtree(work)
    return costs


def row(records: int, workers: int, stage: str, cost: Cost) -> str:
    cells = [f"{records:,}", str(workers), stage, f"{cost.process_mb:,.0f}", f"{cost.tree_mb:,.0f}"]
    cells += [f"{cost.cpu:.1f}", f"{cost.wall:.1f}", f"{cost.others:.0%}"]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description="memory of curate and dedup by size of input")
    parser.add_argument("--records", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--work", type=Path, default=HERE.parent / "work/bench")
    options = parser.parse_args()
    folder = options.work.resolve() / "flat_memory"
    results = []
    lines = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    for workers in options.workers:
        for records in options.records:
            for stage, cost in stages(folder, generated(folder, records), workers).items():
                place = {"records": records, "workers": workers, "stage": stage}
                results.append(place | asdict(cost))
                lines.append(row(records, workers, stage, cost))
                print(lines[-1], flush=True)
    (options.work / "flat_memory.json").write_text(json.dumps(results, indent=2))
    (options.work / "flat_memory.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
