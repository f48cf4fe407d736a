"""cqia side by side with data-juicer and datatrove: six filters, and near-deduplication.

python benchmarks/rivals.py [--docs 200000] [--quick] [--only TASK] [--rival-python NAME=PATH]

One run, one machine, one generated file. cqia runs before, between and after the rivals, and its
median counts. docs/performance.md says what is compared and what differs. The results go to
work/bench/rivals.json and work/bench/rivals.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from string import Template

import polars as pl
from meter import Cost, measure
from quality import score
from words import write_words

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RIVALS = {
    "datatrove": ("datatrove[processing,io]==0.10.1", "spacy", "jieba"),
    "data-juicer": ("py-data-juicer==1.6.1", "aiohttp", "ftfy"),
}
LIMITS: dict[str, dict[str, int]] = {
    "filters": {"datatrove": 3_000, "data-juicer": 50_000},
    "dedup": {},
}
"""Documents a rival gets at most: beyond them it takes too long, and its speed stays the same."""
WARM = 400
"""Documents of the untimed first run: byte code and compiled kernels are on disk after it."""
SHOWN = ("cqia", "polars", "numba", "numpy", "pyarrow", "py-data-juicer", "datatrove", "datasets")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One timed run."""

    task: str
    system: str
    docs: int
    kept: int
    cost: Cost
    quality: dict[str, float]

    @property
    def speed(self) -> float:
        """Documents per CPU second."""
        return self.docs / self.cost.cpu


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The inputs and the environments of one comparison."""

    work: Path
    docs: int
    pythons: Mapping[str, Path]

    @property
    def words(self) -> Path:
        return self.work / "words"

    def file(self, docs: int) -> Path:
        """The first documents of the corpus."""
        file = self.work / f"corpus-{docs}.jsonl"
        if not file.exists():
            with (self.work / "corpus.jsonl").open("rb") as whole, file.open("wb") as out:
                out.writelines(islice(whole, docs))
        return file

    def halves(self, docs: int) -> Path:
        """The same in a folder of two files: datatrove gives a file to a worker."""
        folder = self.work / f"corpus-{docs}"
        if not folder.exists():
            folder.mkdir()
            with self.file(docs).open("rb") as whole:
                for name, count in (("a", docs // 2), ("b", docs - docs // 2)):
                    with (folder / f"{name}.jsonl").open("wb") as out:
                        out.writelines(islice(whole, count))
        return folder

    def read(self, docs: int) -> Path:
        """The documents curated by cqia without any step: what its dedup starts from."""
        folder = self.work / f"read-{docs}"
        if not folder.exists():
            ours = (self.pythons["cqia"], HERE / "rivals/ours.py")
            subprocess.run([*ours, "read", folder, self.file(docs)], check=True)
        return folder

    def command(self, task: str, system: str, docs: int, out: Path) -> list[str | Path]:
        python = self.pythons[system]
        if system == "datatrove":
            return [python, HERE / "rivals/trove.py", task, self.halves(docs), out, self.words]
        if system == "data-juicer":
            template = Template((HERE / f"rivals/juicer_{task}.yaml").read_text())
            config = out / "config.yaml"
            config.write_text(template.substitute(file=self.file(docs), out=out, words=self.words))
            return [python.with_name("dj-process"), "--config", config]
        ours: list[str | Path] = [python, HERE / "rivals/ours.py"]
        if task == "filters":
            return [*ours, "curate", out, self.file(docs), self.words]
        shutil.rmtree(self.read(docs) / "dedup", ignore_errors=True)
        return [*ours, "dedup", self.read(docs)]

    def run(self, task: str, system: str, docs: int) -> Run:
        out = self.work / "out" / f"{task}-{system}"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        command = self.command(task, system, docs, out)
        quiet = {"HF_HOME": str(out / "hf"), "HF_HUB_OFFLINE": "1", "PIP_NO_INDEX": "1"}
        cost = measure(command, log=self.work / f"{task}-{system}.log", environment=quiet)
        kept = self.kept(task, system, docs, out)
        quality: dict[str, float] = {}
        if task == "dedup" and docs == self.docs:
            removed = set(range(docs)) - kept
            quality = score(self.work / "truth.jsonl", self.work / "corpus.jsonl", removed)
        run = Run(task=task, system=system, docs=docs, kept=len(kept), cost=cost, quality=quality)
        print(f"{task:8} {system:12} {docs:8,} {run.speed:9,.0f} docs/CPU s  {cost}", flush=True)
        return run

    def kept(self, task: str, system: str, docs: int, out: Path) -> set[int]:
        """The rows of the corpus that a run kept."""
        if system == "cqia":
            folder = out if task == "filters" else self.read(docs)
            ids = pl.read_parquet(folder / "curate/generated/*/kept.parquet", columns=["id"])["id"]
            if task == "dedup":
                gone = pl.read_parquet(folder / "dedup/dropped.parquet")["id"]
                ids = ids.filter(~ids.is_in(gone.implode()))
        else:
            pattern = "kept/*.jsonl" if system == "datatrove" else "kept.jsonl"
            ids = pl.read_ndjson(out / pattern, schema={"id": pl.String})["id"]
        return set(ids.str.extract(r"(\d+)$").cast(pl.Int64))


def prepare(work: Path, docs: int) -> None:
    """The corpus with its truth, and the word lists."""
    shutil.rmtree(work, ignore_errors=True)
    write_words(work / "words")
    files = ["--out", work / "corpus.jsonl", "--truth", work / "truth.jsonl"]
    command = [sys.executable, HERE / "corpus.py", "--docs", str(docs), *files]
    subprocess.run([str(word) for word in command], check=True)


def environment(name: str) -> Path:
    """The Python of a rival's own virtual environment; makes it where there is none."""
    folder = ROOT / f".venv-bench-{name}"
    python = folder / "bin/python"
    done = folder / "complete"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run([*pip, "--upgrade", "pip>=25.1"], check=True)
        subprocess.run([*pip, *RIVALS[name]], check=True)
        done.touch()
    return python


def machine(pythons: Mapping[str, Path]) -> dict[str, object]:
    """What the numbers hold for."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    code = (
        "import importlib.metadata as m, json; "
        "print(json.dumps({d.name.lower(): d.version for d in m.distributions()}))"
    )
    packages = {}
    for name, python in pythons.items():
        listed = json.loads(subprocess.check_output([python, "-c", code]))
        packages[name] = {one: listed[one] for one in SHOWN if one in listed}
    known = (value.strip() for key, value in facts.items() if key.startswith("model name"))
    model = next(known, platform.processor() or platform.machine())
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory GiB": round(memory, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": packages,
    }


def table(runs: Sequence[Run], docs: int) -> str:
    """The results as Markdown, each rival beside cqia on as many documents and on all of them."""
    quality = sorted({name for run in runs for name in run.quality})
    head = ["task", "system", "documents", "kept", "wall s", "CPU s", "docs per CPU s"]
    head += ["cqia, as many docs", "cqia, all docs", "process MiB", "tree MiB", "others", *quality]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    speeds: dict[tuple[str, int], list[float]] = {}
    for run in runs:
        if run.system == "cqia":
            speeds.setdefault((run.task, run.docs), []).append(run.speed)
    for run in runs:
        lead = ["", ""]
        if run.system != "cqia":
            bases = (speeds[run.task, size] for size in (run.docs, docs))
            lead = [f"{statistics.median(base) / run.speed:.1f}x" for base in bases]
        cost = run.cost
        cells = [run.task, run.system, f"{run.docs:,}", f"{run.kept:,}", f"{cost.wall:.1f}"]
        cells += [f"{cost.cpu:.1f}", f"{run.speed:,.0f}", *lead]
        cells += [f"{cost.process_mb:,.0f}", f"{cost.tree_mb:,.0f}", f"{cost.others:.0%}"]
        cells += [f"{run.quality[name]:g}" if name in run.quality else "" for name in quality]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def schedule(docs: int, limits: Mapping[str, Mapping[str, int]]) -> Iterator[tuple[str, str, int]]:
    """Task, system and documents of every timed run: cqia before, between and after the rivals."""
    for task, limit in limits.items():
        for rival in RIVALS:
            size = min(docs, limit.get(rival, docs))
            yield from ((task, "cqia", one) for one in sorted({docs, size}, reverse=True))
            yield task, rival, size
        yield task, "cqia", docs


def save(work: Path, runs: Sequence[Run], docs: int, facts: Mapping[str, object]) -> None:
    """Write what there is so far: a run that fails late costs no earlier one."""
    body = {"machine": facts, "runs": [{**asdict(run), "speed": run.speed} for run in runs]}
    (work / "rivals.json").write_text(json.dumps(body, indent=2))
    note = "\n".join(f"- {key}: {value}" for key, value in facts.items())
    (work / "rivals.md").write_text(f"{table(runs, docs)}\n{note}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="cqia side by side with its rivals")
    parser.add_argument("--docs", type=int, default=200_000)
    parser.add_argument("--quick", action="store_true", help="4,000 documents: does it work?")
    parser.add_argument("--only", choices=list(LIMITS), help="only this task")
    parser.add_argument("--rival-python", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--work", type=Path, default=ROOT / "work/bench")
    options = parser.parse_args()
    docs = 4_000 if options.quick else options.docs
    given = dict(one.split("=", 1) for one in options.rival_python)
    pythons = {"cqia": Path(sys.executable)}
    for name in RIVALS:
        pythons[name] = Path(given[name]) if name in given else environment(name)
    bench = Bench(work=options.work.resolve() / "rivals", docs=docs, pythons=pythons)
    prepare(bench.work, docs)
    limits = {"filters": {"datatrove": WARM}, "dedup": {}} if options.quick else LIMITS
    limits = {task: one for task, one in limits.items() if options.only in (None, task)}
    for task in limits:
        for system in pythons:
            bench.run(task, system, min(WARM, docs))
    print("all warm; now the timed runs", flush=True)
    facts, runs = machine(pythons), []
    for task, system, size in schedule(docs, limits):
        runs.append(bench.run(task, system, size))
        save(options.work, runs, docs, facts)
    print((options.work / "rivals.md").read_text())


if __name__ == "__main__":
    main()
