"""The ranking of rows whose answers a judge set beside a rival's: `pairwise`'s numbers, a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from cqia.statistics.pairwise import Share, Strength, bradley_terry, length_controlled, tally

RIVAL = "rival"
"""What the other side is called when the outcomes don't name it."""
_TEXT, _INT, _NUMBER = pl.String(), pl.Int64(), pl.Float64()
RANKING: dict[str, pl.DataType] = {
    **dict.fromkeys(("base", "benchmark", "subset"), _TEXT),
    **dict.fromkeys(("verdicts", "unreadable", "wins", "ties", "losses"), _INT),
    **dict.fromkeys(
        ("win_share", "win_low", "win_high", "tie_share", "tie_low", "tie_high", "loss_share",
         "loss_low", "loss_high", "rate", "strength", "strength_low", "strength_high",
         "controlled", "controlled_low", "controlled_high", "longer_share"), _NUMBER
    ),
}  # fmt: skip
"""Columns of `ranking.parquet`.

verdicts: read ones, over all seeds and judges. rate: wins and half the ties. strength: Bradley-
Terry, log odds against the average player; the rival is a player and has a row. controlled: the
win rate at equal length. longer_share: how often the row's answer was the longer one.
"""


def pairwise_part(frame: pl.DataFrame) -> pl.DataFrame:
    """The outcomes that are verdicts on two answers: they tell both lengths or the opponent."""
    there = [name for name in ("opponent", "length_first", "length_second") if name in frame]
    if not there:
        return frame.clear()
    told = pl.any_horizontal(pl.col(name).is_not_null() for name in there)
    return frame.filter(told.any().over("base", "benchmark"))


def ranking(frame: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
    """A row each base, pairwise benchmark and player, the strongest first.

    The intervals take items for the chance, not seeds: the cells have those.
    """
    rows: list[dict[str, Any]] = []
    pairs = pairwise_part(frame)
    for (base, benchmark), part in pairs.group_by("base", "benchmark", maintain_order=True):
        about = {"base": base, "benchmark": benchmark}
        rows += [{**about, **row} for row in _players(part, seed)]
    order = ["base", "benchmark", "strength", "subset"]
    found = pl.DataFrame(rows, schema=RANKING, orient="row").with_columns(
        pl.col(pl.Float64).fill_nan(None)
    )
    down = [False, False, True, False]
    return found.sort(order, descending=down, nulls_last=True, maintain_order=True)


def _players(part: pl.DataFrame, seed: int) -> list[dict[str, Any]]:
    """Every player of one benchmark under one base."""
    named = pl.col("opponent").fill_null(RIVAL) if "opponent" in part else pl.lit(RIVAL)
    part = part.with_columns(opponent=named)
    read = part.filter(pl.col("state") == "read", pl.col("score").is_in([0.0, 0.5, 1.0]))
    scores = read["score"].to_numpy()
    strengths: list[Strength] = []
    if len(read):
        sides = (read["subset"].to_list(), read["opponent"].to_list())
        strengths = bradley_terry(*sides, scores, read["cluster"].to_list(), seed=seed)
    known = {one.name: one for one in strengths}
    rows = []
    for name in sorted({*part["subset"], *part["opponent"]}):
        mine = read.filter(subset=name)
        row: dict[str, Any] = {"subset": name, "verdicts": len(mine)}
        row["unreadable"] = len(part.filter(subset=name)) - len(mine)
        if name in known:
            own = known[name]
            row |= {"strength": own.value, "strength_low": own.low, "strength_high": own.high}
        rows.append(row | (_tallied(mine) if len(mine) else {}))
    return rows


def _tallied(mine: pl.DataFrame) -> dict[str, Any]:
    """A player's own verdicts."""
    scores = mine["score"].to_numpy()
    found = tally(scores)
    row: dict[str, Any] = {"rate": float(scores.mean())}
    shares: tuple[tuple[str, str, Share], ...] = (
        ("wins", "win", found.wins), ("ties", "tie", found.ties), ("losses", "loss", found.losses),
    )  # fmt: skip
    for plural, name, one in shares:
        row |= {plural: one.verdicts, f"{name}_share": one.share, f"{name}_low": one.low,
                f"{name}_high": one.high}  # fmt: skip
    if {"length_first", "length_second"} <= set(mine.columns):
        sized = mine.drop_nulls(["length_first", "length_second"])
        lengths = (sized["length_first"] - sized["length_second"]).to_numpy().astype(np.float64)
        even = length_controlled(sized["score"].to_numpy(), lengths, sized["cluster"].to_list())
        row |= {"controlled": even.rate, "controlled_low": even.low, "controlled_high": even.high}
        row["longer_share"] = float((lengths > 0).mean()) if len(lengths) else None
    return row
