"""What a soak disturbs: an experiment, how it is run, and its right result."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cqia
from fuzz.ground import SAMPLES

DEADLINE = 180.0
"""Seconds after which a process counts as hung."""
TOML = """
allow_bad = 50

[[source]]
name = "made"
reader = "jsonl"
files = ["raw/made-*.jsonl"]
map = { instruction = "q", output = "a", key = "id" }

[[source]]
name = "table"
reader = "csv"
files = ["raw/table-*.csv"]
map = { instruction = "q", output = "a" }

[[source]]
name = "zhihu"
files = ["raw/zhihu/*"]

[dedup]

[assemble]
validation = 0.1
formats = ["release", "alpaca", "parquet"]
"""
START = """
import sys, time
from cqia.raw import plan
plan.TASK_FILES = 1
import cqia.workers as workers
import cqia.stages.curate as curate
workers.SMALL = 0
if {clock}:
    import random
    draw, base, jump = random.Random({clock}), time.time, [0.0]
    def moved():
        jump[0] = draw.choice((jump[0], jump[0], -86400.0, 3600.0, 86400.0 * 400))
        return base() + jump[0]
    time.time = moved
    time.time_ns = lambda: int(moved() * 1e9)
from cqia.cli.main import main
if __name__ == "__main__":
    sys.argv = ["cqia", *{arguments!r}]
    main()
"""


@dataclass(frozen=True, slots=True)
class End:
    """How a process ended. code: None: it was killed by us."""

    code: int | None
    lines: tuple[str, ...]
    hung: bool = False

    @property
    def told(self) -> bool:
        """Whether a stop said so in one line, and in one only."""
        said = [line for line in self.lines if line.startswith("cqia: ")]
        return (
            self.code == 2 and len(said) == 1 and not any("Traceback" in one for one in self.lines)
        )


class World:
    """A folder with raw files and an experiment, and the digest of its undisturbed run."""

    def __init__(self, folder: Path, draw: random.Random) -> None:
        self.folder, self.draw = folder, draw
        shutil.rmtree(folder, ignore_errors=True)
        self.raw = folder / "raw"
        self.raw.mkdir(parents=True)
        self._write()
        # A copy of the program, so that a change of it in the middle changes nothing.
        shutil.copytree(Path(cqia.__file__).parent, folder / "program" / "cqia")
        self.alone = folder / "alone"
        began = time.monotonic()
        self._sure(self.run(self.alone))
        self.seconds = time.monotonic() - began
        self.right = digest(self.alone)
        self._conserved()
        again = folder / "again"
        self._sure(self.run(again, workers=1))
        if digest(again) != self.right:
            raise SystemExit("two undisturbed runs differ: nothing can be soaked")
        self.size = sum(path.stat().st_blocks * 512 for path in again.rglob("*"))
        shutil.rmtree(again)

    def _write(self) -> None:
        random_ = random.Random(7)
        words = [chr(random_.randint(0x4E00, 0x8FFF)) for _ in range(900)]
        for number in range(4):
            lines, cells = [], ["q,a"]
            for row in range(120):
                text = "".join(random_.choices(words, k=140)) + "。"
                one = {"id": f"{number}-{row % 115}", "q": f"第{row}问，是什么？", "a": text}
                lines.append(json.dumps(one, ensure_ascii=False) if row != 77 else "{broken")
                cells.append(f"第{row % 110}题怎么做？,{text}")
            (self.raw / f"made-{number}.jsonl").write_text("\n".join(lines), encoding="utf-8")
            (self.raw / f"table-{number}.csv").write_text("\n".join(cells), encoding="utf-8")
        shutil.copytree(SAMPLES / "zhihu", self.raw / "zhihu")
        (self.folder / "e.toml").write_text(TOML, encoding="utf-8")

    def _sure(self, end: End) -> None:
        if end.code != 0:
            raise SystemExit("the undisturbed run fails:\n" + "\n".join(end.lines))

    def _conserved(self) -> None:
        """Hold that what was read is kept or dropped, in every source's manifest."""
        for path in (self.alone / "curate").glob("*/manifest.json"):
            facts = json.loads(path.read_bytes())
            if facts["read"] != facts["kept"] + facts["dropped"]:
                raise SystemExit(f"{path}: read is not kept + dropped")

    def start(self, *arguments: str, clock: int = 0, **environment: str) -> Started:
        """Start the program with these arguments in a process group of its own."""
        code = START.format(arguments=arguments, clock=clock)
        return Started(
            self.folder, code, {"PYTHONPATH": str(self.folder / "program"), **environment}
        )

    def run_arguments(self, work: Path, workers: int = 2) -> tuple[str, ...]:
        """The command line of the whole experiment."""
        return ("run", "e.toml", "--work", str(work), "--workers", str(workers), "--format", "json")

    def run(self, work: Path, workers: int = 2, clock: int = 0) -> End:
        """Run the whole experiment to its end."""
        return self.start(*self.run_arguments(work, workers), clock=clock).end()

    def fresh(self, name: str) -> Path:
        """A working folder that is not there yet."""
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        return place


class Started:
    """A running program; what it says goes into a file, so that it never waits for a reader."""

    def __init__(self, folder: Path, code: str, environment: dict[str, str]) -> None:
        self._log = folder / f"log-{random.randrange(10**9)}"
        script = self._log.with_suffix(".py")
        script.write_text(code, encoding="utf-8")
        self._script = script
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(script)], cwd=folder, stdout=log, stderr=log,
                start_new_session=True, env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            )  # fmt: skip

    def wait(self, seconds: float) -> bool:
        """Whether it ended within so many seconds."""
        try:
            self.process.wait(timeout=max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def workers(self) -> list[int]:
        """The processes that it started."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
                worker = b"spawn_main" in (place / "cmdline").read_bytes()
            except (OSError, ValueError):
                continue
            if parent == self.process.pid and worker:
                found.append(int(place.name))
        return found

    def kill(self) -> End:
        """Kill -9 for it and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return self._end(None)

    def end(self, seconds: float = DEADLINE) -> End:
        """Wait for its end; it hangs when it takes too long."""
        if self.wait(seconds):
            return self._end(self.process.returncode)
        return End(None, self.kill().lines, hung=True)

    def _end(self, code: int | None) -> End:
        lines = tuple(self._log.read_text("utf-8", "replace").splitlines())
        self._log.unlink(missing_ok=True)
        self._script.unlink(missing_ok=True)
        return End(code, lines)


def digest(work: Path) -> dict[str, str]:
    """Every file of a result with its hash, but for what remembers hashes and holds the lock."""
    return {
        path.relative_to(work).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(work.rglob("*"))
        if path.is_file() and path.name not in {"lock", "hashes.json", "timing.json"}
    }


def differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """The names of the files that differ."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
