"""What was SAID of a record, keyed by id, and where it stands on disk.

work/curate/SOURCE/PART/
    kept.parquet      records (cqia.record.SCHEMA) that every filter kept
    dropped.parquet   records that a filter turned away: + rule, value, low, high
    measures.parquet  every record in the order read: id, file, row and one column a filter, its
                      measure (null: unmeasured)
    changes.parquet   records whose text a cleaner changed or in which one found something: id,
                      cleaners, the text before, and `key.kind` counts
    bad.parquet       items that could not be read: file, row, reason, raw
work/dedup/
    dropped.parquet   duplicates: id, source, part, rule, value, bound, keeper (the id that stays)
    pairs.parquet     verified pairs: a, b (ids), similarity
    groups.parquet    id, group: near-duplicates that belong together, the one that stays included
    contamination/    NAME.parquet: hits of a benchmark's items with both texts; NAME.json: counts
work/assemble/
    chosen.parquet    id, source, part, split, writer of the records in the dataset
    left.parquet      id, source, rule of the records that were not taken
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cqia import store
from cqia.errors import UserError, unknown
from cqia.record import SCHEMA

DROP = {"rule": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
"""Columns that dropped.parquet adds to a record: the rule, the measured value and its bounds."""

SAME_ID = "SameId"
"""The rule that drops an item whose id was read before; its measure counts the times (1, 2, …)."""


def time_of(id: pl.Expr) -> pl.Expr:
    """How often an id had been read, from its suffix: `ID` 1, `ID~2` 2."""
    return id.str.extract(r"~(\d+)$").cast(pl.Int64).fill_null(1)


TABLES = ("kept", "dropped", "measures", "changes", "bad")


def curated(work: Path) -> list[str]:
    """The sources that were curated in a working folder.

    Raises:
        UserError: none were.
    """
    found = sorted(path.parent.name for path in (work / "curate").glob("*/manifest.json"))
    if not found:
        raise UserError(
            "nothing was curated here", where=str(work), mend="run: cqia curate SOURCE FILES"
        )
    return found


def source_folder(work: Path, source: str) -> Path:
    """The folder of a curated source.

    Raises:
        UserError: it was not curated here.
    """
    if source not in (names := curated(work)):
        raise unknown("source", source, names, where=str(work))
    return work / "curate" / source


def scan(work: Path, source: str, table: str) -> pl.LazyFrame:
    """One table of a curated source, its parts end to end in the order read."""
    folder = source_folder(work, source)
    files = [path / f"{table}.parquet" for path in store.parts(folder)]
    if not files:
        return pl.LazyFrame(schema=SCHEMA)
    return pl.concat([pl.scan_parquet(file) for file in files], how="diagonal")


def scan_all(work: Path, table: str) -> pl.LazyFrame:
    """One table of all curated sources."""
    return pl.concat([scan(work, source, table) for source in curated(work)], how="diagonal")


def told_of(table: Path, part: Path) -> pl.DataFrame:
    """What dedup's dropped.parquet or assemble's chosen.parquet tells of the records of one part.

    Only that is read: both tables lie in the order of parts, and their files know where each is.

    Raises:
        UserError: a program that told no parts wrote the table.
    """
    mine = (pl.col("source") == part.parent.name) & (pl.col("part") == part.name)
    try:
        return pl.scan_parquet(table).filter(mine).collect()
    except pl.exceptions.ColumnNotFoundError:
        raise UserError(
            "an older cqia wrote this",
            where=str(table),
            mend=f"run: cqia {table.parent.name} --work {table.parent.parent}",
        ) from None
