"""Processes of a pool: none outlives the run that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

CODE = """
import os, time
from pathlib import Path
from cqia.workers import spread

def work(folder, name):
    (Path(folder) / f"{name}.tmp").write_text(str(os.getpid()))
    (Path(folder) / f"{name}.tmp").rename(Path(folder) / f"{name}.pid")
    time.sleep(600)

if __name__ == "__main__":
    import sys
    list(spread(work, [(sys.argv[1], "a"), (sys.argv[1], "b")], 2))
"""


def until(done: object, seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if done():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be buried doesn't."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        return not Path("/proc/self/stat").exists()
    return state != "Z"


def test_a_pools_processes_end_with_the_run_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(CODE, encoding="utf-8")
    run = subprocess.Popen(
        [sys.executable, str(tmp_path / "run.py"), str(tmp_path)], stderr=subprocess.DEVNULL
    )
    try:
        assert until(lambda: len(list(tmp_path.glob("*.pid"))) == 2)
        found = [int(one.read_text()) for one in tmp_path.glob("*.pid")]
        assert all(map(alive, found))
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert until(lambda: not any(map(alive, found)), 20)
