"""Steps named in a TOML: a generic source's recipe, and other bounds for a named one."""

from __future__ import annotations

import dataclasses
from typing import Any, get_args

from cqia.cleaners.catalogue import CLEANERS
from cqia.errors import unknown
from cqia.filters.base import Filter
from cqia.filters.catalogue import FILTERS
from cqia.recipe import Step, keys
from cqia.settings import Table
from cqia.sources.base import Source


def read_steps(table: Table) -> list[Step]:
    """Cleaners and filters by name: { step = "Length", field = "output", low = 10 }."""
    steps: list[Step] = []
    for one in table.tables("steps"):
        name = one.take("step", str, "")
        kind = CLEANERS.get(name) or FILTERS.get(name)
        if kind is None:
            problem = unknown("step", name, [*CLEANERS, *FILTERS])
            one.fault("step", f"{problem.what}; {problem.mend}", name)
            continue
        given: dict[str, Any] = {}
        for parameter in dataclasses.fields(kind):
            if (value := one.raw(parameter.name, None)) is not None:
                given[parameter.name] = _fitting(one, parameter, value)
        one.done()
        if not one.faults:
            steps.append(kind(**given))
    return steps


def _fitting(table: Table, parameter: dataclasses.Field[Any], value: object) -> object:
    """A parameter's value in its own type; a fault where it doesn't fit."""
    default = parameter.default
    if isinstance(value, list):
        return tuple(value)
    wanted = {type(default)} | {type(one) for one in get_args(parameter.type)}
    number = isinstance(value, int | float) and not isinstance(value, bool)
    numeric = default is None or isinstance(default, int | float)
    if type(value) in wanted or (number and numeric):
        return value
    table.fault(parameter.name, f"{parameter.name!r} can't be {value!r}")
    return default


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
        bound.done()
        step = steps[index]
        if isinstance(step, Filter):
            low, high = given.get("low", step.low), given.get("high", step.high)
            steps[index] = dataclasses.replace(step, low=low, high=high)
        else:
            table.fault(name, f"{name} is a cleaner and has no bounds", name)
    table.done()
    return dataclasses.replace(source, steps=tuple(steps))
