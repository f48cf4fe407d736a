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

        def add(stage: str, rule: str, count: int, blind: int = 0) -> None:
            share = count / read if read else 0.0
            rows.append((name, stage, rule, count, share, blind))  # noqa: B023

        if facts["bad"]:
            add("read", "bad", facts["bad"])
        add("read", "read", read)
        for rule in dict.fromkeys([*facts["rules"], *facts["unmeasured"]]):
            add("curate", rule, facts["rules"].get(rule, 0), facts["unmeasured"].get(rule, 0))
        kept = facts["kept"]
        for rule, count in _dedup_counts(work, name):
            add("dedup", rule, count)
            kept -= count
        add("kept", "kept", kept)
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
