"""A recipe: cleaners and filters in order, and what becomes of records that go through it.

Every cleaner and every filter sees every record, also one that an earlier filter turned away: so
the ledger holds all measures and a bound can be moved without a rerun. A record's fate is the first
filter, in the recipe's order, whose bounds it misses.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.filters.base import Filter, within
from cqia.ledger import DROP, SAME_ID, time_of
from cqia.record import SCHEMA, TEXT

Step = Cleaner | Filter


class Outcome(NamedTuple):
    """What a recipe made of some records."""

    kept: pl.DataFrame
    dropped: pl.DataFrame
    measures: pl.DataFrame
    changes: pl.DataFrame


def keys(steps: Sequence[Step]) -> list[str]:
    """The steps' names in the ledger; a name that occurs again gets a number."""
    seen: dict[str, int] = {}
    names = []
    for step in steps:
        seen[step.key] = seen.get(step.key, 0) + 1
        names.append(step.key if seen[step.key] == 1 else f"{step.key}#{seen[step.key]}")
    return names


def apply(records: pl.DataFrame, steps: Sequence[Step]) -> Outcome:
    """Run a recipe over records.

    Args:
        records: the columns of `cqia.record.SCHEMA`.
        steps: cleaners and filters, in order.

    Returns:
        The kept and the dropped (together all of `records`, in their order), the measures of all,
        and the changes.
    """
    before = records.select("id", *TEXT)
    frame = records
    touched: list[pl.Series] = []
    counts: list[pl.Series] = []
    measures: list[pl.Series] = []
    bounds: list[tuple[str, Filter]] = []
    for name, step in zip(keys(steps), steps, strict=True):
        if isinstance(step, Cleaner):
            frame, hit, found = _clean(frame, name, step)
            touched.append(hit)
            counts += found
        else:
            measures.append(frame.select(step.measure().alias(name)).to_series())
            bounds.append((name, step))
    table = pl.DataFrame([frame["id"], frame["file"], frame["row"], *measures])
    table = table.with_columns(time_of(pl.col("id")).alias(SAME_ID))
    fate = table.select(_fate(bounds)).unnest("fate")
    judged = pl.concat([frame, fate], how="horizontal")
    return Outcome(
        kept=judged.filter(pl.col("rule").is_null()).select(*SCHEMA),
        dropped=judged.filter(pl.col("rule").is_not_null()).select(*SCHEMA, *DROP),
        measures=table,
        changes=_changes(before, touched, counts),
    )


def _clean(
    frame: pl.DataFrame, name: str, step: Cleaner
) -> tuple[pl.DataFrame, pl.Series, list[pl.Series]]:
    """Clean the step's fields; say which records changed and what was found."""
    counts = {field: step.counts(pl.col(field)) for field in step.fields}
    given = {field: count for field, count in counts.items() if count is not None}
    found = list(frame.select(**given).get_columns()) if given else []
    tables = [one.struct.unnest() for one in found]
    counted = [
        sum((table[kind] for table in tables[1:]), tables[0][kind]).alias(f"{name}.{kind}")
        for kind in (tables[0].columns if tables else [])
    ]
    after = frame.with_columns(step.clean(pl.col(field)).alias(field) for field in step.fields)
    hit = pl.Series(name, [False], dtype=pl.Boolean).new_from_index(0, len(frame))
    for field in step.fields:
        hit = hit | frame[field].ne_missing(after[field])
    after, earlier = _clean_context(after, step)
    return after, (hit | earlier).alias(name), counted


def _clean_context(frame: pl.DataFrame, step: Cleaner) -> tuple[pl.DataFrame, pl.Series]:
    """Clean what stood before the last turn; also say which records changed.

    System and earlier questions are cleaned like the instruction, earlier answers like the output:
    personal data would stay there otherwise. The counts in the ledger are of the last turn.
    """
    fields = [field for field in ("instruction", "output") if field in step.fields]
    lead = frame["system"]
    if "instruction" in fields and (lead != "").any():
        frame = frame.with_columns(system=step.clean(pl.col("system")))
    hit = frame["system"].ne_missing(lead)
    long = frame.select("id", "history").filter(pl.col("history").list.len() > 0)
    if long.is_empty() or not fields:
        return frame, hit
    turns = long.explode("history").unnest("history")
    clean = turns.with_columns(step.clean(pl.col(field)).alias(field) for field in fields)
    other = [turns[field].ne_missing(clean[field]) for field in fields]
    changed = clean.filter(other[0] | other[-1])["id"]
    history = clean.group_by("id", maintain_order=True).agg(
        history=pl.struct("instruction", "output")
    )
    after = frame.update(history, on="id", how="left", maintain_order="left")
    return after, hit | frame["id"].is_in(changed.implode())


def _fate(bounds: Sequence[tuple[str, Filter]]) -> pl.Expr:
    """The first filter that turns a record away: rule, value, low, high; all null: kept."""
    limits = [(SAME_ID, None, 1.0), *((name, step.low, step.high) for name, step in bounds)]
    verdicts = [
        pl.when(~within(pl.col(name), low, high)).then(
            pl.struct(
                rule=pl.lit(name),
                value=pl.col(name).cast(pl.Float64),
                low=pl.lit(low, pl.Float64),
                high=pl.lit(high, pl.Float64),
            )
        )
        for name, low, high in limits
    ]
    none = pl.lit(None, dtype=pl.Struct(DROP))
    return pl.coalesce([*verdicts, none]).alias("fate")


def _changes(
    before: pl.DataFrame, touched: Sequence[pl.Series], counts: Sequence[pl.Series]
) -> pl.DataFrame:
    """The records that a cleaner changed or found something in, with the text as it was."""
    table = before.rename({field: f"before_{field}" for field in TEXT})
    if not touched:
        return table.clear().with_columns(cleaners=pl.lit([], dtype=pl.List(pl.String)))
    names = [pl.when(pl.col(hit.name)).then(pl.lit(hit.name)) for hit in touched]
    marks = pl.DataFrame(touched).select(cleaners=pl.concat_list(names).list.drop_nulls())
    table = table.with_columns(marks.to_series(), *counts)
    some = pl.col("cleaners").list.len() > 0
    if counts:
        some = some | (pl.sum_horizontal(count.name for count in counts) > 0)
    return table.filter(some)


def parse(text: str, known: Mapping[str, type[Step]]) -> Step | None:
    """The step that a `repr` in a manifest stands for; None when it can't be rebuilt.

    Reads plain values only (nothing is evaluated), so a manifest from elsewhere can't run code.
    """
    try:
        call = ast.parse(text, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            return None
        given = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
        return known[call.func.id](**given)
    except (SyntaxError, ValueError, TypeError, KeyError):
        return None
