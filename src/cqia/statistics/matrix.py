"""Outcomes, a row an item, as matrices: rows of the table x seeds x items, a table a benchmark.

What is not `read` has no number here: it is NaN, takes no part in any mean, and is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from cqia.errors import UserError
from cqia.statistics.contrasts import Table
from cqia.statistics.layout import MACRO, MICRO, Layout, layout

STATES = ("read", "unreadable", "failed", "unsent", "unasked")
COLUMNS: dict[str, pl.DataType] = {
    "base": pl.String(),
    "subset": pl.String(),
    "seed": pl.Int64(),
    "benchmark": pl.String(),
    "direction": pl.String(),
    "writer_family": pl.String(),
    "judge_family": pl.String(),
    "item": pl.String(),
    "group": pl.String(),
    "cluster": pl.String(),
    "state": pl.String(),
    "score": pl.Float64(),
}
"""The columns of outcomes that are used."""
OPTIONAL: dict[str, pl.DataType] = {
    "opponent": pl.String(),
    "length_first": pl.Int64(),
    "length_second": pl.Int64(),
}
"""Columns that verdicts on two answers may have: whose the other one is, and how long both are."""
KEY = ("base", "benchmark", "subset", "seed", "item", "judge_family")
BASE_ROW = ""
"""The subset of the untuned base model's row."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """A benchmark's scores under one base model, and who stands where in them."""

    base: str
    benchmark: str
    direction: str
    subsets: tuple[str, ...]
    items: tuple[str, ...]
    table: Table
    counts: pl.DataFrame
    """subset, group, seeds, and how many outcomes are in each state; the groups as in places.

    groups and all_groups: of how many groups macro is the mean, and how many there are."""

    @property
    def sign(self) -> int:
        """What makes a higher number better."""
        return 1 if self.direction == "higher" else -1


def checked(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Only the used columns, in one order, whatever the order of the rows was.

    Raises:
        UserError: a column is missing, a row stands there twice, a score without a reading or the
            other way round, or one benchmark's items or direction say two things.
    """
    missing = [name for name in COLUMNS if name not in outcomes.columns]
    if missing:
        raise UserError(f"outcomes lack {', '.join(missing)}", mend="write them with cqia evaluate")
    kinds = COLUMNS | {name: kind for name, kind in OPTIONAL.items() if name in outcomes.columns}
    frame = outcomes.select(pl.col(name).cast(kind) for name, kind in kinds.items())
    frame = frame.with_columns(pl.col("writer_family", "judge_family").fill_null(""))
    named = [name for name in COLUMNS if name != "score"]
    if any(frame[name].has_nulls() for name in named):
        empty = [name for name in named if frame[name].has_nulls()]
        raise UserError(
            f"outcomes without {', '.join(empty)}", mend="every outcome has all of them"
        )
    _no(frame.filter(~pl.col("state").is_in(STATES)), "an unknown state")
    _no(frame.filter(~pl.col("direction").is_in(["higher", "lower"])), "an unknown direction")
    _no(frame.filter(pl.col("group") == MACRO), f"a group called {MACRO!r}, the groups' mean")
    number = pl.col("score").is_not_null() & pl.col("score").is_finite()
    _no(frame.filter((pl.col("state") == "read") != number.fill_null(False)),
        "a score without a reading, or a reading without a finite score")  # fmt: skip
    _no(frame.filter(pl.struct(KEY).is_duplicated()), "an outcome that stands there twice")
    for what, of in (("direction", ["benchmark"]), ("group", ["benchmark", "item"]),
                     ("cluster", ["benchmark", "item"]),
                     ("writer_family", ["base", "subset"])):  # fmt: skip
        _no(frame.filter(pl.col(what).n_unique().over(of) > 1), f"two kinds of {what}")
    return frame.sort(KEY)


def _no(found: pl.DataFrame, what: str) -> None:
    if len(found):
        row = found.row(0, named=True)
        place = ", ".join(f"{name} {row[name]!r}" for name in KEY[:5])
        raise UserError(f"{what} in {len(found)} outcomes", where=place, mend="mend the outcomes")


def matrices(frame: pl.DataFrame) -> Iterator[Matrix]:
    """A matrix each base and benchmark of checked outcomes."""
    for (base, benchmark), part in frame.group_by("base", "benchmark", maintain_order=True):
        yield _matrix(str(base), str(benchmark), part)


def judged(part: pl.DataFrame) -> pl.DataFrame:
    """One row an item, where several families judged: read when all of them were, their mean.

    A mean over another set of judges would be another measure, so an item that one of them left
    unread has no score; its state is the first of theirs that isn't `read`.
    """
    judges = part["judge_family"].n_unique()
    if judges == 1:
        return part
    whole = (pl.col("state") == "read").all() & (pl.len() == judges)
    others = pl.col("state").filter(pl.col("state") != "read").first()
    rest = ["direction", "writer_family", "group", "cluster"]
    return part.group_by("base", "benchmark", "subset", "seed", "item", maintain_order=True).agg(
        *(pl.col(name).first() for name in rest),
        score=pl.when(whole).then(pl.col("score").mean()),
        state=pl.when(whole).then(pl.lit("read")).otherwise(others.fill_null("absent")),
    )


def _matrix(base: str, benchmark: str, part: pl.DataFrame) -> Matrix:
    part = judged(part)
    asked = (pl.col("state") != "unasked").any().over("item")
    about = part.with_columns(asked=asked).unique("item").sort("item")
    subsets = tuple(part["subset"].unique().sort())
    rows = part.with_columns(
        row=pl.col("subset").rank("dense") - 1,
        column=pl.col("item").rank("dense") - 1,
        layer=pl.col("seed").rank("dense").over("subset") - 1,
    )
    shape = (len(subsets), int(rows["layer"].max() or 0) + 1, len(about))  # type: ignore[arg-type]
    scores = np.full(shape, np.nan)
    read = rows.filter(state="read")
    place = tuple(read[name].to_numpy() for name in ("row", "layer", "column"))
    scores[place] = read["score"].to_numpy()
    table = Table(
        scores,
        layout(about["group"].to_list(), about["cluster"].to_list(), about["asked"].to_list()),
        np.array([name != BASE_ROW for name in subsets]),
    )
    counts = _counts(part, about, table.layout)
    direction = str(part["direction"][0])
    return Matrix(base, benchmark, direction, subsets, tuple(about["item"]), table, counts)


def _counts(part: pl.DataFrame, about: pl.DataFrame, of: Layout) -> pl.DataFrame:
    """Outcomes by state, for every subset and place; `absent` is what the row lacks altogether."""
    states = [(pl.col("state") == state).sum().cast(pl.Int64).alias(state) for state in STATES]
    seeds = part.group_by("subset").agg(seeds=pl.col("seed").n_unique().cast(pl.Int64))
    found, sizes = [], []
    for place in of.places:
        alone = place in (MICRO, MACRO)
        mine = part if alone else part.filter(group=place)
        sizes.append(len(about) if alone else len(about.filter(group=place)))
        found.append(mine.group_by("subset").agg(states).with_columns(group=pl.lit(place)))
    macro = pl.col("group") == MACRO
    grid = pl.DataFrame({"group": of.places, "items": sizes}).with_columns(
        groups=pl.when(macro).then(int(of.counted.sum())),
        all_groups=pl.when(macro).then(len(of.names)),
    )
    grid = seeds.join(grid, how="cross")
    whole = grid.join(pl.concat(found), on=["subset", "group"], how="left")
    total = pl.sum_horizontal(STATES)
    return whole.with_columns(pl.col(STATES).fill_null(0)).with_columns(
        absent=pl.col("items") * pl.col("seeds") - total
    )
