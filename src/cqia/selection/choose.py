"""The choices by score and by similarity: what each takes, why, and why it took no other.

Every function gets the candidates in the order of the lottery (row 0, 1, …; `score` where the
method needs one), so ties go by lot and the order in which records were read changes nothing. It
gives `Choice`: the taken in the order taken, and all others with rule, value and bound.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from cqia.selection.cover import cover
from cqia.selection.space import Space

TAKEN = pl.Schema(
    {"row": pl.Int64(), "reason": pl.String(), "gain": pl.Float64(), "nearest": pl.Float64()}
)
"""gain: what a record added to the cover; nearest: the highest similarity to one taken before."""
LEFT = pl.Schema(
    {
        "row": pl.Int64(),
        "rule": pl.String(),
        "value": pl.Float64(),
        "bound": pl.Float64(),
        "other": pl.Int64(),
    }
)
"""other: the row of the taken record that a refused one is too similar to."""


class Choice(NamedTuple):
    """The taken in order, and the others."""

    taken: pl.DataFrame
    left: pl.DataFrame


def by_score(table: pl.DataFrame, *, lowest: bool) -> pl.DataFrame:
    """The candidates from the best score down, ties by lot, with their place."""
    order = table.sort("score", "row", descending=[not lowest, False])
    return order.with_columns(place=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))


def top(table: pl.DataFrame, amount: int, *, lowest: bool = False) -> Choice:
    """The best of a score.

    Args:
        table: columns row and score, no nulls.
        amount: how many.
        lowest: whether low scores are the good ones.
    """
    order = by_score(table, lowest=lowest)
    taken = order.head(amount)
    reason = pl.format("score {}, place {} of {}", _short("score"), "place", pl.lit(len(table)))
    last = taken["score"][-1] if len(taken) else None
    left = order.slice(amount).select(
        "row",
        rule=pl.lit("NotTop"),
        value="score",
        bound=pl.lit(last, pl.Float64),
    )
    return _choice(taken.select("row", reason=reason), left)


def deita(
    table: pl.DataFrame, space: Space, amount: int, *, bound: float, lowest: bool = False
) -> Choice:
    """Good and unlike: from the best score down, unless too similar to one that is taken.

    The repetition filter of Deita (Liu et al., arXiv 2312.15685, section 2.4); the score is what
    the caller gives, there the product of complexity and quality. Fewer than `amount` are taken
    where no more are unlike enough.

    Args:
        table: columns row and score, no nulls; row is the row of `space`.
        space: where the records lie.
        amount: how many at most.
        bound: the similarity from which a record is refused.
        lowest: whether low scores are the good ones.
    """
    order = by_score(table, lowest=lowest)
    found = space.spread(order["row"].to_numpy().astype(np.int64), amount, bound)
    seen = order.head(len(found.seen)).with_columns(
        taken=pl.Series(found.taken, dtype=pl.Boolean),
        nearest=pl.Series(found.nearest, dtype=pl.Float64),
        other=pl.Series(found.who, dtype=pl.Int64).replace(-1, None),
    )
    reason = pl.format(
        "score {}, nearest chosen {} < {}", _short("score"), _short("nearest"), pl.lit(f"{bound:g}")
    )
    refused = seen.filter(~pl.col("taken")).select(
        "row",
        rule=pl.lit("TooSimilar"),
        value="nearest",
        bound=pl.lit(bound, pl.Float64),
        other="other",
    )
    rest = order.slice(len(found.seen)).select("row", rule=pl.lit("NotReached"), value="score")
    taken = seen.filter("taken").select("row", "nearest", reason=reason)
    return _choice(taken, pl.concat([refused, rest], how="diagonal"))


def covering(table: pl.DataFrame, space: Space, amount: int, *, lowest: bool = False) -> Choice:
    """What covers all candidates best, good records counting more: `cqia.selection.cover`.

    Args:
        table: column row, the row of `space`; with a column score the quality of a record is its
            rank's share, from 1 for the best to 1/n, so that the score's scale doesn't matter.
        space: where the records lie.
        amount: how many.
        lowest: whether low scores are the good ones.
    """
    scored = "score" in table.columns
    quality = np.ones(len(table))
    if scored:
        quality = (table["score"].rank("average", descending=lowest) / len(table)).to_numpy()
    found = cover(space, quality, amount)
    taken = pl.DataFrame({"row": found.rows, "gain": found.gains}, schema_overrides=_KINDS)
    taken = taken.join(table, on="row", how="left", maintain_order="left")
    told = pl.format("covers {} more of {}", _short("gain"), pl.lit(len(table)))
    if scored:
        told = pl.format("{}, score {}", told, _short("score"))
    last = float(found.gains[-1]) if len(found.gains) else None
    left = pl.DataFrame(
        {"row": np.arange(len(table)), "value": found.left}, schema_overrides=_KINDS
    )
    left = left.join(taken, on="row", how="anti", maintain_order="left").select(
        "row", "value", rule=pl.lit("LessGain"), bound=pl.lit(last, pl.Float64)
    )
    return _choice(taken.select("row", "gain", reason=told), left)


_KINDS = {"row": pl.Int64(), "gain": pl.Float64(), "value": pl.Float64()}


def _choice(taken: pl.DataFrame, left: pl.DataFrame) -> Choice:
    both = (pl.DataFrame(schema=TAKEN), taken), (pl.DataFrame(schema=LEFT), left)
    return Choice(*(pl.concat(pair, how="diagonal_relaxed") for pair in both))


def _short(column: str) -> pl.Expr:
    """A number as people read it."""
    return pl.col(column).round_sig_figs(3).cast(pl.String).str.strip_suffix(".0")
