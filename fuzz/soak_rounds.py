"""The rounds of a soak: each disturbs a run in its own way until the work is done all the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.llm.server import Stub, rough, serving

from fuzz.soak_world import End, World, differing, digest

TRIES = 40
"""Starts after which a round gives up; what is not done by then is lost."""
ON_THE_WAY = 1.0
"""Seconds before a kill in which a paid reply may not have been written down yet."""


@dataclass(slots=True)
class Tally:
    """What rounds of one kind came to."""

    rounds: int = 0
    starts: int = 0
    killed: int = 0
    stopped: int = 0
    lost: int = 0
    doubled: int = 0
    hung: int = 0
    untold: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def add(self, end: End) -> End:
        """Count how a process ended; a stop that is not one clear line is untold."""
        self.starts += 1
        if end.hung:
            self.hung += 1
            self.faults.append("hung: " + " | ".join(end.lines[-3:]))
        elif end.code is None:
            self.killed += 1
        elif end.code and end.told:
            self.stopped += 1
        elif end.code:
            self.untold += 1
            self.faults.append(f"exit {end.code}: " + "\n    ".join(end.lines[-30:]))
        return end

    def same(self, world: World, work: Path) -> None:
        """Hold that a result is the right one."""
        wrong = differing(world.right, digest(work))
        self.lost += len(wrong)
        if wrong:
            self.faults.append(f"{len(wrong)} files differ: {', '.join(wrong[:4])}")

    def unfinished(self) -> None:
        """The work was never done."""
        self.lost += 1
        self.faults.append(f"not done after {TRIES} starts")


@dataclass(frozen=True, slots=True)
class Round:
    """One kind of disturbance. offered: whether it can be had on this machine."""

    play: Callable[[World, Tally], None]
    offered: Callable[[World], bool] = lambda _: True


def killed(world: World, tally: Tally) -> None:
    """SIGKILL to everything at random moments, ever earlier; then to the end."""
    work = world.fresh("killed")
    for _ in range(world.draw.randint(2, 5)):
        started = world.start(*world.run_arguments(work))
        if started.wait(world.draw.uniform(0.1, 1.0) * world.seconds):
            break
        tally.add(started.kill())
    _to_the_end(world, tally, work)


def bereft(world: World, tally: Tally) -> None:
    """SIGKILL to one worker process: one line, and the same command goes on."""
    work = world.fresh("bereft")
    for _ in range(2):
        started = world.start(*world.run_arguments(work))
        until = time.monotonic() + world.seconds
        while not (found := started.workers()) and time.monotonic() < until:
            if started.wait(0.05):
                break
        time.sleep(world.draw.uniform(0.0, 1.5))
        for worker in found[:1]:
            try:
                os.kill(worker, signal.SIGKILL)
            except ProcessLookupError:
                continue
        tally.add(started.end())
    _to_the_end(world, tally, work)


def starved(world: World, tally: Tally) -> None:
    """A disk that fills up at any stage, and then has room again."""
    work = world.fresh("starved")
    work.mkdir()
    size, share = world.size, world.draw.uniform(0.05, 0.7)
    if not _mount(work, int(size * share)):
        raise RuntimeError("no tmpfs here")
    try:
        for _ in range(3):
            tally.add(world.run(work))
            share += world.draw.uniform(0.05, 0.3)
            _mount(work, int(size * share), again=True)
        _mount(work, 8 * size + (32 << 20), again=True)
        _to_the_end(world, tally, work)
    finally:
        subprocess.run(["umount", "-l", str(work)], check=False)
        shutil.rmtree(work, ignore_errors=True)


def _mount(place: Path, size: int, *, again: bool = False) -> bool:
    options = f"size={max(size, 65_536)}" + (",remount" if again else "")
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _can_mount(world: World) -> bool:
    place = world.fresh("mount")
    place.mkdir()
    found = os.geteuid() == 0 and _mount(place, 1 << 20)
    if found:
        subprocess.run(["umount", "-l", str(place)], check=False)
    return found


def robbed(world: World, tally: Tally) -> None:
    """A raw file vanishes before or during a run, and comes back."""
    work = world.fresh("robbed")
    files = sorted(path for path in world.raw.rglob("*") if path.is_file())
    file = world.draw.choice([one for one in files if one.parent == world.raw])
    away = world.folder / "away"
    for _ in range(2):
        started = world.start(*world.run_arguments(work))
        started.wait(world.draw.choice((0.0, world.draw.uniform(0.2, 0.8) * world.seconds)))
        file.rename(away)
        try:
            tally.add(started.end())
        finally:
            away.rename(file)
        if (work / "describe").exists():
            # A file that is not there when an experiment is read is not of it: done without it.
            shutil.rmtree(work)
    _to_the_end(world, tally, work)


def damaged(world: World, tally: Tally) -> None:
    """A file of a half-done result is cut, emptied or gone: said which, deleted, done again."""
    work = world.fresh("damaged")
    shutil.copytree(world.alone, work)
    for stage in ("dataset", "describe", "assemble", "dedup")[: world.draw.randint(2, 4)]:
        shutil.rmtree(work / stage, ignore_errors=True)
    parts = sorted(work.glob("curate/*/*/kept.parquet"))
    file = world.draw.choice(parts)
    body, how = file.read_bytes(), world.draw.randrange(4)
    if how == 0:
        file.unlink()
    else:
        cut = world.draw.randrange(len(body))
        file.write_bytes((b"", body[:cut], body[:cut] + bytes(len(body) - cut))[how - 1])
    for _ in range(3):
        end = tally.add(world.run(work))
        named = re.search(r"delete (\S+) and run again", "\n".join(end.lines))
        if end.code == 0 or not named:
            break
        shutil.rmtree(world.folder / named[1])
    _to_the_end(world, tally, work)


def mistimed(world: World, tally: Tally) -> None:
    """A clock that jumps by hours and years, forwards and back, all the time."""
    work = world.fresh("mistimed")
    clock = world.draw.randint(1, 10**6)
    started = world.start(*world.run_arguments(work), clock=clock)
    if not started.wait(world.draw.uniform(0.2, 1.0) * world.seconds):
        tally.add(started.kill())
    _to_the_end(world, tally, work, clock=clock + 1)


def spread(world: World, tally: Tally) -> None:
    """The same on a Ray cluster of this machine: a process of it is killed, or all of it."""
    work = world.fresh("spread")
    arguments = (*world.run_arguments(work), "--cluster", "local")
    started = world.start(*arguments)
    if started.wait(world.draw.uniform(0.5, 1.5) * world.seconds + 5):
        tally.add(started.end())
    else:
        tally.add(started.kill())
    for _ in range(TRIES):
        if tally.add(world.start(*arguments).end()).code == 0:
            tally.same(world, work)
            return
    tally.unfinished()


def _has_ray(world: World) -> bool:
    from importlib.util import find_spec

    return find_spec("ray") is not None


def _to_the_end(world: World, tally: Tally, work: Path, clock: int = 0) -> None:
    """Run until it is done, without disturbance, and compare."""
    for _ in range(TRIES):
        if tally.add(world.run(work, clock=clock)).code == 0:
            tally.same(world, work)
            return
        if tally.hung:
            break
    tally.unfinished()


class Times(Counter[str]):
    """Counts, and when each was made."""

    def __init__(self) -> None:
        super().__init__()
        self.when: dict[str, list[float]] = {}

    def __setitem__(self, name: str, count: int) -> None:
        super().__setitem__(name, count)
        self.when.setdefault(name, []).append(time.monotonic())


VERDICT = {"分析": "有用", "无害": True, "有用": 8, "正确": 8, "完整": 7, "得分": 8}


def _plan(asked: str, before: int) -> str:
    """Every fault that an endpoint has, and a verdict else."""
    what = rough(asked, before)
    return f"say {json.dumps(VERDICT, ensure_ascii=False)}" if what == "ok" else what


def asked(world: World, tally: Tally) -> None:
    """Scoring at an endpoint with every fault, killed in between; nothing is paid twice."""
    work, cache = world.fresh("asked"), world.folder / "replies.sqlite"
    shutil.copytree(world.alone, work)
    for file in world.folder.glob("replies.sqlite*"):
        file.unlink()
    stub = Stub(_plan, delay=0.02)
    paid = Times()
    stub.paid = paid
    kills: list[float] = []
    with serving(stub):
        (world.folder / "models.toml").write_text(
            f'[[model]]\nname = "stub"\nurl = "{stub.url}"\ntimeout = 3.0\nretries = 3\n'
            "price = { prompt = 1.0, reply = 1.0 }\n",
            encoding="utf-8",
        )
        arguments = ("score", "quality", "--work", str(work), "--model", "stub", "--models",
                     "models.toml", "--cache", str(cache), "--limit", "300",
                     "--format", "json")  # fmt: skip
        for _ in range(world.draw.randint(1, 3)):
            started = world.start(*arguments)
            if started.wait(1.5 + world.draw.uniform(0.0, 4.0)):
                break
            tally.add(started.kill())
            kills.append(time.monotonic())
        done = _scored(world, tally, work, arguments)
    if not done:
        tally.unfinished()
        return
    facts = json.loads((work / "score" / "quality@stub" / "manifest.json").read_bytes())
    if sum(facts["states"].values()) != facts["records"] or not facts["complete"]:
        tally.lost += 1
        tally.faults.append(f"states {facts['states']} of {facts['records']} records")
    late = [name for name, when in paid.when.items() if not _excused(when, kills)]
    tally.doubled += len(late)
    if late:
        tally.faults.append(f"{len(late)} requests were paid twice")


def _scored(world: World, tally: Tally, work: Path, arguments: tuple[str, ...]) -> bool:
    """Score until nothing failed."""
    path = work / "score" / "quality@stub" / "manifest.json"
    for _ in range(TRIES):
        end = tally.add(world.start(*arguments).end())
        if end.hung:
            return False
        if path.exists() and json.loads(path.read_bytes())["complete"]:
            return True
    return False


def _excused(when: list[float], kills: list[float]) -> bool:
    """Whether it was paid once, or again only after a kill while its reply was on the way."""
    return all(any(first <= kill <= first + ON_THE_WAY for kill in kills) for first in when[:-1])


ROUNDS: dict[str, Round] = {
    "killed": Round(killed),
    "bereft": Round(bereft),
    "starved": Round(starved, _can_mount),
    "robbed": Round(robbed),
    "damaged": Round(damaged),
    "mistimed": Round(mistimed),
    "asked": Round(asked),
    "spread": Round(spread, _has_ray),
}
"""Name -> round."""
