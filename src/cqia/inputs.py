"""The `[[source]]` blocks of an experiment: known or described sources, and files."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from pathlib import Path

from cqia.errors import UserError, unknown
from cqia.places.files import checked, is_elsewhere
from cqia.settings import Table, with_environment
from cqia.sources.base import Source
from cqia.sources.catalogue import SOURCES
from cqia.sources.generic import MAPPED, STEPS, Layout, generic
from cqia.steps import read_steps, with_bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A source and its raw files."""

    source: Source
    files: tuple[str, ...]
    columns: tuple[str, ...] = ()
    """Column names of CSV files without a header."""


def files_of(table: Table, root: Path) -> tuple[str, ...]:
    """The files behind a table's patterns, sorted within each pattern.

    Patterns of places elsewhere stay as they are: no network is needed to read an experiment.
    """
    found: list[str] = []
    if not table.has("files"):
        table.fault("files", 'no files; name them: files = ["data/*.jsonl"]')
    for pattern in table.strings("files"):
        try:
            named = checked(with_environment(pattern, table.where("files", pattern)))
        except UserError as fault:
            if not any(fault.what in told for told in table.faults):
                table.faults.append(str(fault))
            continue
        if is_elsewhere(named):
            found.append(named)
            continue
        place = root / named
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


def input_of(table: Table, path: Path) -> Input | None:
    """A `[[source]]` block; None where it is wrong, which is noted."""
    name = table.take("name", str, "")
    files = files_of(table, path.parent)
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
