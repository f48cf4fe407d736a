"""kill -9 at random moments, then the same command again: the same result as a run that was left alone."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TOML = """
[[source]]
name = "t"
reader = "jsonl"
files = ["x*.jsonl"]
map = { instruction = "q", output = "a" }

[[source]]
name = "u"
reader = "jsonl"
files = ["y*.jsonl"]
map = { instruction = "q", output = "a" }

[dedup]

[assemble]
validation = 0.1
formats = ["release", "alpaca", "parquet"]
"""


def write(folder: Path, files: int, rows: int) -> None:
    random_ = random.Random(7)
    words = [chr(random_.randint(0x4E00, 0x8FFF)) for _ in range(900)]
    for number in range(files):
        for name in "xy":
            lines = []
            for row in range(rows):
                text = "".join(random_.choices(words, k=120))
                lines.append({"q": f"问题{row % (rows - 9)}，{name}？", "a": text + "。"})
            body = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
            (folder / f"{name}{number}.jsonl").write_text(body, encoding="utf-8")
    (folder / "e.toml").write_text(TOML, encoding="utf-8")


def start(folder: Path, work: str) -> subprocess.Popen[bytes]:
    code = (
        "import sys\n"
        "from cqia.raw import plan\n"
        "plan.TASK_FILES = 1\n"
        "from cqia.cli.main import main\n"
        f"sys.argv = ['cqia', 'run', 'e.toml', '--work', {work!r}, '--workers', '1']\n"
        "main()\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def digest(work: Path) -> dict[str, str]:
    return {
        path.relative_to(work).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(work.rglob("*"))
        if path.is_file() and path.name not in {"lock", "hashes.json"}
    }


def killed_again_and_again(folder: Path, kills: int) -> None:
    whole = 0.0
    for work in ("warm", "alone"):
        began = time.monotonic()
        assert start(folder, work).wait() == 0
        whole = time.monotonic() - began
    alone = digest(folder / "alone")
    assert digest(folder / "warm") == alone
    random_ = random.Random(11)
    killed = 0
    while killed < kills:
        process = start(folder, "killed")
        try:
            process.wait(timeout=random_.uniform(0.2, 0.9) * whole)
            assert digest(folder / "killed") == alone
            shutil.rmtree(folder / "killed")
            whole *= 0.8
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
    assert start(folder, "killed").wait() == 0
    assert digest(folder / "killed") == alone


def test_a_killed_run_ends_like_one_that_was_left_alone(tmp_path: Path) -> None:
    write(tmp_path, files=4, rows=60)
    killed_again_and_again(tmp_path, kills=4)


@pytest.mark.slow
def test_thirty_kills(tmp_path: Path) -> None:
    write(tmp_path, files=20, rows=400)
    killed_again_and_again(tmp_path, kills=30)
