"""Kinship: what judges of the family that wrote the training answers say, beside other judges.

A judge may like answers in its own family's manner (arXiv 2502.01534 calls it preference leakage).
Two numbers tell: the gap between kin and other judges on the same answers, and how far that gap
exceeds the one that the same judges have on the untuned base row, since a judge may be milder with
everybody.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import polars as pl

from cqia.statistics.contrasts import Table, compared
from cqia.statistics.families import interval
from cqia.statistics.layout import Bools, layout
from cqia.statistics.matrix import BASE_ROW

Row = dict[str, Any]
NO_FAMILY = ("", "unknown", "mixed")
"""Names that stand for no one family: nobody is kin to them."""
_TEXT, _NUMBER = pl.String(), pl.Float64()
KINSHIP: dict[str, pl.DataType] = {
    **dict.fromkeys(
        ("base", "benchmark", "direction", "subset", "writer_family", "kin_judges",
         "other_judges", "unknown_judges"), _TEXT
    ),
    "n_paired": pl.Int64(),
    **dict.fromkeys(
        ("kin_mean", "other_mean", "gap", "gap_low", "gap_high", "excess", "excess_low",
         "excess_high"), _NUMBER
    ),
    "variance": _TEXT,
    "state": _TEXT,
}  # fmt: skip
"""Columns of `kinship.parquet`.

gap: the kin judges' mean minus the others', on the items that all of them read. excess: the gap
minus the base row's. state: compared; or no kin judge, no other judge, no known writer, no data.
"""


def kinship(frame: pl.DataFrame) -> pl.DataFrame:
    """A row each base, benchmark that is judged, and subset, from checked outcomes."""
    rows: list[Row] = []
    with_judges = frame.filter((pl.col("judge_family") != "").any().over("base", "benchmark"))
    for _, part in with_judges.group_by("base", "benchmark", maintain_order=True):
        rows += _benchmark(part)
    return pl.DataFrame(rows, schema=KINSHIP, orient="row")


def _benchmark(part: pl.DataFrame) -> list[Row]:
    """The rows of one benchmark under one base; seeds are pooled over all families that wrote."""
    tuned = part.filter(pl.col("subset") != BASE_ROW)
    told: dict[str, Row] = {}
    gaps = []
    for writer in tuned["writer_family"].unique().sort():
        of = part.filter((pl.col("writer_family") == writer) | (pl.col("subset") == BASE_ROW))
        sides = _sides(writer, sorted(of["judge_family"].unique()))
        names = ("base", "benchmark", "direction")
        told[writer] = {name: part[name][0] for name in names} | sides.said
        if sides.state == "compared":
            gaps.append(_gaps(of, sides).with_columns(writer_family=pl.lit(writer)))
    found = _compared(pl.concat(gaps)) if gaps else {}
    rows = []
    for writer, subset in tuned.select("writer_family", "subset").unique().sort("subset").rows():
        one = {"subset": subset, **told[writer]}
        if one["state"] == "compared":
            one |= found.get((writer, subset), {"n_paired": 0, "state": "no data"})
        rows.append(one)
    return rows


class Sides(NamedTuple):
    """Which judges are kin to a writer and which are not, and what is said of that."""

    kin: list[str]
    others: list[str]
    said: Row
    state: str


def _sides(writer: str, judges: list[str]) -> Sides:
    """Judges by their kinship to a writer; one of no known family is on neither side."""
    unknown = [name for name in judges if name in NO_FAMILY]
    known = [name for name in judges if name not in NO_FAMILY and writer not in NO_FAMILY]
    kin, others = [name for name in known if name == writer], [n for n in known if n != writer]
    state = "compared" if kin and others else "no other judge" if kin else "no kin judge"
    if writer in NO_FAMILY:
        state = "no known writer"
    said: Row = {
        "writer_family": writer,
        "kin_judges": ", ".join(kin),
        "other_judges": ", ".join(others),
        "unknown_judges": ", ".join(name for name in unknown if name),
        "state": state,
    }
    return Sides(kin, others, said, state)


def _gaps(part: pl.DataFrame, sides: Sides) -> pl.DataFrame:
    """Kin's and others' mean of every answer that all of them read."""
    is_kin = pl.col("judge_family").is_in(sides.kin)
    asked = part.filter(
        pl.col("judge_family").is_in([*sides.kin, *sides.others]), pl.col("state") == "read"
    )
    keys = ("subset", "seed", "item", "cluster")
    means = asked.group_by(keys).agg(
        kin=pl.col("score").filter(is_kin).mean(),
        other=pl.col("score").filter(~is_kin).mean(),
        judges=pl.len(),
    )
    return means.filter(judges=len(sides.kin) + len(sides.others)).drop("judges").sort(keys)


def _compared(gaps: pl.DataFrame) -> dict[tuple[str, str], Row]:
    """Gap and excess of every writer's subsets, seeds and items being the chance."""
    writers = gaps["writer_family"].unique().sort()
    tuned = gaps.filter(pl.col("subset") != BASE_ROW)
    names = [(writer, BASE_ROW) for writer in writers]
    names += tuned.select("writer_family", "subset").unique().sort("writer_family", "subset").rows()
    place = {name: number for number, name in enumerate(names)}
    trained = np.array([subset != BASE_ROW for _, subset in names])
    table = compared(_table(gaps, place, trained))
    own = np.flatnonzero(trained)
    bases = [place[names[number][0], BASE_ROW] for number in own]
    gap, excess = table.means(), table.differences(own.tolist(), bases)
    (low, high), (more_low, more_high) = interval(gap), interval(excess)
    complete = table.complete(own)
    means = gaps.group_by("writer_family", "subset", "item").agg(pl.col("kin", "other").mean())
    found: dict[tuple[str, str], Row] = {}
    for line, number in enumerate(own):
        writer, subset = names[number]
        mine = means.filter(writer_family=writer, subset=subset)
        numbers = {
            "kin_mean": mine["kin"].mean(), "other_mean": mine["other"].mean(),
            "gap": gap.value[number, 0], "gap_low": low[number, 0], "gap_high": high[number, 0],
            "excess": excess.value[line, 0], "excess_low": more_low[line, 0],
            "excess_high": more_high[line, 0],
        }  # fmt: skip
        found[writer, subset] = {
            "n_paired": len(mine),
            "variance": "items+seeds" if complete[line] else "items",
            **{name: _number(value) for name, value in numbers.items()},
        }
    return found


def _table(gaps: pl.DataFrame, place: dict[tuple[str, str], int], trained: Bools) -> Table:
    """Gaps as a table: a row a writer and subset."""
    about = gaps.unique("item").sort("item")
    at = gaps.select(
        item=pl.col("item").rank("dense").cast(pl.Int64) - 1,
        layer=pl.col("seed").rank("dense").over("writer_family", "subset").cast(pl.Int64) - 1,
    )
    layers = at["layer"].to_numpy()
    scores = np.full((len(place), int(layers.max()) + 1, len(about)), np.nan)
    row = [place[name] for name in gaps.select("writer_family", "subset").iter_rows()]
    scores[row, layers, at["item"].to_numpy()] = (gaps["kin"] - gaps["other"]).to_numpy()
    return Table(scores, layout([""] * len(about), about["cluster"].to_list()), trained)


def _number(value: object) -> float | None:
    """A number, or null where there is none."""
    return float(value) if isinstance(value, float) and not np.isnan(value) else None
