"""Play an experiment: its stages in order, each skipped when its result is there already."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

import polars as pl

from cqia import ledger, matrix, store
from cqia.cleaners.catalogue import CLEANERS
from cqia.errors import UserError
from cqia.experiment import Assemble, Experiment
from cqia.filters.catalogue import FILTERS
from cqia.recipe import Step, parse
from cqia.stages.assemble import assemble, export
from cqia.stages.curate import curate
from cqia.stages.dedup import dedup
from cqia.stages.describe import describe
from cqia.workers import Progress, Workers

Bar = Callable[[str], AbstractContextManager[Progress | None]]
"""Makes a progress bar for a stage."""


class Played(NamedTuple):
    """One stage of a played experiment: its name, and its manifest."""

    stage: str
    facts: store.Facts


def no_bar(stage: str) -> AbstractContextManager[Progress | None]:
    """Shows nothing."""
    return nullcontext()


def play(
    experiment: Experiment,
    *,
    workers: Workers = 1,
    allow_bad: int = 0,
    most: float | None = None,
    bar: Bar = no_bar,
) -> Iterator[Played]:
    """Play an experiment stage by stage.

    Args:
        experiment: what the TOML says.
        workers: processes, or a cluster.
        allow_bad: unreadable items that are put up with, in all sources together; the larger of
            this and the TOML's own number counts.
        most: the largest cost of the statement's judges.
        bar: makes the progress bars.

    Yields:
        Every stage's manifest when it is done.

    Raises:
        UserError: more unreadable items than allowed; or anything a stage raises.
    """
    work = experiment.work
    names = [one.source.name for one in experiment.inputs]
    with store.lock(work):
        _no_strangers(work, names)
        for one in experiment.inputs:
            with bar("curate") as progress:
                facts = curate(
                    one.source,
                    one.files,
                    work=work,
                    columns=one.columns,
                    workers=workers,
                    progress=progress,
                )
            yield Played(f"curate {one.source.name}", facts)
        refuse_bad(work, names, max(allow_bad, experiment.allow_bad))
        if experiment.dedup:
            with bar("dedup") as progress:
                found = experiment.dedup
                facts = dedup(
                    work=work,
                    threshold=found.threshold,
                    ngram=found.ngram,
                    permutations=found.permutations,
                    bands=found.bands,
                    near=found.near,
                    prefer=found.prefer,
                    benchmarks=experiment.benchmarks,
                    workers=workers,
                    progress=progress,
                )
            yield Played("dedup", facts)
        if experiment.assemble:
            yield from put_together(
                work, experiment.assemble, seed=experiment.seed, out=work / "dataset", bar=bar
            )
        with bar("describe"):
            facts = describe(work=work, workers=workers)
        yield Played("describe", facts)
        if experiment.statement:
            for step in matrix.play(
                work,
                experiment.statement,
                names,
                name=experiment.name,
                bar=bar,
                workers=workers,
                most=most,
            ):
                yield Played(*step)


def put_together(
    work: Path, recipe: Assemble, *, seed: int, out: Path, bar: Bar = no_bar
) -> Iterator[Played]:
    """Assemble and export."""
    with bar("assemble") as progress:
        facts = assemble(
            work=work,
            takes=recipe.takes,
            total=recipe.total,
            unit=recipe.unit,
            validation=recipe.validation,
            seed=seed if recipe.seed is None else recipe.seed,
            thresholds=recipe.thresholds,
            selection=recipe.selection,
            writers=recipe.writers,
            safety=recipe.safety,
            progress=progress,
        )
    yield Played("assemble", facts)
    with bar("export") as progress:
        facts = export(work=work, folder=out, formats=recipe.formats, progress=progress)
    yield Played("export", facts)


def _no_strangers(work: Path, names: list[str]) -> None:
    """A source that the experiment doesn't name would end up in its dataset."""
    for path in sorted((work / "curate").glob("*")):
        if path.is_dir() and path.name.endswith(".unfinished"):
            shutil.rmtree(path)
        elif path.is_dir() and path.name not in names:
            raise UserError(
                f"this folder also holds source {path.name!r}, which the experiment doesn't name",
                where=str(work),
                mend=f"delete {path}, or name another folder with --work",
            )


def refuse_bad(work: Path, names: list[str], allowed: int) -> None:
    """Stop when more raw items could not be read than allowed.

    Raises:
        UserError: names the first of them, and how to see the rest.
    """
    total = 0
    first = ""
    for name in names:
        count = (store.manifest(work / "curate" / name) or {}).get("bad", 0)
        if count and not first:
            file, row, reason = (
                ledger.scan(work, name, "bad")
                .select("file", "row", "reason")
                .first()
                .collect()
                .row(0)
            )
            first = f"{file}:{row}: {reason}"
        total += count
    if total > allowed:
        more = f", the first of {total} bad items" if total > 1 else ""
        raise UserError(
            f"{first}{more}",
            mend=f"mend it, or go on without with --allow-bad {total}"
            f" (cqia drops --bad --work {work} shows all)",
        )


def recipes(work: Path) -> dict[str, tuple[Step, ...]]:
    """Every curated source's recipe, rebuilt from its manifest, as far as it can be."""
    known: dict[str, type[Step]] = {**CLEANERS, **FILTERS}
    found: dict[str, tuple[Step, ...]] = {}
    for name in ledger.curated(work):
        facts = store.manifest(work / "curate" / name) or {}
        steps = [parse(text, known) for text in facts["steps"]]
        if all(step is not None for step in steps):
            found[name] = tuple(step for step in steps if step is not None)
    return found


def summary(played: list[Played]) -> pl.DataFrame:
    """What every stage read, kept and dropped."""
    rows = [
        {"stage": one.stage, "read": one.facts["read"], "kept": one.facts["kept"]}
        | {"dropped": one.facts["dropped"], "bad": one.facts.get("bad", 0)}
        for one in played
        if "read" in one.facts and "kept" in one.facts
    ]
    return pl.DataFrame(rows)


def places(work: Path) -> list[tuple[str, Path]]:
    """Where to look at what was made."""
    found = [
        ("dataset", work / "dataset"),
        ("funnel", work / "describe" / "funnel.md"),
        ("table", work / "describe" / "sources.md"),
        ("report", work / "report" / "report.html"),
    ]
    return [(what, path) for what, path in found if path.exists()]
