"""Requests a second of the whole scoring step, beside a bare loop and two rivals.

    python -m benchmarks.asking [REQUESTS] [--rival-python NAME=PATH]... [--rounds N]

The endpoint is a stub in a process of its own that answers after 20 and after 200 ms; 64 requests
are under way. The bare loop posts the same bodies with aiohttp and parses the answers, and does
nothing else. The scoring step is `cqia.stages.score`: it reads records from Parquet, makes
requests, looks into the cache, keeps every reply, books its cost, reads its verdict and writes the
ledger; its second run finds everything in the cache. datatrove's inference runner and distilabel's
pipeline send the same messages with their own caches on, each in an environment of its own, which
is made where --rival-python names none. Their imports are not counted, only the run.

The systems take turns within one run, and the best of their rounds counts. `cached, CPU`: records a
second of processor time, which a busy machine changes less.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import aiohttp
import orjson
from tests.workbench import cure

from cqia.judges.base import Case
from cqia.judges.catalogue import JUDGES
from cqia.llm.budget import Price
from cqia.llm.endpoint import Endpoint
from cqia.stages.score import score

UNDER_WAY = 64
ROOT = Path(__file__).parents[1]
RIVALS = {
    "datatrove": ("datatrove[io]==0.10.1", "aiofiles", "aiosqlite", "httpx", "transformers"),
    "distilabel": ("distilabel[openai]==1.5.3", "requests"),
}
"""What is installed for each; the extra packages are those without which it doesn't run."""
SCRIPTS = {"datatrove": "trove_asking.py", "distilabel": "distil_asking.py"}
FEW = {"datatrove": 2_000, "distilabel": 1_000}
"""Requests a rival gets at most: its speed stays the same beyond them."""
JUDGE = JUDGES["quality"]


async def bare(url: str, bodies: list[bytes]) -> int:
    """Post all bodies, UNDER_WAY at a time; returns the answers."""
    left = iter(bodies)
    done = 0

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal done
        for body in left:
            async with session.post(f"{url}/chat/completions", data=body) as answer:
                orjson.loads(await answer.read())["choices"][0]["message"]["content"]
            done += 1

    headers = {"Content-Type": "application/json"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        await asyncio.gather(*(work(session) for _ in range(UNDER_WAY)))
    return done


def endpoint(url: str) -> Endpoint:
    return Endpoint(name="stub", url=url, concurrency=UNDER_WAY, structured="nothing")


def scored(url: str, work: Path, cache: Path) -> int:
    """The scoring step; returns the replies."""
    shutil.rmtree(work / "score", ignore_errors=True)
    price = Price(prompt=1.0, reply=2.0)
    facts = score(work, JUDGE, endpoint(url), price, cache=cache).facts
    return sum(facts["states"].get(state, 0) for state in ("read", "unreadable"))


def environment(name: str, given: dict[str, Path], place: Path) -> Path:
    """The Python of a rival, installed where none was named."""
    if name in given:
        return given[name]
    folder = place / name
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        command = [str(python), "-m", "pip", "install", "-q", *RIVALS[name]]
        subprocess.run(command, check=True)
    return python


def rival(name: str, python: Path, url: str, bodies: list[bytes]) -> float:
    """Requests a second of a rival."""
    some = bodies[: FEW[name]]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bodies.jsonl").write_bytes(b"\n".join(some) + b"\n")
        script = ROOT / "benchmarks" / "rivals" / SCRIPTS[name]
        quiet = {"HF_HUB_OFFLINE": "1", "HF_HOME": folder}
        told = subprocess.run(
            [str(python), str(script), url, folder, str(UNDER_WAY)],
            capture_output=True, text=True, env=os.environ | quiet,
            cwd=folder,
        )  # fmt: skip
        lines = [line for line in told.stdout.splitlines() if line.startswith('{"seconds"')]
        if not lines:
            raise RuntimeError(f"{name} failed: {told.stderr[-3_000:]}")
        found = json.loads(lines[-1])
    if found["done"] != len(some):
        raise RuntimeError(f"{name} answered {found['done']} of {len(some)}")
    return len(some) / float(found["seconds"])


def rate(count: int, began: float) -> float:
    return count / (time.perf_counter() - began)


def one_round(
    url: str, work: Path, bodies: list[bytes], pythons: dict[str, Path]
) -> dict[str, float]:
    """Every system once."""
    count = len(bodies)
    began = time.perf_counter()
    assert asyncio.run(bare(url, bodies)) == count
    rates = {"bare": rate(count, began)}
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "replies.sqlite"
        for kind in ("ours", "cached"):
            began, cpu = time.perf_counter(), time.process_time()
            assert scored(url, work, cache) == count
            rates[kind] = rate(count, began)
            rates["cached, CPU"] = count / (time.process_time() - cpu)
    for name, python in pythons.items():
        rates[name] = rival(name, python, url, bodies)
    return rates


def main(count: int, rounds: int, given: dict[str, Path], place: Path) -> None:
    names = [name for name in RIVALS if name not in given or given[name] != Path("none")]
    pythons = {name: environment(name, given, place) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        rows = [
            {"key": f"k{n}", "instruction": f"第{n}个问题：{'问' * 60}", "output": "答" * 400}
            for n in range(count)
        ]
        cure(work, "asked", rows)
        cases = [Case(row["instruction"], "", row["output"]) for row in rows]
        bodies = [endpoint("http://stub/v1").body(JUDGE.ask(case)) for case in cases]
        load = os.getloadavg()[0]
        print(f"{count} requests, {UNDER_WAY} under way, load of the machine before: {load:.1f}\n")
        kinds = ["bare", "ours", "cached", "cached, CPU", *names]
        shown = [*kinds, *(f"ours / {name}" for name in ("bare", *names))]
        print(f"| stub | {' | '.join(shown)} |")
        print("|---|" + "---:|" * (len(kinds) + 1 + len(names)))
        for delay in (0.02, 0.2):
            command = [sys.executable, "-m", "tests.llm.server", "fine", str(delay)]
            stub = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            try:
                assert stub.stdout
                url = f"http://127.0.0.1:{json.loads(stub.stdout.readline())}/v1"
                found = [one_round(url, work, bodies, pythons) for _ in range(rounds)]
            finally:
                stub.kill()
                stub.wait()
            best = {kind: max(one[kind] for one in found) for kind in kinds}
            shares = [best["ours"] / best[name] for name in ("bare", *names)]
            numbers = [f"{best[kind]:,.0f}" for kind in kinds] + [f"{one:.2f}" for one in shares]
            print(f"| {delay * 1000:.0f} ms | {' | '.join(numbers)} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requests", type=int, nargs="?", default=4_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rival-python", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--place", type=Path, default=ROOT / "work" / "bench")
    told = parser.parse_args()
    pairs = dict(one.split("=", 1) for one in told.rival_python)
    where = {name: Path(path) for name, path in pairs.items()}
    main(told.requests, told.rounds, where, told.place)
