"""One TOML, read strictly, played in order, resumable.

    name = "demo"
    seed = 7

    [[source]]
    name = "zhihu"
    files = ["../samples/zhihu/*"]

    [dedup]
    threshold = 0.7

    [[contamination]]
    name = "agieval"
    files = ["${CQIA_DATA}/agieval_zh/*.jsonl"]
    fields = ["question", "options"]

    [assemble]
    formats = ["release", "alpaca"]

Paths are relative to the TOML file; `${NAME}` stands for an environment variable. `data = "x.toml"`
takes sources, dedup, contamination and assemble from another experiment; own ones are added or come
in their place. A `[statement]` says what is trained and evaluated (`cqia.statement`).
"""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, replace
from pathlib import Path

from cqia.contamination import Benchmark
from cqia.errors import UserError, unknown
from cqia.exporters.catalogue import EXPORTERS
from cqia.settings import Table, load, with_environment
from cqia.sources.base import Source
from cqia.sources.catalogue import SOURCES
from cqia.sources.generic import MAPPED, STEPS, Layout, generic
from cqia.stages.assemble import Take
from cqia.statement import Statement
from cqia.statement import read as read_statement
from cqia.steps import read_steps, with_bounds
from cqia.thresholds import Threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A source and its raw files."""

    source: Source
    files: tuple[str, ...]
    columns: tuple[str, ...] = ()
    """Column names of CSV files without a header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dedup:
    """Parameters of `cqia.stages.dedup.dedup`."""

    threshold: float = 0.7
    ngram: int = 5
    permutations: int = 252
    bands: int = 42
    near: str = "record"
    prefer: tuple[str, ...] = ("votes", "length")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assemble:
    """Parameters of `cqia.stages.assemble`."""

    takes: tuple[Take, ...] = ()
    total: int | None = None
    unit: str = "records"
    validation: float = 0.0
    seed: int | None = None
    """Of the sample and the split; None: the experiment's."""
    thresholds: tuple[Threshold, ...] = ()
    selection: str = ""
    """A selection that `cqia select` made: only what it took is taken; empty: none."""
    writers: tuple[str, ...] = ()
    """Models whose drafted answers are taken, from `[[assemble.answer]]`."""
    formats: tuple[str, ...] = ("release",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """What an experiment's TOML says."""

    name: str
    seed: int = 0
    work: Path
    allow_bad: int = 0
    inputs: tuple[Input, ...] = ()
    dedup: Dedup | None = None
    benchmarks: tuple[Benchmark, ...] = ()
    assemble: Assemble | None = None
    statement: Statement | None = None


def read(path: Path, *, work: Path | None = None) -> Experiment:
    """Read an experiment's TOML.

    Args:
        path: the TOML file.
        work: the working folder; None: what the file says, or `work/NAME`.

    Raises:
        UserError: everything that is wrong with it, a line each.
    """
    table = load(path)
    name = table.take("name", str, path.stem)
    seed = table.take("seed", int, 0)
    place = Path(table.take("work", str, f"work/{name}"))
    data = table.take("data", str, "")
    base = read(path.parent / data, work=work or place) if data else None
    allow_bad = table.take("allow_bad", int, base.allow_bad if base else 0)
    own = tuple(one for block in table.tables("source") if (one := _input(block, path)))
    experiment = Experiment(
        name=name,
        seed=seed,
        work=work or place,
        allow_bad=allow_bad,
        inputs=(base.inputs if base else ()) + own,
        dedup=_dedup(table.table("dedup")) if table.has("dedup") else base and base.dedup,
        benchmarks=(base.benchmarks if base else ())
        + tuple(_benchmark(block, path) for block in table.tables("contamination")),
        assemble=_assemble(table.table("assemble"))
        if table.has("assemble")
        else base and base.assemble,
    )
    if experiment.benchmarks and not experiment.dedup:
        table.fault("contamination", "contamination is looked for in dedup; add a [dedup] table")
    names = [one.source.name for one in experiment.inputs]
    if table.has("statement"):
        found = read_statement(table.table("statement"), path, names)
        subsets = tuple(
            replace(one, takes=recipe(Path(one.recipe)).takes) if one.recipe else one
            for one in found.subsets
        )
        found = replace(found, subsets=subsets)
        experiment = replace(experiment, statement=found)
        if not experiment.assemble:
            table.fault("statement", "a statement is about a dataset; add an [assemble] table")
        elif not experiment.assemble.validation and any(one.held_out for one in found.measures):
            table.fault("validation", "held_out items need [assemble] validation above 0")
    for twice in sorted({one for one in names if names.count(one) > 1}):
        table.fault("source", f"source {twice!r} stands twice; put its files into one block")
    table.close()
    return experiment


SIDE = ("dedup", "contamination", "statement")
"""Tables of an experiment that a recipe alone doesn't need."""


def recipe(path: Path) -> Assemble:
    """The `[assemble]` part of a TOML, for `cqia assemble --recipe`.

    Its seed is the experiment's where it has none of its own, so that it makes what the experiment
    makes.

    Raises:
        UserError: what is wrong with it.
    """
    table = load(path)
    if not table.has("assemble"):
        table.fault("assemble", "there is no [assemble] table")
    found = _assemble(table.table("assemble"))
    seed = table.optional("seed", int)
    for name in ("name", "work", "allow_bad", "data", "source", *SIDE):
        table.raw(name, None)
    table.close()
    return replace(found, seed=seed if found.seed is None else found.seed)


def _files(table: Table, root: Path) -> tuple[str, ...]:
    """The files behind a table's patterns, sorted within each pattern."""
    found: list[str] = []
    if not table.has("files"):
        table.fault("files", 'no files; name them: files = ["data/*.jsonl"]')
    for pattern in table.strings("files"):
        try:
            place = Path(with_environment(pattern, table.where("files", pattern)))
        except UserError as fault:
            if not any(fault.what in told for told in table.faults):
                table.faults.append(str(fault))
            continue
        place = place if place.is_absolute() else root / place
        if place.is_dir():
            table.fault("files", f"{place} is a folder; name its files: {place}/*", pattern)
            continue
        matches = sorted(one for one in glob.glob(str(place)) if Path(one).is_file())
        if not matches:
            table.fault("files", f"no file matches {place}; check the path", pattern)
        found += [short(match) for match in matches]
    return tuple(dict.fromkeys(found))


def short(path: str) -> str:
    """A path as people would write it: relative when it lies below the current folder."""
    whole = os.path.abspath(path)
    near = os.path.relpath(whole)
    return whole if near.startswith("..") else near


def _input(table: Table, path: Path) -> Input | None:
    name = table.take("name", str, "")
    files = _files(table, path.parent)
    columns = table.strings("columns")
    reader = table.optional("reader", str)
    try:
        if reader is not None:
            source = _generic(table, name, reader)
        elif name in SOURCES:
            source = SOURCES[name]
        else:
            raise unknown("source", name, SOURCES)
    except UserError as fault:
        table.fault("reader" if reader else "name", f"{fault.what}; {fault.mend}", reader or name)
        return None
    if columns and not any(form.kind == "csv" for form in source.forms):
        table.fault("columns", "only CSV files have columns to name")
    source = with_bounds(source, table.table("bounds"))
    table.done()
    return Input(source=source, files=files, columns=columns)


def _generic(table: Table, name: str, reader: str) -> Source:
    columns, templates = _mapping(table.table("map")), table.strings("templates")
    answers = table.take("answers", int, 1)
    if answers < 0:
        table.fault("answers", "'answers' is 1 or more, or 0 for all", answers)
    return generic(
        name=name,
        layout=Layout(reader=reader, map=columns, templates=templates),
        family=table.take("family", str, ""),
        type=table.take("type", str, "nlp"),
        title=table.take("title", str, ""),
        origin=table.take("origin", str, "not stated"),
        licence=table.take("licence", str, "not stated"),
        steps=tuple(read_steps(table)) if table.has("steps") else STEPS,
        answers=answers or None,
        labels=_labels(table.table("labels")),
    )


def _mapping(table: Table) -> dict[str, str]:
    fields = {column: table.optional(column, str) for column in MAPPED}
    table.done()
    return {column: field for column, field in fields.items() if field is not None}


ANSWERERS = ("human", "llm", "expert")


def _labels(table: Table) -> dict[str, object]:
    labels: dict[str, object] = {}
    for column in ("task_major", "task_minor", "domain"):
        if table.has(column):
            labels[column] = list(table.strings(column))
        table.raw(column, None)
    for column in ("answer_from", "copyright"):
        if value := table.take(column, str, ""):
            labels[column] = value
    if labels.get("answer_from", "human") not in ANSWERERS:
        problem = unknown("answerer", str(labels["answer_from"]), ANSWERERS)
        table.fault("answer_from", f"{problem.what}; {problem.mend}")
    if table.take("human_verified", bool, False):
        labels["human_verified"] = True
    table.done()
    return labels


def _dedup(table: Table) -> Dedup:
    base = Dedup()
    found = Dedup(
        threshold=table.take("threshold", float, base.threshold),
        ngram=table.take("ngram", int, base.ngram),
        permutations=table.take("permutations", int, base.permutations),
        bands=table.take("bands", int, base.bands),
        near=table.take("near", str, base.near),
        prefer=table.strings("prefer", base.prefer),
    )
    table.done()
    return found


def _benchmark(table: Table, path: Path) -> Benchmark:
    found = Benchmark(
        name=table.take("name", str, ""),
        files=_files(table, path.parent),
        fields=table.strings("fields", ("question",)),
        threshold=table.take("threshold", float, 0.5),
        drop=table.take("drop", bool, False),
    )
    if not found.name:
        table.fault("name", "a benchmark needs a name")
    table.done()
    return found


def _assemble(table: Table) -> Assemble:
    takes = []
    for one in table.tables("take"):
        takes.append(
            Take(
                source=one.take("source", str, "") or None,
                family=one.take("family", str, "") or None,
                amount=one.optional("amount", int),
                weight=one.optional("weight", float),
                stratify=one.take("stratify", str, "task_minor"),
                temperature=one.take("temperature", float, 1.0),
            )
        )
        one.done()
    thresholds = []
    for one in table.tables("score"):
        thresholds.append(
            Threshold(
                judge=one.take("judge", str, ""),
                model=one.take("model", str, ""),
                low=one.optional("low", float),
                high=one.optional("high", float),
                unscored=one.take("unscored", str, "leave"),
            )
        )
        one.done()
    writers = []
    for one in table.tables("answer"):
        writers.append(one.take("model", str, ""))
        if not writers[-1]:
            one.fault("model", "an answer names the model that drafted it")
        one.done()
    formats = table.strings("formats", ("release",))
    for name in formats:
        if name not in EXPORTERS:
            problem = unknown("format", name, EXPORTERS)
            table.fault("formats", f"{problem.what}; {problem.mend}")
    found = Assemble(
        takes=tuple(takes),
        total=table.optional("total", int),
        unit=table.take("unit", str, "records"),
        validation=table.take("validation", float, 0.0),
        seed=table.optional("seed", int),
        thresholds=tuple(thresholds),
        selection=table.take("selection", str, ""),
        writers=tuple(writers),
        formats=formats,
    )
    table.done()
    return found
