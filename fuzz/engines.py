"""Two ways to make inputs: atheris, guided by coverage, and hypothesis.

Time is CPU time, so that a busy machine neither shortens a search nor makes an input slow.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import time
import traceback
from pathlib import Path
from types import TracebackType

from fuzz.target import SECONDS, Target

ROOT = Path(__file__).resolve().parent
FOUND = ROOT / "found"
REGRESS = ROOT / "regress"
LONGEST = 4_096
"""Bytes of the longest input that an engine makes."""
LATER = 4
"""How much longer than its CPU time a search, or an input, may take by the clock."""


class Keeper:
    """Runs a target and keeps the first input of every kind of finding."""

    def __init__(self, target: Target, folder: Path, end: float) -> None:
        self.target, self.folder, self.end = target, folder, end
        self.runs, self.slowest = 0, 0.0
        self.kinds: dict[str, str] = {}

    def run(self, data: bytes) -> None:
        """Run one input; a finding is kept and does not stop the search."""
        self.runs += 1
        began = time.process_time()
        try:
            self.target.run(data)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as fault:  # noqa: BLE001  a panic of a compiled library is one, too
            self.keep(data, *kind(fault, fault.__traceback__))
        spent = time.process_time() - began
        if self.runs > 1:
            self.slowest = max(self.slowest, spent)
            if spent > SECONDS:
                self.keep(data, "slow", f"{spent:.1f} s")

    def until(self, data: bytes) -> None:
        """Run one input; when the time is over, say what came of it and end the process."""
        self.run(data)
        if time.process_time() > self.end:
            print(f"fuzz: {self.line()}", flush=True)
            os._exit(0)

    def keep(self, data: bytes, name: str, told: str) -> None:
        """Write an input down, if it is the first of its kind or shorter than that one."""
        path = self.folder / name
        if name in self.kinds and path.stat().st_size <= len(data):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.with_suffix(".txt").write_text(told, encoding="utf-8", errors="replace")
        self.kinds[name] = told

    def line(self) -> str:
        """What came of it."""
        found = (
            f"{len(self.kinds)} FOUND: {', '.join(self.kinds)}" if self.kinds else "nothing found"
        )
        return f"{self.runs:>9,} inputs, slowest {self.slowest:.2f} s, {found}"


def kind(fault: BaseException, trace: TracebackType | None) -> tuple[str, str]:
    """A name for a kind of finding (what, and the package's innermost line), and the traceback."""
    frames = traceback.extract_tb(trace)
    ours = [one for one in frames if "cqia" in Path(one.filename).parts] or list(frames)
    where = f"{Path(ours[-1].filename).stem}-{ours[-1].name}" if ours else "nowhere"
    said = str(fault) if type(fault).__name__ == "Broken" else ""
    mark = hashlib.md5(f"{where}{re.sub(r'[0-9]+', '', said)}".encode()).hexdigest()[:6]
    name = re.sub(r"[^\w-]", "", f"{type(fault).__name__}-{where}-{mark}")
    return name, "".join(traceback.format_exception(fault))


def seeds(name: str) -> list[bytes]:
    """What a search begins with: earlier findings, and runs of every byte."""
    folder = REGRESS / name
    known = [path.read_bytes() for path in sorted(folder.glob("*"))] if folder.is_dir() else []
    return [*known, b"", *(bytes([byte]) * 64 for byte in range(0, 256, 17)), bytes(range(256))]


def run(engine: str, name: str, seconds: float) -> None:
    """Search one target for some seconds and print a line that begins with `fuzz: `."""
    (_atheris if engine == "atheris" else _hypothesis)(name, seconds)


def _hypothesis(name: str, seconds: float) -> None:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    from fuzz.targets import TARGETS

    end = time.process_time() + seconds
    keeper = Keeper(TARGETS[name], FOUND / name, end)
    for seed in seeds(name):
        keeper.run(seed)

    @settings(max_examples=500, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.binary(max_size=LONGEST) | st.lists(st.sampled_from(seeds(name))).map(b"".join))
    def some(data: bytes) -> None:
        if time.process_time() < end:
            keeper.run(data)

    while time.process_time() < end:
        some()
    print(f"fuzz: {keeper.line()}", flush=True)


def _compiled() -> list[str]:
    """Modules whose code numba compiles, which can't hold the marks that coverage needs."""
    root = ROOT.parent / "src"
    found = [path for path in (root / "cqia").rglob("*.py") if "njit" in path.read_text("utf-8")]
    return [".".join(path.relative_to(root).with_suffix("").parts) for path in found]


def _atheris(name: str, seconds: float) -> None:
    import tempfile

    import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]

    with atheris.instrument_imports(include=["cqia", "warcio"], exclude=_compiled()):
        from fuzz.targets import TARGETS

    folder = FOUND / name
    keeper = Keeper(TARGETS[name], folder, time.process_time() + seconds)
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds(name)):
            (Path(corpus) / f"{number}").write_bytes(seed)
        folder.mkdir(parents=True, exist_ok=True)
        atheris.Setup(
            [
                sys.argv[0], corpus, f"-artifact_prefix={folder}/", f"-max_len={LONGEST}",
                f"-max_total_time={int(LATER * seconds) + 60}", f"-timeout={int(LATER * SECONDS)}",
                "-rss_limit_mb=4096",
                "-len_control=20", "-verbosity=0", "-print_final_stats=0",
            ],
            keeper.until,
        )  # fmt: skip
        atheris.Fuzz()
