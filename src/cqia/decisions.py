"""What people decided of records, in the ledger: `work/review/decisions.parquet`, a row a record.

Nothing that curate kept or dropped is changed. The decisions are put in where records are read for
a dataset: a record that a rule turned away comes back with its cleaned text, one that was kept can
be turned away (rule `Reviewed`), and a text mended by hand stands in place of the old one. They are
keyed by the record's id, so they survive every run that reads the same raw items.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from cqia import store
from cqia.errors import UserError
from cqia.record import TEXT

DECISIONS: dict[str, pl.DataType] = {
    "id": pl.String(),
    "source": pl.String(),
    "verdict": pl.String(),
    "verified": pl.Boolean(),
    "reason": pl.String(),
    "by": pl.String(),
    "raters": pl.Int64(),
    **{f"new_{name}": pl.String() for name in TEXT},
}
"""Columns of decisions.parquet.

verdict: keep (it may stand, unless a rule turns it away), restore (it is in, whatever rule turned
it away), or drop. verified: a person read it and let it stand, as it is or mended. by: whose
decision it is, names joined by `、`; raters: how many. new_…: the mended text, null where it stays.
"""

VERDICTS = ("keep", "restore", "drop")

QUEUE = Path("review") / "decisions.parquet"
"""Where they stand in a working folder."""

RULE = "Reviewed"
"""The rule that a record turned away by hand is left out by."""


def read(work: Path) -> pl.DataFrame:
    """The decisions of a working folder; none where nobody reviewed.

    Raises:
        UserError: the file is not one of ours.
    """
    path = work / QUEUE
    if not path.exists():
        return pl.DataFrame(schema=DECISIONS)
    found = pl.read_parquet(path)
    whole = dict(found.schema) == DECISIONS and not found["id"].is_duplicated().any()
    if not whole or not found["verdict"].is_in(VERDICTS).all():
        raise UserError(
            "this is no table of decisions", where=str(path), mend="run: cqia review decisions"
        )
    return found


def mark(decided: pl.DataFrame) -> str:
    """A hash of the decisions; empty where there are none."""
    return store.fingerprint({"rows": decided.sort("id").rows()}) if len(decided) else ""


def returned(decided: pl.DataFrame) -> pl.Series:
    """The ids that are to be in whatever rule turned them away."""
    return decided.filter(verdict="restore")["id"]


def records(part: Path, decided: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """A part's kept records, and those that people brought back, with the texts they mended."""
    kept = pl.read_parquet(part / "kept.parquet", columns=list(columns))
    if decided.is_empty():
        return kept
    back = pl.col("id").is_in(returned(decided).implode())
    dropped = pl.scan_parquet(part / "dropped.parquet").filter(back).select(columns).collect()
    return mended(pl.concat([kept, dropped]), decided)


def mended(records: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    """Records with the texts that people mended, and marked as verified where they are."""
    columns = records.columns
    told = decided.select("id", "verified", *(f"new_{name}" for name in TEXT))
    joined = records.join(told, on="id", how="left", maintain_order="left")
    changed = [
        pl.coalesce(f"new_{name}", name).alias(name) for name in TEXT if name in records.columns
    ]
    if "human_verified" in records.columns:
        changed.append(pl.col("human_verified") | pl.col("verified").fill_null(False))
    return joined.with_columns(changed).select(columns)


def without_rejected(
    table: pl.DataFrame, decided: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records that people let stand, and those they turned away: id, source, rule, bound."""
    out = pl.col("id").is_in(decided.filter(verdict="drop")["id"].implode())
    left = table.filter(out).select(
        "id",
        pl.col("source").cast(pl.String),
        rule=pl.lit(RULE),
        bound=pl.lit(None, pl.Float64),
    )
    return table.filter(~out), left
