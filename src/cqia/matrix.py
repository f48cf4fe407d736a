"""Play a statement: bases, then every row as a queue, then judges, outcomes, comparison and report.

Rows that can do without a judge run in several processes. A row that fails is tried again and then
told; the others go on. Judged benchmarks follow in this process, so that one budget holds for all.
What is done is not done again: rows, requests and stages each know it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import polars as pl

from cqia import store
from cqia.account import summary
from cqia.errors import UserError
from cqia.llm.models import Priced, affordable
from cqia.llm.models import named as model_named
from cqia.queue import queue
from cqia.rows import (
    Row,
    Variant,
    benchmark_of,
    evaluate_row,
    model_of,
    outcomes,
    rows,
    state_file,
    threads_of,
    variants,
)
from cqia.stages.attribute import attribute, best_mixtures
from cqia.stages.compare import compare
from cqia.statement import Base, Statement, Subset
from cqia.workers import Progress, Workers

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
    workers: Workers = 1,
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
    workers: Workers
    most: float | None


def perform_all(stand: Stand, every: list[Row]) -> store.Facts:
    """Do rows that are not done, and have judges read what must be judged.

    Returns:
        How many rows there are, are done, and failed; and `incomplete`: evaluations in which
        requests failed or were not sent, which the same command asks for again.
    """
    with stand.bar("rows") as progress:
        states = queue(stand.work, stand.statement, every, stand.bases, stand.workers, progress)
    incomplete = 0
    for row in every:
        facts = store.read_json(state_file(stand.work, row))
        incomplete += len(facts.get("incomplete", ()))
        for variant in variants(stand.statement, row):
            if variant.judge and facts["state"] == "done":
                incomplete += not _judge(stand, row, variant)["complete"]
    return {**states, "incomplete": incomplete}


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
        if bench.rivals != bool(measure.against):
            wish = "compares with a base" if bench.rivals else "compares nothing"
            raise UserError(f"benchmark {measure.name!r} {wish}", mend='against = ["BASE"]')
    return found


def _judge(stand: Stand, row: Row, variant: Variant) -> store.Facts:
    """Evaluate a row that is done on a judged benchmark, and book what it cost."""
    work, statement = stand.work, stand.statement
    judge = stand.judges[variant.judge]
    base = stand.bases[row.base.name]
    model = model_of(work, statement, row, base)
    rival = None
    if variant.against:
        (other,) = (one for one in statement.bases if one.name == variant.against)
        rival = model_of(work, statement, Row(other, None, 0), stand.bases[other.name])
    bar = stand.bar(f"{variant.place} {'/'.join(row.place.parts)}")
    with bar as progress, threads_of(statement, base):
        facts = evaluate_row(
            work,
            variant,
            row,
            model,
            judge=judge.model,
            judge_price=affordable(judge, stand.most),
            rival=rival,
            most=stand.most,
            progress=progress,
        )
    if stand.most is not None:
        stand.most -= facts.get("spent", 0.0)
    return facts
