"""Thresholds on scores: which candidates stay out of the dataset for what a judge said.

The scores are in the ledger, so a threshold can be moved without asking anyone again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cqia import store
from cqia.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The mean of a record's readable scores must be at least `low`."""

    judge: str
    model: str
    low: float
    unscored: str = "leave"
    """Records without a readable score: leave (out, by a rule of their own) or keep."""

    @property
    def name(self) -> str:
        """As the ledger calls it."""
        return f"{self.judge}@{self.model}"

    def folder(self, work: Path) -> Path:
        """Where the scores stand."""
        return work / "score" / self.name


LEFT = {"id": pl.String, "source": pl.String, "rule": pl.String, "bound": pl.Float64}


def prints(work: Path, thresholds: Sequence[Threshold]) -> dict[str, str]:
    """The fingerprints of the scores that thresholds depend on.

    Raises:
        UserError: there are no such scores, or `unscored` is neither leave nor keep.
    """
    found = {}
    for one in thresholds:
        if one.unscored not in ("leave", "keep"):
            raise UserError(
                f"unscored is leave or keep, not {one.unscored!r}", where=f"assemble: {one.name}"
            )
        facts = store.manifest(one.folder(work))
        if not facts:
            raise UserError(
                f"nothing was scored by {one.name}",
                where=str(work),
                mend=f"run: cqia score {one.judge} --model {one.model} --work {work}",
            )
        found[one.name] = f"{facts['fingerprint']} {facts['states']}"
    return found


def below(
    work: Path, table: pl.DataFrame, thresholds: Sequence[Threshold]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The candidates that meet all thresholds, and the others with the first that they miss."""
    left = [pl.DataFrame(schema=LEFT)]
    for one in thresholds:
        parts = [
            pl.read_parquet(part / "scores.parquet", columns=["id", "score"])
            for part in store.parts(one.folder(work))
        ]
        means = pl.concat(parts).group_by("id").agg(mean=pl.col("score").mean())
        scored = table.select("id", "source").join(
            means, on="id", how="left", maintain_order="left"
        )
        low = (scored["mean"] < one.low).fill_null(False)
        none = scored["mean"].is_null() if one.unscored == "leave" else low & ~low
        for rule, hit in ((f"Score.{one.name}", low), (f"Unscored.{one.name}", none)):
            gone = scored.filter(hit).select(
                "id",
                pl.col("source").cast(pl.String),
                rule=pl.lit(rule),
                bound=pl.lit(one.low, pl.Float64),
            )
            left.append(gone)
        table = table.filter(~(low | none))
    return table, pl.concat(left)


def threshold(text: str) -> Threshold:
    """A threshold as it is typed: `quality@qwen-plus=8`.

    Raises:
        UserError: it is written otherwise.
    """
    found = re.fullmatch(r"(\w+)@(\w[\w.-]*)=(-?\d+(?:\.\d+)?)", text)
    if not found:
        raise UserError(f"{text!r} is no threshold", mend="write it as quality@MODEL=8")
    return Threshold(judge=found[1], model=found[2], low=float(found[3]))
