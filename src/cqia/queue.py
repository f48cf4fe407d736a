"""A statement's rows as a queue: in this process or in several, each tried again when it fails."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

from cqia import store
from cqia.rows import TRIES, Row, done, mark_of, named, perform, state_file
from cqia.statement import Statement
from cqia.workers import Progress, Workers, follow


def queue(
    work: Path,
    statement: Statement,
    every: list[Row],
    bases: dict[str, Path],
    workers: Workers,
    progress: Progress | None,
) -> store.Facts:
    """Do all rows that are not done; returns how many there are, are done, and failed."""
    from cqia.training.loading import fingerprint

    hashes = store.Hashes(work)
    prints = {
        one: fingerprint(path, hashes.of) if path.is_dir() else one for one, path in bases.items()
    }
    hashes.save()
    marks = {row.place: mark_of(work, statement, row, prints[row.base.name]) for row in every}
    left = [row for row in every if not done(work, row, marks[row.place])]
    began, count = time.monotonic(), len(every) - len(left)

    def told(row: Row) -> None:
        nonlocal count
        count += 1
        if progress:
            progress(count, len(every), "/".join(row.place.parts))

    if progress:
        progress(count, len(every), "")
    alone = isinstance(workers, int) and (workers < 2 or len(left) < 2)
    own = statement if alone else _on_one_thread(statement)
    if alone:
        for row in left:
            perform(work, own, row, bases[row.base.name], marks[row.place], TRIES)
            told(row)
    elif not isinstance(workers, int):
        where = work.absolute()
        jobs = [(where, own, row, bases[row.base.name], marks[row.place], TRIES) for row in left]
        for _, row in workers.spread(_performed, jobs):
            told(row)
    else:
        _spread(work, own, left, bases, marks, workers, told)
    states = [store.read_json(state_file(work, row))["state"] for row in every]
    if left:
        seconds = round(time.monotonic() - began, 1)
        own_width = workers if isinstance(workers, int) else workers.width
        timing = {"rows": len(left), "seconds": seconds, "workers": 1 if alone else own_width}
        store.write_json(work / "statement" / "timing.json", timing)
    return {"rows": len(every), "done": states.count("done"), "failed": states.count("failed")}


def _on_one_thread(statement: Statement) -> Statement:
    """The statement for rows that share the cores."""
    return replace(statement, tuning=replace(statement.tuning, threads=1))


def _performed(
    work: Path, statement: Statement, row: Row, base: Path, mark: str, tries: int
) -> Row:
    """A row done on some host."""
    perform(work, statement, row, base, mark, tries)
    return row


def _spread(
    work: Path,
    statement: Statement,
    left: list[Row],
    bases: dict[str, Path],
    marks: dict[Path, str],
    workers: int,
    told: Callable[[Row], None],
) -> None:
    """Rows in several processes.

    A process that is killed from outside (for memory, say) breaks its pool: what it held is tried
    again in processes of its own, one row each, and what dies there has failed.
    """
    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")}
    os.environ.update(dict.fromkeys(before, "1"))
    ended: set[Path] = set()
    context = multiprocessing.get_context("spawn")

    def run(some: list[Row], size: int) -> None:
        size = min(size, len(some))
        with ProcessPoolExecutor(size, mp_context=context, initializer=follow) as pool:
            running = {
                pool.submit(
                    perform, work, statement, row, bases[row.base.name], marks[row.place], TRIES
                ): row
                for row in some
            }
            for one in as_completed(running):
                one.result()
                ended.add(running[one].place)
                told(running[one])

    try:
        try:
            run(left, workers)
        except BrokenProcessPool:
            for row in left:
                if row.place not in ended:
                    _alone(work, row, marks[row.place], run)
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _alone(work: Path, row: Row, mark: str, run: Callable[[list[Row], int], None]) -> None:
    try:
        run([row], 1)
    except BrokenProcessPool:
        error = "its process was killed, for lack of memory perhaps"
        facts = {"mark": mark, **named(row), "state": "failed", "error": error, "tries": TRIES}
        store.write_json(state_file(work, row), facts)
