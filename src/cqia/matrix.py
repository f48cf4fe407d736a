"""Play a statement: bases, then every row as a queue, then judges, outcomes, comparison and report.

Rows that can do without a judge run in several processes. A row that fails is tried again and then
told; the others go on. Judged benchmarks follow in this process, so that one budget holds for all.
What is done is not done again: rows, requests and stages each know it.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import polars as pl

from cqia import store
from cqia.errors import UserError
from cqia.llm.models import Priced, affordable
from cqia.llm.models import named as model_named
from cqia.rows import (
    TRIES,
    Row,
    benchmark_of,
    done,
    evaluate_row,
    items,
    mark_of,
    model_of,
    named,
    outcomes,
    perform,
    rows,
    state_file,
    with_threads,
)
from cqia.stages.attribute import attribute, best_mixtures
from cqia.stages.compare import compare
from cqia.stages.evaluate import forecast
from cqia.statement import Base, Measure, Statement, Subset
from cqia.workers import Progress

Bar = Callable[[str], AbstractContextManager[Progress | None]]


class Step(NamedTuple):
    """A step of a played statement: its name, and what came of it."""

    stage: str
    facts: store.Facts


def play(
    work: Path,
    statement: Statement,
    sources: list[str],
    *,
    name: str,
    bar: Bar,
    workers: int = 1,
    most: float | None = None,
) -> Iterator[Step]:
    """Play a statement over an assembled dataset.

    Args:
        work: the working folder.
        statement: what is trained and how it is judged.
        sources: the dataset's sources.
        name: of the experiment.
        bar: makes progress bars.
        workers: processes; each row has one thread then, which a small model is fastest with.
        most: the largest cost of all judges together in this run.

    Raises:
        UserError: an extra is missing, a judge or base is not known, or no row succeeded.
    """
    judges = judges_of(statement, most)
    bases: dict[str, Path] = {}
    for base in statement.bases:
        with bar(f"base {base.name}") as progress:
            facts, bases[base.name] = _base(work, statement, base, progress)
        yield Step(f"base {base.name}", facts)
    stand = Stand(work, statement, bases, judges, bar, workers, most)
    every = rows(statement, sources)
    yield Step("rows", perform_all(stand, every))
    if statement.attribution.check:
        yield Step("compare", _compare(stand, every))
        checks = _checks(stand, every)
        yield Step("rows", perform_all(stand, checks))
        every += checks
    yield Step("compare", _compare(stand, every))
    store.write_json(
        work / "statement" / "manifest.json", summary(work, statement, every, bases, name)
    )
    wanted = statement.attribution
    if wanted.mixtures or wanted.without or wanted.pairs:
        yield Step("attribute", attribute(work))
    from cqia.stages.report import report

    with bar("report"):
        facts = report(work=work)
    yield Step("report", facts)


@dataclass(slots=True)
class Stand:
    """Where a statement is played, by whom it is judged, and what may still be spent."""

    work: Path
    statement: Statement
    bases: dict[str, Path]
    judges: dict[str, Priced]
    bar: Bar
    workers: int
    most: float | None


def perform_all(stand: Stand, every: list[Row]) -> store.Facts:
    """Do rows that are not done, and have judges read what must be judged."""
    with stand.bar("rows") as progress:
        states = _queue(stand, every, progress)
    for row in every:
        for measure in stand.statement.measures:
            for judge in measure.judges:
                _judge(stand, row, measure, stand.judges[judge])
    return states


def _compare(stand: Stand, every: list[Row]) -> store.Facts:
    """Gather the outcomes of rows and compare them.

    Raises:
        UserError: no row succeeded.
    """
    frames = list(outcomes(stand.work, stand.statement, every))
    if not frames:
        errors = [store.read_json(state_file(stand.work, one)).get("error", "") for one in every]
        raise UserError(
            f"no row of the statement succeeded; the first error: {next(filter(None, errors), '')}",
            where=str(stand.work / "statement" / "rows"),
        )
    table = pl.concat(frames, how="diagonal")
    store.write_frame(stand.work / "statement" / "outcomes.parquet", table)
    with stand.bar("compare") as progress:
        return compare(folder=stand.work / "compare", outcomes=table, progress=progress)


def _checks(stand: Stand, plain: list[Row]) -> list[Row]:
    """Rows of the mixtures that attribution predicts to be best, for each base and seed."""
    work, statement = stand.work, stand.statement
    place = work / "statement" / "manifest.json"
    store.write_json(place, summary(work, statement, plain, stand.bases, ""))
    attribute(work)
    found = [
        Subset(name=name, weights=tuple(shares.items()), kind="mixture")
        for name, shares in best_mixtures(work, statement.attribution.check)
    ]
    tuned = [base for base in statement.bases if base.tune]
    return [Row(base, one, seed) for base in tuned for seed in statement.seeds for one in found]


def _base(
    work: Path, statement: Statement, base: Base, progress: Progress | None
) -> tuple[store.Facts, Path]:
    """Make a base ready; its manifest, and its folder (a model behind a URL has none)."""
    from cqia.training.proxy import SHAPES

    if base.preset.startswith("model:"):
        return {"name": base.name}, Path(base.preset)
    if base.preset not in SHAPES:
        from cqia.training.bases import named as preset_named
        from cqia.training.bases import ready

        place = ready(preset_named(base.preset), work / "base")
        return store.manifest(place) or store.manifest(place.parent) or {}, place
    from cqia.exporters.chosen import opened
    from cqia.stages.pretrain import origins, pretrain, texts

    chosen = opened(work)
    facts = pretrain(
        folder=work / "base" / base.name,
        texts=texts(chosen),
        shape=SHAPES[base.preset],
        tokens=base.tokens,
        seed=min(statement.seeds),
        threads=statement.tuning.threads,
        origins=origins(chosen),
        progress=progress,
    )
    return facts, work / "base" / base.name / "model"


def _queue(stand: Stand, every: list[Row], progress: Progress | None) -> store.Facts:
    """Do all rows that are not done; returns how many are done and failed."""
    from cqia.training.loading import fingerprint

    work, statement, bases = stand.work, stand.statement, stand.bases
    workers = stand.workers
    prints = {one: fingerprint(path) if path.is_dir() else one for one, path in bases.items()}
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
    alone = workers < 2 or len(left) < 2
    own = statement if alone else with_threads(statement, 1)
    if alone:
        for row in left:
            perform(work, own, row, bases[row.base.name], marks[row.place], TRIES)
            told(row)
    else:
        _spread(work, own, left, bases, marks, workers, told)
    states = [store.read_json(state_file(work, row))["state"] for row in every]
    if left:
        seconds = round(time.monotonic() - began, 1)
        timing = {"rows": len(left), "seconds": seconds, "workers": 1 if alone else workers}
        store.write_json(work / "statement" / "timing.json", timing)
    return {"rows": len(every), "done": states.count("done"), "failed": states.count("failed")}


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
        with ProcessPoolExecutor(min(size, len(some)), mp_context=context) as pool:
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


def judges_of(statement: Statement, most: float | None) -> dict[str, Priced]:
    """The judges by name, looked for before anything is trained.

    Raises:
        UserError: one is not known, its key is missing, or its price is needed and isn't told.
    """
    names = {judge: None for measure in statement.measures for judge in measure.judges}
    found = {name: model_named(name, statement.models) for name in names}
    for one in found.values():
        affordable(one, most)
        key = getattr(one.model, "key", "")
        if key and not os.environ.get(key, "").strip():
            raise UserError(
                f"the key of judge {one.model.name!r} is missing",
                where=f"${key}",
                mend=f"set it in the environment: export {key}=…",
            )
    for measure in statement.measures:
        bench = benchmark_of(measure)
        if bench.judges != bool(measure.judges):
            wish = "needs judges" if bench.judges else "is graded without judges"
            raise UserError(f"benchmark {measure.name!r} {wish}", mend='judges = ["MODEL"]')
    return found


def _judge(stand: Stand, row: Row, measure: Measure, judge: Priced) -> None:
    """Evaluate a row on a judged benchmark, and book what it cost."""
    work, statement = stand.work, stand.statement
    if store.read_json(state_file(work, row))["state"] != "done":
        return
    with stand.bar(f"{measure.name} {'/'.join(row.place.parts)}") as progress:
        facts = evaluate_row(
            work,
            measure,
            row,
            model_of(work, statement, row, stand.bases[row.base.name]),
            benchmark_of(measure),
            judge=judge.model,
            judge_price=affordable(judge, stand.most),
            most=stand.most,
            progress=progress,
        )
    if stand.most is not None:
        stand.most -= facts.get("spent", 0.0)


def summary(
    work: Path, statement: Statement, every: list[Row], bases: dict[str, Path], name: str
) -> store.Facts:
    """The statement's manifest: what the report tells of it."""
    states = [store.read_json(state_file(work, row)) for row in every]
    return {
        "stage": "statement",
        "name": name,
        "seeds": list(statement.seeds),
        "amount": statement.amount,
        "unit": statement.unit,
        "tuning": asdict(statement.tuning),
        "bases": [_told_base(bases[one.name], one.name, one.preset) for one in statement.bases],
        "subsets": _told_subsets(every, states),
        "benchmarks": [_told_measure(work, one, every) for one in statement.measures],
        "cells": states,
        "proxy": all((bases[one.name].parent / "loss.parquet").exists() for one in statement.bases),
    }


def _told_base(path: Path, name: str, preset: str) -> store.Facts:
    facts = store.manifest(path.parent) or store.manifest(path) or {}
    kept = ("parameters", "proxy", "licence", "vocabulary", "tokens_seen", "template", "origins")
    return {"name": name, "preset": preset, **{k: facts[k] for k in kept if k in facts}}


def _told_subsets(every: list[Row], states: list[store.Facts]) -> list[store.Facts]:
    found: dict[str, store.Facts] = {}
    for row, state in zip(every, states, strict=True):
        if row.subset and row.subset.name not in found and state["state"] == "done":
            draw = state["draw"]
            found[row.subset.name] = {
                "name": row.subset.name,
                "sources": list(row.subset.sources) or [one for one, _ in row.subset.weights],
                "weights": dict(row.subset.weights),
                "control": row.subset.control,
                "kind": row.subset.kind,
                "records": draw["records"],
                "tokens": state["trained_tokens"],
                "writer_family": state["writer_family"],
                "short": any(one.get("short") for one in draw["draws"]),
            }
    return list(found.values())


def _told_measure(work: Path, measure: Measure, every: list[Row]) -> store.Facts:
    name = f"{measure.name}@{measure.judges[0]}" if measure.judges else measure.name
    folders = (work / "evaluate" / row.place / name for row in every)
    facts = next((found for one in folders if (found := store.manifest(one))), {})
    kept = ("version", "setting", "metric", "unit", "scale", "direction", "judge", "judge_family")
    told = {k: facts[k] for k in kept if k in facts}
    return {"name": measure.name, "benchmark": measure.benchmark, "n": facts.get("n"), **told}


def plan(work: Path, statement: Statement, sources: list[str]) -> pl.DataFrame:
    """What playing would take, without training or asking anything: a line a kind of work."""
    every = rows(statement, sources)
    tuned = sum(row.subset is not None for row in every)
    lines = [("rows", f"{len(every)}: {tuned} to train, {len(every) - tuned} as they are")]
    for measure in statement.measures:
        try:
            count = len(items(work, measure, benchmark_of(measure)))
        except UserError as fault:
            lines.append((measure.name, fault.what))
            continue
        judged = f", judged by {' and '.join(measure.judges)}" if measure.judges else ""
        lines.append((measure.name, f"{count} items a row, {count * len(every)} in all{judged}"))
        for judge in measure.judges:
            lines.append((f"{measure.name}@{judge}", _cost(work, statement, measure, judge, every)))
    return pl.DataFrame(lines, schema=["what", "amount"], orient="row")


def _cost(work: Path, statement: Statement, measure: Measure, judge: str, every: list[Row]) -> str:
    from cqia.llm.scripted import Scripted

    found, bench = model_named(judge, statement.models), benchmark_of(measure)
    ahead = forecast(
        benchmark=bench,
        items=items(work, measure, bench),
        model=Scripted(),
        cache=work / "replies.sqlite",
        judge_price=affordable(found, None),
    )
    price = "price not known"
    if found.price:
        price = f"{ahead['cost_at_most'] * len(every):.2f} {found.price.currency} at most"
    return f"{ahead['judge_requests'] * len(every)} requests at most, {price}"
