"""What a command costs: CPU and wall seconds and memory of it and of all it starts."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2): orphans of our children become our children."""
_MB = 1 << 20
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU: user and system seconds of the whole tree. Memory: resident, in MiB, sampled.

    `tree_mb` adds up all processes, so pages that they share count more than once. `others` is the
    share of the machine's cores that other work took meanwhile: above some hundredths, wall seconds
    mean little, and CPU seconds are a few tenths too high.
    """

    cpu: float
    wall: float
    process_mb: float
    tree_mb: float
    others: float


def measure(
    command: Sequence[str | Path], *, log: Path, environment: Mapping[str, str], every: float = 0.05
) -> Cost:
    """Run a command to its end and wait for every process it left behind.

    CPU seconds come from the kernel (`getrusage` of reaped children), so processes too short-lived
    to be sampled count as well; being the subreaper makes those count whose parent died first.

    Raises:
        RuntimeError: the command failed; the log holds what it printed.
    """
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    before, busy, started = _children_cpu(), _busy(), time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
    status, process, tree = None, 0, 0
    ended = started
    while True:
        sizes = _resident(os.getpid())
        process, tree = max(process, *sizes, 0), max(tree, sum(sizes))
        try:
            pid, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if pid == child.pid:
            status, ended = os.waitstatus_to_exitcode(code), time.monotonic()
            child.returncode = status
        if not pid:
            time.sleep(every)
    if status:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {status}; see {log}")
    cpu, elapsed = _children_cpu() - before, time.monotonic() - started
    return Cost(
        cpu=round(cpu, 2),
        wall=round(ended - started, 2),
        process_mb=round(process / _MB, 1),
        tree_mb=round(tree / _MB, 1),
        others=round(max(0.0, _busy() - busy - cpu) / elapsed / (os.cpu_count() or 1), 2),
    )


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _busy() -> float:
    """CPU seconds the whole machine has worked: all but idle and waiting for disks."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def _resident(root: int) -> list[int]:
    """Resident bytes of every process below `root`."""
    parents: dict[int, int] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                status = Path(entry.path, "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(status.rpartition(")")[2].split()[1])
    return [_bytes_of(pid) for pid in parents if pid != root and _below(pid, root, parents)]


def _below(pid: int, root: int, parents: Mapping[int, int]) -> bool:
    while pid in parents:
        pid = parents[pid]
        if pid == root:
            return True
    return False


def _bytes_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (FileNotFoundError, ProcessLookupError):
        return 0
