"""Kinship: what judges of the family that wrote the training answers say, beside other judges.

A judge may like answers in its own family's manner (arXiv 2502.01534 calls it preference leakage).
Two numbers tell: the gap between kin and other judges on the same answers, and how far that gap
exceeds the one that the same judges have on the untuned base row, since a judge may be milder with
everybody.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from cqia.statistics.contrasts import Table, compared
from cqia.statistics.families import interval
from cqia.statistics.layout import layout
from cqia.statistics.matrix import BASE_ROW

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
    rows: list[dict[str, object]] = []
    with_judges = frame.filter((pl.col("judge_family") != "").any().over("base", "benchmark"))
    for _, part in with_judges.group_by("base", "benchmark", maintain_order=True):
        tuned = part.filter(pl.col("subset") != BASE_ROW)
        for (writer,), mine in tuned.group_by("writer_family", maintain_order=True):
            base = part.filter(subset=BASE_ROW)
            rows += _family(str(writer), pl.concat([base, mine]))
    return pl.DataFrame(rows, schema=KINSHIP, orient="row")


def _family(writer: str, part: pl.DataFrame) -> list[dict[str, object]]:
    """The rows of the subsets that one family wrote."""
    judges = sorted(part["judge_family"].unique())
    unknown = [name for name in judges if name in NO_FAMILY]
    known = [name for name in judges if name not in NO_FAMILY]
    kin = [name for name in known if name == writer and writer not in NO_FAMILY]
    others = [name for name in known if name not in kin] if writer not in NO_FAMILY else []
    said = {
        "base": part["base"][0],
        "benchmark": part["benchmark"][0],
        "direction": part["direction"][0],
        "writer_family": writer,
        "kin_judges": ", ".join(kin),
        "other_judges": ", ".join(others),
        "unknown_judges": ", ".join(unknown),
    }
    subsets = sorted(set(part["subset"]) - {BASE_ROW})
    if writer in NO_FAMILY:
        return [{**said, "subset": name, "state": "no known writer"} for name in subsets]
    if not kin or not others:
        state = "no other judge" if kin else "no kin judge"
        return [{**said, "subset": name, "state": state} for name in subsets]
    gaps = _gaps(part, kin, others)
    return [{**said, **row} for row in _compared(gaps, subsets)]


def _gaps(part: pl.DataFrame, kin: list[str], others: list[str]) -> pl.DataFrame:
    """Kin's and others' mean of every answer that all of them read."""
    is_kin = pl.col("judge_family").is_in(kin)
    asked = part.filter(pl.col("judge_family").is_in([*kin, *others]), state="read")
    keys = ("subset", "seed", "item", "cluster")
    means = asked.group_by(keys).agg(
        kin=pl.col("score").filter(is_kin).mean(),
        other=pl.col("score").filter(~is_kin).mean(),
        judges=pl.len(),
    )
    return means.filter(judges=len(kin) + len(others)).drop("judges").sort(keys)


def _compared(gaps: pl.DataFrame, subsets: list[str]) -> list[dict[str, object]]:
    """Gap and excess of every subset, seeds and items being the chance."""
    about = gaps.unique("item").sort("item")
    names = [BASE_ROW, *subsets]
    place = {name: number for number, name in enumerate(names)}
    item = {name: number for number, name in enumerate(about["item"])}
    layers = gaps.select(pl.col("seed").rank("dense").over("subset").cast(pl.Int64) - 1)
    layer = layers["seed"].to_numpy()
    scores = np.full((len(names), int(layer.max(initial=0)) + 1, len(about)), np.nan)
    row = gaps["subset"].replace_strict(place, return_dtype=pl.Int64).to_numpy()
    column = gaps["item"].replace_strict(item, return_dtype=pl.Int64).to_numpy()
    scores[row, layer, column] = (gaps["kin"] - gaps["other"]).to_numpy()
    trained = np.array([name != BASE_ROW for name in names])
    of = layout([""] * len(about), about["cluster"].to_list())
    table = compared(Table(scores, of, trained))
    own = range(1, len(names))
    gap, excess = table.means(), table.differences(list(own), [0] * len(subsets))
    (low, high), (more_low, more_high) = interval(gap), interval(excess)
    complete = table.complete(np.arange(len(names)))
    found: list[dict[str, object]] = []
    for number in own:
        mine = gaps.filter(subset=names[number]).group_by("item").agg(pl.col("kin", "other").mean())
        numbers = {
            "kin_mean": mine["kin"].mean(), "other_mean": mine["other"].mean(),
            "gap": gap.value[number, 0], "gap_low": low[number, 0], "gap_high": high[number, 0],
            "excess": excess.value[number - 1, 0], "excess_low": more_low[number - 1, 0],
            "excess_high": more_high[number - 1, 0],
        }  # fmt: skip
        found.append({
            "subset": names[number], "n_paired": len(mine),
            **{name: _number(value) for name, value in numbers.items()},
            "variance": "items+seeds" if complete[number] else "items",
            "state": "compared" if len(mine) else "no data",
        })  # fmt: skip
    return found


def _number(value: object) -> float | None:
    """A number, or null where there is none."""
    return float(value) if isinstance(value, float) and not np.isnan(value) else None
