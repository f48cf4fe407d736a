"""Steps named in a TOML: a generic source's recipe, and other bounds for a named one."""

from __future__ import annotations

import dataclasses
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from cqia.cleaners.catalogue import CLEANERS
from cqia.errors import UserError, unknown
from cqia.filters.base import Filter
from cqia.filters.catalogue import FILTERS
from cqia.recipe import Step, keys
from cqia.record import TEXT
from cqia.settings import Table
from cqia.sources.base import Source


def read_steps(table: Table) -> list[Step]:
    """Cleaners and filters by name: { step = "Length", field = "output", low = 10 }."""
    return [step for one in table.tables("steps") if (step := _step(one))]


def _step(table: Table) -> Step | None:
    """The step that a table describes; None, and the faults noted, where it describes none."""
    name = table.take("step", str, "")
    kind = CLEANERS.get(name) or FILTERS.get(name)
    if kind is None:
        problem = unknown("step", name, [*CLEANERS, *FILTERS])
        table.fault("step", f"{problem.what}; {problem.mend}", name)
        return None
    before = len(table.faults)
    hints = get_type_hints(kind)
    given: dict[str, Any] = {}
    for parameter in dataclasses.fields(kind):
        value = table.raw(parameter.name, None)
        if value is not None:
            given[parameter.name] = tuple(value) if isinstance(value, list) else value
            _check(table, parameter.name, value, hints[parameter.name])
        elif parameter.default is parameter.default_factory is dataclasses.MISSING:
            table.fault("step", f"{name} needs {parameter.name!r}", name)
    table.done()
    if len(table.faults) > before:
        return None
    try:
        step = kind(**given)
        _not_crossed(table, step)
        return step
    except UserError as fault:
        table.fault("step", f"{fault.what}; {fault.mend}", name)
        return None


def _check(table: Table, name: str, value: object, kind: object) -> None:
    """Note a parameter's value that it can't have."""
    if not _fits(value, kind):
        table.fault(name, f"{name!r} can't be {value!r}", value)
        return
    columns = [value] if name == "field" else value if name == "fields" else ()
    assert isinstance(columns, list | tuple)
    for column in columns:
        if column not in TEXT:
            problem = unknown("text column", str(column), TEXT)
            table.fault(name, f"{problem.what}; {problem.mend}", column)


def _fits(value: object, kind: object) -> bool:
    """Whether a value from a TOML is of the type that a parameter is declared with."""
    inner = get_args(kind)
    if get_origin(kind) is Literal:
        return value in inner
    if get_origin(kind) is tuple:
        return isinstance(value, list) and all(_fits(one, inner[0]) for one in value)
    if isinstance(kind, UnionType):
        return any(_fits(value, one) for one in inner)
    return type(value) in ((int, float) if kind is float else (kind,))


def _not_crossed(table: Table, step: Step) -> None:
    if not isinstance(step, Filter) or step.low is None or step.high is None:
        return
    if step.low > step.high:
        table.fault("low", f"low {step.low:g} is above high {step.high:g}; swap them", step.low)


def with_bounds(source: Source, table: Table) -> Source:
    """A source with other bounds: [source.bounds] "Length.output" = { low = 200 }."""
    steps = list(source.steps)
    for index, name in enumerate(keys(steps)):
        if not table.has(name):
            table.raw(name, None)
            continue
        bound = table.table(name)
        given = {end: bound.number(end) for end in ("low", "high") if bound.has(end)}
        bound.raw("low", None)
        bound.raw("high", None)
        step = steps[index]
        if isinstance(step, Filter):
            low, high = given.get("low", step.low), given.get("high", step.high)
            steps[index] = dataclasses.replace(step, low=low, high=high)
            _not_crossed(bound, steps[index])
        else:
            table.fault(name, f"{name} is a cleaner and has no bounds", name)
        bound.done()
    table.done()
    return dataclasses.replace(source, steps=tuple(steps))
