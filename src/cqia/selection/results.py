"""The selections in the ledger, `work/select/NAME/`: what was taken and why, and what was not.

selected.parquet: id, source, order (1, 2, …), reason, score, gain, nearest. left.parquet: id,
source, rule, value, bound, other (the taken record that a refused one is too similar to).
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from cqia import store
from cqia.errors import UserError, unknown

REPORT = "report"
"""The folder of the comparison, so no selection's name."""
SELECTED: dict[str, pl.DataType] = {
    "id": pl.String(),
    "source": pl.String(),
    "order": pl.Int64(),
    "reason": pl.String(),
    "score": pl.Float64(),
    "gain": pl.Float64(),
    "nearest": pl.Float64(),
}
NOT_SELECTED: dict[str, pl.DataType] = {
    "id": pl.String(),
    "source": pl.String(),
    "rule": pl.String(),
    "value": pl.Float64(),
    "bound": pl.Float64(),
    "other": pl.String(),
}


def folder_of(work: Path, name: str) -> Path:
    """Where a selection stands.

    Raises:
        UserError: no selection can be called so.
    """
    if name == REPORT or not re.fullmatch(r"\w[\w.-]*", name):
        raise UserError(
            f"a selection can't be called {name!r}", mend="take letters, digits, '.', '-' and '_'"
        )
    return work / "select" / name


def made(work: Path) -> list[str]:
    """The names of the selections that were made."""
    return sorted(path.parent.name for path in (work / "select").glob("*/manifest.json"))


def facts_of(work: Path, name: str) -> store.Facts:
    """A selection's manifest.

    Raises:
        UserError: there is no such selection.
    """
    found = store.manifest(folder_of(work, name))
    if found is None:
        if known := made(work):
            raise unknown("selection", name, known, where=str(work))
        raise UserError(
            f"there is no selection {name!r}",
            where=str(work),
            mend=f"run: cqia select --method top --amount N --name {name} --work {work}",
        )
    return found


def selected(work: Path, name: str) -> pl.DataFrame:
    """What a selection took, in its order.

    Raises:
        UserError: there is no such selection.
    """
    facts_of(work, name)
    return pl.read_parquet(folder_of(work, name) / "selected.parquet")


def of_these(work: Path, name: str, inputs: store.Facts) -> str:
    """The fingerprint of a selection that a dataset depends on.

    Raises:
        UserError: there is no such selection, or it was made of other records than these inputs.
    """
    facts = facts_of(work, name)
    if facts["inputs"] != inputs:
        raise UserError(
            f"selection {name!r} is older than what it was made of",
            where=str(work),
            mend="make it again with cqia select",
        )
    return str(facts["fingerprint"])


def without_others(work: Path, name: str, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The candidates that a selection took, and the others with the rule that leaves them out."""
    ids = selected(work, name)["id"].implode()
    taken = pl.col("id").is_in(ids)
    left = table.filter(~taken).select(
        "id",
        pl.col("source").cast(pl.String),
        rule=pl.lit(f"NotSelected.{name}"),
        bound=pl.lit(None, pl.Float64),
    )
    return table.filter(taken), left
