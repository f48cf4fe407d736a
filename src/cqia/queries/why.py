"""why: everything that was done to and said of one record, from raw file and line to its fate.

The ledger keeps the text before the first cleaner and after the last; the steps between are played
again, since cleaners are pure functions. Where the end of the play differs from what the ledger
holds (the program has changed since), the answer says so.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cqia import answers, decisions, ledger, store
from cqia.cleaners.base import Cleaner
from cqia.errors import UserError
from cqia.filters.base import within
from cqia.recipe import Step, keys
from cqia.record import SCHEMA, TEXT
from cqia.selection import results


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to the record.

    what: read, changed, found, kept, dropped, unmeasured, duplicate, taken, left, …
    step: the rule or stage.
    detail: the measure with its bounds, or the counts.
    field, before, after: the text, when a cleaner changed it.
    """

    what: str
    step: str
    detail: str = ""
    field: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """A record and its events in order."""

    record: dict[str, Any]
    events: tuple[Event, ...]
    fate: str
    """kept, or the rule that dropped it."""


def why(work: Path, id: str, *, steps: dict[str, tuple[Step, ...]]) -> Story:
    """Tell a record's story.

    Args:
        work: the working folder.
        id: the record's id.
        steps: source -> its recipe, to play the cleaners again; a source that is missing here, or
            whose recipe is not the one in the manifest, shows only the text before and after.

    Raises:
        UserError: there is no such record.
    """
    source, record, dropped = _find(work, id)
    facts = store.manifest(ledger.source_folder(work, source)) or {}
    events = [Event("read", source, f"{record['file']}:{record['row']}")]
    fate = record["rule"] if dropped else "kept"
    before = _one(ledger.scan(work, source, "changes"), id)
    recipe = steps.get(source, ())
    if [repr(step) for step in recipe] == facts["steps"]:
        events += _replay(record, before, recipe)
    elif before:
        events += _ends(record, before)
    measures = _one(ledger.scan(work, source, "measures"), id) or {}
    events += _verdicts(measures, facts["bounds"], fate)
    more, end = _later(work, id)
    return Story(record, (*events, *more), end or fate)


def _find(work: Path, id: str) -> tuple[str, dict[str, Any], bool]:
    names = ledger.curated(work)
    likely = sorted(names, key=lambda name: (not id.startswith(f"{name}-"), name))
    for source in likely:
        for table in ("kept", "dropped"):
            if found := _one(ledger.scan(work, source, table), id):
                return source, found, table == "dropped"
    raise UserError(
        f"no record has the id {id!r}", where=str(work), mend="cqia drops --examples shows some ids"
    )


def _one(table: pl.LazyFrame, id: str) -> dict[str, Any] | None:
    if "id" not in table.collect_schema():
        return None
    found = table.filter(pl.col("id") == id).head(1).collect()
    return found.row(0, named=True) if len(found) else None


def _replay(
    record: dict[str, Any], before: dict[str, Any] | None, steps: tuple[Step, ...]
) -> list[Event]:
    """The cleaners once more over this one record, each change with the text before and after."""
    text = {field: (before or {}).get(f"before_{field}", record[field]) for field in TEXT}
    frame = pl.DataFrame([text], schema={field: SCHEMA[field] for field in TEXT})
    events: list[Event] = []
    for name, step in zip(keys(steps), steps, strict=True):
        if not isinstance(step, Cleaner):
            continue
        for field in step.fields:
            events += _found(name, step, frame, field)
            after = frame.with_columns(step.clean(pl.col(field)).alias(field))
            if frame[field][0] != after[field][0]:
                events.append(
                    Event("changed", name, "", field, frame[field][0] or "", after[field][0] or "")
                )
            frame = after
    if any(frame[field][0] != record[field] for field in TEXT):
        events.append(Event("unlike", "ledger", "the steps played again end in another text"))
    return events


def _found(name: str, step: Cleaner, frame: pl.DataFrame, field: str) -> list[Event]:
    counts = step.counts(pl.col(field))
    if counts is None:
        return []
    found = {kind: n for kind, n in frame.select(counts).item().items() if n}
    said = ", ".join(f"{kind} {n}" for kind, n in found.items())
    return [Event("found", name, said, field)] if found else []


def _ends(record: dict[str, Any], before: dict[str, Any]) -> list[Event]:
    return [
        Event("changed", ", ".join(before["cleaners"]), "", field, was, record[field])
        for field in TEXT
        if (was := before[f"before_{field}"] or "") != record[field]
    ]


def _verdicts(
    measures: dict[str, Any], bounds: dict[str, list[float | None]], fate: str
) -> list[Event]:
    """Every filter's measure beside its bounds."""
    events = []
    limits: dict[str, list[float | None]] = {ledger.SAME_ID: [None, 1.0], **bounds}
    for name, (low, high) in limits.items():
        value = measures.get(name)
        if name == ledger.SAME_ID and value == 1:
            continue
        if value is None:
            events.append(Event("unmeasured", name, interval(low, high)))
            continue
        inside = pl.select(within(pl.lit(float(value)), low, high)).item()
        what = "passed" if inside else ("dropped" if name == fate else "outside")
        events.append(Event(what, name, f"{value:g} {interval(low, high)}"))
    return events


def interval(low: float | None, high: float | None) -> str:
    """Bounds as people write them: `>= 10`, `<= 0.5`, `in 10..200`, or nothing."""
    if low is not None and high is not None:
        return f"(in {low:g}..{high:g})"
    if low is not None:
        return f"(>= {low:g})"
    return f"(<= {high:g})" if high is not None else "(no bound)"


def _later(work: Path, id: str) -> tuple[list[Event], str]:
    """What the stages after curate said of the record; and its fate if one of them dropped it."""
    events: list[Event] = []
    end = ""
    for path in sorted((work / "dedup" / "contamination").glob("*.parquet")):
        if hit := _one(pl.scan_parquet(path), id):
            events.append(
                Event("contaminated", path.stem, f"share {hit['share']:.2f} of {hit['item']}")
            )
    if store.manifest(work / "dedup"):
        found = _one(pl.scan_parquet(work / "dedup" / "dropped.parquet"), id)
        if found:
            end = found["rule"]
            keeper = f", kept: {found['keeper']}" if found["keeper"] else ""
            events.append(Event("dropped", end, f"{found['value']:g}{keeper}"))
    people = _people(work, id)
    events += people
    events += _drafts(work, id)
    events += _selections(work, id)
    for table, what in (("chosen", "taken"), ("left", "left")):
        path = work / "assemble" / f"{table}.parquet"
        if path.exists() and (found := _one(pl.scan_parquet(path), id)):
            said = str(found.get("split") or found.get("rule"))
            writer = found.get("writer") or ""
            said += f", answer by {writer}" if "/" in writer else ""
            events.append(Event(what, "assemble", said))
            # A candidate stands, whatever turned it away before people brought it back.
            end = "kept" if what == "taken" else str(found["rule"])
    return events, end


BY_PEOPLE = frozenset({"confirmed", "refuted", "let stand", "restored", "turned away"})
"""What people said; who reviews a record blind is not shown these events."""


def _people(work: Path, id: str) -> list[Event]:
    """What people said of the record, and of its pairs."""
    said = {"same": "confirmed", "different": "refuted"}
    checked = decisions.checks(work).filter((pl.col("a") == id) | (pl.col("b") == id))
    events = [
        Event(said[verdict], kind, f"{b if a == id else a}, by {by}")
        for kind, a, b, verdict, by in checked.iter_rows()
    ]
    for one in decisions.read(work).filter(id=id).iter_rows(named=True):
        what = {"keep": "let stand", "restore": "restored", "drop": "turned away"}[one["verdict"]]
        detail = f"{one['reason']}, by {one['by']}".removeprefix(", ")
        events.append(Event(what, one["rule"] or "people", detail))
    return events


def _drafts(work: Path, id: str) -> list[Event]:
    """The answers that models drafted for the record, or why they did not."""
    events = []
    for path in sorted((work / "answer").glob("*/manifest.json")):
        found = answers.read(work, path.parent.name).filter(pl.col("id") == id)
        for one in found.iter_rows(named=True):
            said = one["reason"] or f"prompt {one['prompt']}"
            said += f", note {one['note']}" if one["note"] else ""
            who = f"{one['family']}/{one['model']}"
            what = "drafted" if one["state"] == "read" else f"draft {one['state']}"
            events.append(Event(what, who, said, "output", "", one["output"] or one["reply"] or ""))
    return events


def _selections(work: Path, id: str) -> list[Event]:
    """Why each selection took the record, or took it not."""
    events = []
    for name in results.made(work):
        folder = results.folder_of(work, name)
        if found := _one(pl.scan_parquet(folder / "selected.parquet"), id):
            events.append(Event("selected", name, f"number {found['order']}: {found['reason']}"))
        elif found := _one(pl.scan_parquet(folder / "left.parquet"), id):
            said = str(found["rule"])
            said += "" if found["value"] is None else f" {found['value']:.4g}"
            said += "" if found["bound"] is None else f", bound {found['bound']:.4g}"
            said += f", like {found['other']}" if found["other"] else ""
            events.append(Event("not selected", name, said))
    return events


def as_rows(story: Story) -> list[dict[str, str]]:
    """The events as plain rows."""
    return [dataclasses.asdict(event) for event in story.events]
