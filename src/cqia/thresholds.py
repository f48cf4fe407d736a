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
    """The mean of a record's readable scores must be at least `low` and at most `high`."""

    judge: str
    model: str
    low: float | None = None
    high: float | None = None
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
        UserError: there are no such scores, there is no bound, or `unscored` is neither leave nor
            keep.
    """
    found = {}
    for one in thresholds:
        if one.low is None and one.high is None:
            raise UserError("a threshold needs low, high or both", where=f"assemble: {one.name}")
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
        means = means_of(one.folder(work))
        scored = table.select("id", "source").join(
            means, on="id", how="left", maintain_order="left"
        )
        mean = pl.col("mean")
        low = (mean < one.low) if one.low is not None else pl.lit(False)
        high = (mean > one.high) if one.high is not None else pl.lit(False)
        none = mean.is_null() if one.unscored == "leave" else pl.lit(False)
        rule, unscored = pl.lit(f"Score.{one.name}"), pl.lit(f"Unscored.{one.name}")
        fate = scored.select(
            "id",
            pl.col("source").cast(pl.String),
            rule=pl.when(none).then(unscored).when(low | high).then(rule),
            bound=pl.when(high).then(one.high).otherwise(one.low).cast(pl.Float64),
        )
        left.append(fate.filter(pl.col("rule").is_not_null()))
        table = table.filter(fate["rule"].is_null())
    return table, pl.concat(left)


def means_of(folder: Path) -> pl.DataFrame:
    """id, mean: the mean of each record's readable scores; null where there is none."""
    parts = [
        pl.read_parquet(part / "scores.parquet", columns=["id", "score"])
        for part in store.parts(folder)
    ]
    empty = pl.DataFrame(schema={"id": pl.String, "score": pl.Float64})
    return pl.concat([empty, *parts]).group_by("id").agg(mean=pl.col("score").mean())


def at_most(text: str) -> Threshold:
    """A threshold from above, as it is typed: `ifd@proxy-3m=1`.

    Raises:
        UserError: it is written otherwise.
    """
    found = threshold(text)
    return Threshold(judge=found.judge, model=found.model, high=found.low)


def threshold(text: str) -> Threshold:
    """A threshold as it is typed: `quality@qwen-plus=8`.

    Raises:
        UserError: it is written otherwise.
    """
    found = re.fullmatch(r"(\w+)@(\w[\w.-]*)=(-?\d+(?:\.\d+)?)", text)
    if not found:
        raise UserError(f"{text!r} is no threshold", mend="write it as quality@MODEL=8")
    return Threshold(judge=found[1], model=found[2], low=float(found[3]))
