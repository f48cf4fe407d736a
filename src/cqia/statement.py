"""The `[statement]` table of an experiment: which rows are trained, and how they are judged.

    [statement]
    seeds = [1, 2, 3]
    amount = 900                      # so many records of every subset
    writers = { ruozhiba = "gpt" }    # who wrote a source's answers, where it is known

    [[statement.base]]
    name = "proxy"
    preset = "proxy-3m"               # or a folder, a hub's name, "yi-6b", ...

    [[statement.subset]]
    name = "medical"
    sources = ["medical"]

    [[statement.benchmark]]
    name = "safetybench"
    files = ["${CQIA_DATA}/safetybench/test_zh_subset.json"]

Rows are subsets x bases x seeds; beside them stands every base as it is, untuned.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_args

from cqia.errors import UserError, unknown
from cqia.places.files import checked, is_elsewhere
from cqia.settings import Table, with_environment
from cqia.stages.assemble import Take
from cqia.training.budget import Unit
from cqia.training.tuning import Tuning

CONTROLS = ("", "shuffle", "swap")
"""What may be done to a subset so that it must not help: its answers' characters are shuffled, or
the answers are exchanged between its prompts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A model that is tuned, and evaluated as it is."""

    name: str
    preset: str
    tokens: int | None = None
    """Of a proxy: tokens that it is pre-trained on; None: the preset's."""
    tune: bool = True
    """False: a baseline that is only evaluated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subset:
    """What one row is trained on."""

    name: str
    sources: tuple[str, ...] = ()
    """Empty: all."""
    weights: tuple[tuple[str, float], ...] = ()
    """Shares of a mixture, by source; none: the sources' records together."""
    recipe: str = ""
    """A TOML whose [assemble] takes are the subset; the statement's amount doesn't cut it."""
    takes: tuple[Take, ...] = ()
    control: str = ""
    kind: str = "subset"
    """subset, random, pair, without or mixture: what attribution makes of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A benchmark with its items and how it is asked."""

    name: str
    """As the tables call it."""
    benchmark: str
    """Its name in `cqia.benchmarks.catalogue`."""
    files: tuple[str, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()
    """Fields of the benchmark's class that the TOML sets."""
    held_out: bool = False
    """The items are the records that assemble held out, a group a source."""
    limit: int | None = None
    """So many items of each group, by lottery."""
    judges: tuple[str, ...] = ()
    """Models that judge it."""
    against: tuple[str, ...] = ()
    """Of a comparison: the bases whose answers, as they are, stand on the other side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Rows beyond one source at a time."""

    without: bool = False
    """One row a source: all the others."""
    pairs: bool = False
    mixtures: int = 0
    """Random mixtures to learn from how sources add up."""
    check: int = 0
    """Best mixtures that are predicted and then trained, for so many abilities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is trained and how it is judged."""

    seeds: tuple[int, ...] = (1, 2, 3)
    amount: int | None = None
    unit: Unit = "records"
    repeat: bool = False
    """A source that is smaller than the amount is gone through again; else it stays smaller."""
    writers: tuple[tuple[str, str], ...] = ()
    bases: tuple[Base, ...] = ()
    subsets: tuple[Subset, ...] = ()
    measures: tuple[Measure, ...] = ()
    tuning: Tuning = field(default_factory=Tuning)
    attribution: Attribution = Attribution()
    models: Path = Path("models.toml")
    """Where judges and baselines stand."""


def read(table: Table, path: Path, sources: list[str]) -> Statement:
    """Read the table; its faults are noted in it.

    Args:
        table: `[statement]`.
        path: the TOML file.
        sources: the experiment's sources.
    """
    base = Statement()
    seeds = table.raw("seeds", list(base.seeds))
    if not isinstance(seeds, list) or not seeds or not all(type(one) is int for one in seeds):
        table.fault("seeds", "'seeds' is a list of whole numbers, one at least")
        seeds = list(base.seeds)
    amount = table.optional("amount", int)
    said = table.take("unit", str, base.unit if amount else "all")
    if said not in get_args(Unit):
        problem = unknown("unit", said, get_args(Unit))
        table.fault("unit", f"{problem.what}; {problem.mend}", said)
    unit: Unit = next((one for one in get_args(Unit) if one == said), "all")
    if (unit == "all") == (amount is not None):
        table.fault("amount", "an amount stands with the unit records or tokens, and only there")
    models = Path(table.take("models", str, str(base.models)))
    found = Statement(
        seeds=tuple(dict.fromkeys(seeds)),
        amount=amount,
        unit=unit,
        repeat=table.take("repeat", bool, False),
        writers=_writers(table, sources),
        bases=tuple(_base(one) for one in table.tables("base")),
        subsets=tuple(_subset(one, path, sources) for one in table.tables("subset")),
        measures=tuple(_measure(one, path) for one in table.tables("benchmark")),
        tuning=_tuning(table.table("tuning")),
        attribution=_attribution(table.table("attribution")),
        models=models if models.is_absolute() else path.parent / models,
    )
    for what, rows in (("base", found.bases), ("benchmark", found.measures)):
        if not rows:
            table.fault(what, f"a statement needs a [[statement.{what}]]")
    known = [one.name for one in found.bases]
    for other in sorted({one for measure in found.measures for one in measure.against}):
        if other not in known:
            problem = unknown("base", other, known)
            table.fault("benchmark", f"{problem.what}; {problem.mend}", other)
    for what, names in (
        ("base", [one.name for one in found.bases]),
        ("subset", [one.name for one in found.subsets]),
        ("benchmark", [one.name for one in found.measures]),
    ):
        for name in names:
            if not name or name == "untuned" or any(c in name for c in "/\\@") or name[0] == ".":
                table.fault(what, f"{name!r} can't name a {what}: letters, digits, '-' and '_'")
        for twice in sorted({one for one in names if names.count(one) > 1}):
            table.fault(what, f"{what} {twice!r} stands twice", twice)
    table.done()
    return found


def _writers(table: Table, sources: list[str]) -> tuple[tuple[str, str], ...]:
    inner = table.table("writers")
    found = {name: value for name in sources if (value := inner.optional(name, str))}
    inner.done()
    return tuple(found.items())


def _base(table: Table) -> Base:
    name = table.take("name", str, "")
    found = Base(
        name=name,
        preset=table.take("preset", str, name),
        tokens=table.optional("tokens", int),
        tune=table.take("tune", bool, True),
    )
    table.done()
    return found


def _subset(table: Table, path: Path, sources: list[str]) -> Subset:
    name = table.take("name", str, "")
    weights = table.table("weights")
    shares = tuple((one, w) for one in sources if (w := weights.number(one)) is not None)
    weights.done()
    recipe = table.take("recipe", str, "")
    if recipe and not (path.parent / recipe).is_file():
        table.fault("recipe", f"no such file: {path.parent / recipe}", recipe)
    found = Subset(
        name=name,
        sources=table.strings("sources", () if shares or recipe else (name,)),
        weights=shares,
        recipe=str(path.parent / recipe) if recipe else "",
        control=table.take("control", str, ""),
        kind="random" if table.take("random", bool, False) else "subset",
    )
    if found.kind == "random" and found.sources == (name,):
        found = Subset(name=name, control=found.control, kind="random")
    if found.control not in CONTROLS:
        problem = unknown("control", found.control, CONTROLS[1:])
        table.fault("control", f"{problem.what}; {problem.mend}", found.control)
    for one in found.sources:
        if one not in sources:
            problem = unknown("source", one, sources)
            table.fault("sources", f"{problem.what}; {problem.mend}", one)
    if any(share <= 0 for _, share in shares):
        table.fault("weights", "a share is above 0")
    table.done()
    return found


def _measure(table: Table, path: Path) -> Measure:
    name = table.take("name", str, "")
    files = []
    for pattern in table.strings("files"):
        try:
            named = checked(with_environment(pattern, table.where("files", pattern)))
        except UserError as fault:
            table.faults.append(str(fault))
            continue
        if is_elsewhere(named):
            files.append(named)
            continue
        place = path.parent / named
        matches = sorted(place.parent.glob(place.name)) if place.parent.is_dir() else []
        if not matches:
            table.fault("files", f"no file matches {place}; check the path", pattern)
        files += [str(one) for one in matches]
    options = table.table("options")
    found = Measure(
        name=name,
        benchmark=table.take("benchmark", str, name),
        files=tuple(files),
        options=options.rest(),
        held_out=table.take("held_out", bool, False),
        limit=table.optional("limit", int),
        judges=table.strings("judges"),
        against=table.strings("against"),
    )
    if found.held_out == bool(files):
        table.fault("files", "a benchmark has files, or held_out = true")
    table.done()
    return found


def _tuning(table: Table) -> Tuning:
    base = Tuning()
    given: dict[str, Any] = {}
    for one in fields(Tuning):
        default = getattr(base, one.name)
        if isinstance(default, tuple):
            given[one.name] = table.strings(one.name, default)
        elif default is None:
            if table.has(one.name):
                given[one.name] = table.raw(one.name, None)
        else:
            given[one.name] = table.take(one.name, type(default), default)
    try:
        found = Tuning(**given)
    except UserError as fault:
        table.fault("method", f"{fault.what}; {fault.mend}")
        found = base
    table.done()
    return found


def _attribution(table: Table) -> Attribution:
    found = Attribution(
        without=table.take("without", bool, False),
        pairs=table.take("pairs", bool, False),
        mixtures=table.take("mixtures", int, 0),
        check=table.take("check", int, 0),
    )
    if found.mixtures < 0 or found.check < 0:
        table.fault("mixtures", "numbers of mixtures are 0 or more")
    if found.check and not found.mixtures:
        table.fault("check", "the best mixture is learnt from mixtures: name how many")
    table.done()
    return found
