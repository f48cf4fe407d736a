"""Run independent jobs in this process or in several."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

Progress = Callable[[int, int, str], None]
"""Called with (done, all, what) as long work goes on."""


def spread(
    work: Callable[..., str], jobs: Sequence[tuple[Any, ...]], workers: int
) -> Iterator[tuple[int, str]]:
    """Run `work(*job)` for every job; yield (jobs finished so far, what it returned).

    With one worker or one job they run here, in order. Otherwise each worker process runs Polars on
    one thread, so that processes and threads don't fight for the cores. The first failure stops the
    rest and is raised.
    """
    if workers < 2 or len(jobs) < 2:
        for number, job in enumerate(jobs, start=1):
            yield number, work(*job)
        return
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=context) as pool:
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
