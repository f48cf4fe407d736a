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

from dataclasses import dataclass, replace
from pathlib import Path

from cqia.contamination import Benchmark
from cqia.errors import unknown
from cqia.exporters.catalogue import EXPORTERS
from cqia.inputs import Input, files_of, input_of
from cqia.settings import Table, load
from cqia.stages.assemble import Take
from cqia.statement import Statement
from cqia.statement import read as read_statement
from cqia.thresholds import Threshold


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
    safety: bool = False
    """Whether the sources that `cqia safety` rejected, and the records that failed it, stay out."""
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
    own = tuple(one for block in table.tables("source") if (one := input_of(block, path)))
    experiment = Experiment(
        name=name,
        seed=seed,
        work=work or place,
        allow_bad=allow_bad,
        inputs=(base.inputs if base else ()) + own,
        dedup=_dedup(table.table("dedup"))
        if table.has("dedup")
        else (base.dedup if base else None),
        benchmarks=(base.benchmarks if base else ())
        + tuple(_benchmark(block, path) for block in table.tables("contamination")),
        assemble=_assemble(table.table("assemble"))
        if table.has("assemble")
        else (base.assemble if base else None),
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
        files=files_of(table, path.parent),
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
        safety=table.take("safety", bool, False),
        formats=formats,
    )
    table.done()
    return found
