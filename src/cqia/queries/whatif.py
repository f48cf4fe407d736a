"""whatif: what another bound would keep and drop, from the measures in the ledger, without a rerun.

The answer is exact for the curate stage: every filter measured every record. Duplicates are not
looked for again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl

from cqia import ledger, store
from cqia.errors import UserError, unknown
from cqia.filters.base import within
from cqia.ledger import SAME_ID

Bounds = dict[str, tuple[float | None, float | None]]


class Answer(NamedTuple):
    """What would change.

    counts: source, kept, kept_then, gained, lost.
    moved: id, source, value, now, then (the rule that drops it, or "kept").
    """

    counts: pl.DataFrame
    moved: pl.DataFrame


def whatif(
    work: Path,
    *,
    filter: str,
    bounds: Mapping[str, float | None],
    source: str | None = None,
) -> Answer:
    """Move a filter's bounds and see which records change sides.

    Args:
        work: the working folder.
        filter: the filter's name in the ledger, such as `Length.output`.
        bounds: the new `low`, `high`, or both; None takes a bound away, one that is not named
            stays as the source's recipe has it.
        source: only this one; None: every source whose recipe has the filter.

    Raises:
        UserError: no source has such a filter, or the bounds cross.
    """
    names = [source] if source else ledger.curated(work)
    facts = {name: store.manifest(ledger.source_folder(work, name)) or {} for name in names}
    having = [name for name in names if filter in facts[name]["bounds"]]
    if not having:
        known = sorted({one for name in names for one in facts[name]["bounds"]})
        raise unknown("filter", filter, known, where=str(work))
    counts, moved = [], []
    for name in having:
        now: Bounds = {key: (ends[0], ends[1]) for key, ends in facts[name]["bounds"].items()}
        low, high = (bounds.get("low", now[filter][0]), bounds.get("high", now[filter][1]))
        if low is not None and high is not None and low > high:
            raise UserError(
                f"low {low:g} is above high {high:g}", where=f"{name}: {filter}", mend="swap them"
            )
        then = now | {filter: (low, high)}
        table = ledger.scan(work, name, "measures").select(
            "id",
            value=pl.col(filter).cast(pl.Float64),
            now=fate(now),
            then=fate(then),
        )
        frame = table.collect()
        changed = frame.filter((pl.col("now") == "kept") != (pl.col("then") == "kept"))
        counts.append(
            {
                "source": name,
                "kept": (frame["now"] == "kept").sum(),
                "kept_then": (frame["then"] == "kept").sum(),
                "gained": (changed["then"] == "kept").sum(),
                "lost": (changed["now"] == "kept").sum(),
            }
        )
        moved.append(changed.select("id", pl.lit(name).alias("source"), "value", "now", "then"))
    return Answer(pl.DataFrame(counts), pl.concat(moved))


def fate(bounds: Bounds) -> pl.Expr:
    """The first filter that turns a record away under these bounds, or `kept`."""
    limits = {SAME_ID: (None, 1.0)} | bounds
    verdicts = [
        pl.when(~within(pl.col(name), low, high)).then(pl.lit(name))
        for name, (low, high) in limits.items()
    ]
    return pl.coalesce([*verdicts, pl.lit("kept")])
