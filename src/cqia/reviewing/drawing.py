"""Which records make a round of review: by lot, in order, or those that are hardest to call."""

from __future__ import annotations

import numpy as np
import polars as pl

from cqia.errors import UserError, unknown
from cqia.reviewing.search import Query, Search

HOW = ("random", "order", "uncertain")


def draw(
    found: Search, query: Query, *, how: str, count: int, seed: int = 0, middle: float = 0.0
) -> list[tuple[str, str]]:
    """Draw the ids and sources of so many records that a query finds.

    Args:
        found: the index.
        query: what they are drawn from; its `measure` is what `uncertain` goes by.
        how: random (by a hash of seed and id), order (as they were read), or uncertain: those whose
            measure lies nearest to `middle`, where a threshold would have to decide.
        count: how many.
        seed: of the lottery.
        middle: the threshold.

    Raises:
        UserError: an unknown way, no records, or nothing measured to be uncertain about.
    """
    if how not in HOW:
        raise unknown("way to draw", how, HOW)
    if count < 1:
        raise UserError("a round has 1 record or more")
    rows = found.rows(query)
    if how == "uncertain":
        if not query.measure:
            raise UserError("uncertain about what?", mend="name a measure or a judge's scores")
        values = found.values(query.measure)[rows]
        rows = rows[~np.isnan(values)]
        rows = rows[np.argsort(np.abs(found.values(query.measure)[rows] - middle), kind="stable")]
    table = found.facts[rows]
    if how == "random":
        import polars_hash as plh

        place = plh.concat_str(pl.lit(f"{seed}/"), pl.col("id")).nchash.xxh3_64()
        table = table.with_columns(lot=place).sort("lot", "id")
    if table.is_empty():
        raise UserError("no record is like that", mend="ask for less")
    return [(row[0], str(row[1])) for row in table.head(count).select("id", "source").iter_rows()]
