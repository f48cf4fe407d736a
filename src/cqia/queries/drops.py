"""drops: the funnel of every source, rule by rule, with examples of what each rule turned away."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cqia import ledger, store

FUNNEL = {
    "source": pl.String,
    "stage": pl.String,
    "rule": pl.String,
    "records": pl.Int64,
    "share": pl.Float64,
    "unmeasured": pl.Int64,
}
"""Columns of the funnel; `share` is of the records read, `unmeasured` the records a filter could
not measure (and kept)."""


def funnel(work: Path, source: str | None = None) -> pl.DataFrame:
    """How many records each rule dropped, source by source, in the order the rules were applied.

    Every source begins with `read` and ends with `kept`; the rows between add up to the
    difference. Items that could not be read stand before, as `bad`.
    """
    rows: list[tuple[str, str, str, int, float, int]] = []
    for name in [source] if source else ledger.curated(work):
        facts = store.manifest(ledger.source_folder(work, name)) or {}
        read = facts["read"]

        mine = [("read", "bad", facts["bad"], 0)] if facts["bad"] else []
        mine.append(("read", "read", read, 0))
        for rule in dict.fromkeys([*facts["rules"], *facts["unmeasured"]]):
            count, blind = facts["rules"].get(rule, 0), facts["unmeasured"].get(rule, 0)
            mine.append(("curate", rule, count, blind))
        doubles = _dedup_counts(work, name)
        mine += [("dedup", rule, count, 0) for rule, count in doubles]
        kept = facts["kept"] - sum(count for _, count in doubles)
        mine.append(("kept", "kept", kept, 0))
        for stage, rule, count, blind in mine:
            rows.append((name, stage, rule, count, count / read if read else 0.0, blind))
    return pl.DataFrame(rows, schema=FUNNEL, orient="row")


def _dedup_counts(work: Path, source: str) -> list[tuple[str, int]]:
    if not store.manifest(work / "dedup"):
        return []
    counts = (
        pl.scan_parquet(work / "dedup" / "dropped.parquet")
        .filter(pl.col("source") == source)
        .group_by("rule")
        .len()
        .sort("rule")
        .collect()
    )
    return [(str(rule), int(count)) for rule, count in counts.iter_rows()]


def examples(work: Path, *, source: str | None = None, each: int = 3) -> pl.DataFrame:
    """The first records that each rule dropped: source, rule, value, bounds, id and text."""
    names = [source] if source else ledger.curated(work)
    tables = []
    for name in names:
        text = pl.concat_str("instruction", "input", "output", separator=" ")
        text = text.str.replace_all(r"\s+", " ").str.slice(0, 80)
        shown = ("source", "rule", "value", "low", "high", "id")
        frame = ledger.scan(work, name, "dropped").select(*shown, text=text).collect()
        tables.append(frame.group_by("rule", maintain_order=True).head(each).select(*shown, "text"))
    return pl.concat(tables)
