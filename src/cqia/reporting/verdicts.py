"""What the numbers let one say of a cell: better, worse, not told apart, or nothing.

Only the simultaneous interval decides, so that all verdicts of a table hold together. "Better" is
the benchmark's good side: more points, or fewer bits.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import polars as pl

from cqia.reporting.material import Material

BETTER, WORSE, UNDECIDED, NOTHING = "better", "worse", "undecided", "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How a benchmark's numbers are shown: a share as points of a hundred, others as they are."""

    factor: float
    digits: int
    unit: str

    def number(self, value: float | None) -> str:
        """A value, or an empty text where there is none."""
        return "" if value is None else f"{value * self.factor:.{self.digits}f}"

    def signed(self, value: float | None) -> str:
        """A difference with its sign."""
        return "" if value is None else f"{value * self.factor:+.{self.digits}f}"


POINTS = Scale(factor=100, digits=1, unit="×100")


def scale(material: Material, benchmark: str) -> Scale:
    """How a benchmark is shown: as its own manifest says.

    Without one: points when the higher is better and every mean is a share, else as it is.
    """
    facts = material.evaluations.get(benchmark, {})
    if factor := facts.get("scale"):
        digits = 1 if factor == 100 else 3
        return Scale(factor=float(factor), digits=digits, unit=str(facts.get("unit") or ""))
    cells = material.cells.filter(benchmark=benchmark)
    means = cells["mean"].drop_nulls()
    share = means.is_between(0, 1).all() and not cells["direction"].eq("lower").any()
    if share:
        return POINTS
    metric = material.facts_of("benchmarks", benchmark).get("metric", "")
    unit = metric.get("unit") or metric.get("name", "") if isinstance(metric, dict) else metric
    return Scale(factor=1, digits=3, unit=str(unit or ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A cell's row, and what can be said of it."""

    row: dict[str, Any]
    says: str

    @property
    def gain(self) -> float | None:
        """The difference to the base row, positive when it is on the good side."""
        difference: float | None = self.row["difference"]
        return None if difference is None else difference * _sign(self.row)

    @property
    def anchor(self) -> str:
        """The cell's id in the page."""
        return anchor(
            self.row["base"], self.row["subset"], self.row["benchmark"], self.row["group"]
        )


def anchor(base: str, subset: str, benchmark: str, group: str) -> str:
    """The id of a cell, safe in HTML whatever the names hold."""
    key = "\0".join((base, subset, benchmark, group))
    return "c-" + hashlib.sha256(key.encode()).hexdigest()[:12]


def verdict(row: dict[str, Any]) -> Verdict:
    """What a cell's row says against its base row: the comparison's verdict, if an interval agrees.

    A verdict without an interval that bears it out is none.
    """
    low, high = row["simultaneous_low"], row["simultaneous_high"]
    if row["difference"] is None or low is None or high is None:
        return Verdict(row=row, says=NOTHING)
    if low <= 0 <= high or row["verdict"] == UNDECIDED:
        return Verdict(row=row, says=UNDECIDED)
    return Verdict(row=row, says=BETTER if (low > 0) == (_sign(row) > 0) else WORSE)


def verdicts(cells: pl.DataFrame) -> list[Verdict]:
    """The verdicts of all tuned rows."""
    return [verdict(row) for row in cells.iter_rows(named=True) if row["subset"]]


def _sign(row: dict[str, Any]) -> int:
    return -1 if row["direction"] == "lower" else 1
