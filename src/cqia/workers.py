"""Run independent jobs in this process, in several, or on a cluster."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Protocol, TypeVar

Progress = Callable[[int, int, str], None]
"""Called with (done, all, what) as long work goes on."""

T = TypeVar("T")

SMALL = 32 << 20
"""Bytes of work below which starting processes takes longer than it saves."""


class Crew(Protocol):
    """Several hosts that see the same folders (`cqia.cluster` has one on Ray)."""

    @property
    def width(self) -> int:
        """How many jobs run at a time."""

    def spread(
        self, work: Callable[..., T], jobs: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, T]]:
        """As the function `spread`."""

    def share(self, value: Any) -> Any:  # noqa: ANN401
        """Bring a value to the hosts once; what is returned may stand for it in a job."""

    def greet(self, folder: Path) -> None:
        """Make sure that every host runs this program and sees this folder.

        Raises:
            UserError: one doesn't.
        """


Workers = int | Crew
"""How many processes of this machine, or a cluster."""


def width(workers: Workers) -> int:
    """How many jobs a cluster runs at a time; 1 for this machine's processes."""
    return 1 if isinstance(workers, int) else workers.width


def follow() -> None:
    """Let this process of a pool end when the one that started it has ended, however it did.

    After a kill -9 it would otherwise go on with its job, in the same folder as the run that takes
    the work up again.
    """
    starter = multiprocessing.parent_process()
    if starter is not None:
        threading.Thread(target=_leave_after, args=(starter.join,), daemon=True).start()


def _leave_after(ended: Callable[[], None]) -> None:
    ended()
    os._exit(1)


def fitting(workers: Workers, size: int) -> Workers:
    """These workers, or this process alone where `size` bytes of work are too few for processes."""
    return 1 if isinstance(workers, int) and size < SMALL else workers


def spread(
    work: Callable[..., T], jobs: Sequence[tuple[Any, ...]], workers: Workers
) -> Iterator[tuple[int, T]]:
    """Run `work(*job)` for every job; yield (jobs finished so far, what it returned).

    With one worker or one job they run here, in order. Otherwise each worker process runs Polars on
    one thread, so that processes and threads don't fight for the cores. The first failure stops the
    rest and is raised.
    """
    if not isinstance(workers, int):
        yield from workers.spread(work, jobs)
        return
    if workers < 2 or len(jobs) < 2:
        for number, job in enumerate(jobs, start=1):
            yield number, work(*job)
        return
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"
    context = multiprocessing.get_context("spawn")
    try:
        size = min(workers, len(jobs))
        with ProcessPoolExecutor(size, mp_context=context, initializer=follow) as pool:
            running = [pool.submit(work, *job) for job in jobs]
            try:
                for number, one in enumerate(as_completed(running), start=1):
                    yield number, one.result()
            finally:
                for one in running:
                    one.cancel()
    finally:
        if before is None:
            del os.environ["POLARS_MAX_THREADS"]
        else:
            os.environ["POLARS_MAX_THREADS"] = before
