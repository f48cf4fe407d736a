"""The rules of dedup over one small table: a row a record, no texts, the best record first.

Each rule gives verdicts on the rows it turns away: rule, value, bound, and the row of the record
that stays in their place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from cqia.text.near import clusters

VERDICTS = pl.Schema(
    {
        "row": pl.UInt32(),
        "rule": pl.String(),
        "value": pl.Float64(),
        "bound": pl.Float64(),
        "keeper": pl.UInt32(),
    }
)
"""row and keeper: row numbers of the record turned away and of the one that stays in its place."""


def ranked(
    table: pl.DataFrame, prefer: Sequence[str], answers: Mapping[str, int | None]
) -> pl.DataFrame:
    """The records with the best first: every rule keeps the first of its group."""
    limit = pl.col("source").cast(pl.String).replace_strict(answers, return_dtype=pl.Int32)
    order = table.sort(*prefer, "row", descending=[True] * len(prefer) + [False])
    return order.drop("votes", "comments", "length", "verified").with_columns(limit=limit)


def by_key(table: pl.DataFrame) -> pl.DataFrame:
    """Verdicts on exact duplicates, then on more answers to a question than its source wants."""
    twice = table.filter(pl.col("record").is_duplicated()).select(
        "row", value=1.0, bound=1.0, keeper=pl.col("row").first().over("record")
    )
    gone = verdicts(twice.filter(pl.col("row") != pl.col("keeper")), "ExactDuplicate")
    for group, member in (("question", pl.col("asked")), ("prompt", pl.lit(True))):
        free = member & ~pl.col("row").is_in(gone["row"].implode())
        many = table.select("row", group, "limit", "asked").filter(free)
        many = many.filter(pl.col(group).is_duplicated()).select(
            "row",
            value=pl.int_range(1, pl.len() + 1).over(group),
            bound="limit",
            keeper=pl.col("row").first().over(group),
        )
        more = many.filter(pl.col("value") > pl.col("bound"))
        gone = pl.concat([gone, verdicts(more, "SameQuestion")])
    return gone


def verdicts(hits: pl.DataFrame, rule: str) -> pl.DataFrame:
    """A rule's hits (row, value, bound, keeper) as verdicts."""
    return hits.with_columns(rule=pl.lit(rule)).select(*VERDICTS).cast(VERDICTS)


def by_similarity(
    table: pl.DataFrame, pairs: pl.DataFrame, threshold: float
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Verdicts on near-duplicates: of every connected component the best stays.

    Answers to one question are no duplicates of one another where their source wants several.

    Returns:
        The verdicts; and of all linked records, those that stay included, row and group.
    """
    links = _unlike_questions(table, pairs)
    labels = clusters(len(table), links).cast(pl.UInt32)
    both = pl.concat([links, links.rename({"a": "b", "b": "a"})], how="diagonal")
    best = both.group_by(row="a").agg(value=pl.col("similarity").max())
    linked = table.select("row").join(best, on="row", maintain_order="left")
    linked = linked.with_columns(group=labels.gather(linked["row"]), bound=pl.lit(threshold))
    linked = linked.with_columns(keeper=pl.col("row").first().over("group"))
    gone = verdicts(linked.filter(pl.col("row") != pl.col("keeper")), "NearDuplicate")
    return gone, linked.select("row", "group").sort("row")


def _unlike_questions(table: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs without those of two answers to a question whose sources want several."""
    rows = pl.concat([pairs["a"], pairs["b"]]).unique().cast(pl.UInt32)
    few = table.select("row", "prompt", "question", "asked", "limit").filter(
        pl.col("row").is_in(rows.implode())
    )
    a, b = (
        pairs.select(row=pl.col(end).cast(pl.UInt32)).join(
            few, on="row", how="left", maintain_order="left"
        )
        for end in ("a", "b")
    )
    same = (a["prompt"] == b["prompt"]) | ((a["question"] == b["question"]) & a["asked"])
    several = (a["limit"].fill_null(2) > 1) & (b["limit"].fill_null(2) > 1)
    return pairs.filter(~(same & several))
