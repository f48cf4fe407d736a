"""The rules of dedup over one small table: a row a record, no texts, the best record first.

Each rule writes its verdict into the rows it turns away: rule, value, bound, and the row of the
record that stays in their place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from cqia.text.near import clusters


def ranked(
    table: pl.DataFrame, prefer: Sequence[str], answers: Mapping[str, int | None]
) -> pl.DataFrame:
    """The records with the best first: every rule keeps the first of its group."""
    limit = pl.col("source").cast(pl.String).replace_strict(answers, return_dtype=pl.Int32)
    order = table.with_columns(limit=limit).sort(
        *prefer, "row", descending=[True] * len(prefer) + [False]
    )
    none: dict[str, pl.DataType] = {
        "rule": pl.Categorical(),
        "value": pl.Float64(),
        "bound": pl.Float64(),
        "keeper": pl.UInt32(),
    }
    return order.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in none.items())


def by_key(table: pl.DataFrame) -> pl.DataFrame:
    """Exact duplicates, then more answers to a question than its source wants."""
    twice = table.filter(pl.col("record").is_duplicated())
    first = pl.col("row").first().over("record")
    table = drop(
        table,
        twice.select("row", value=1.0, bound=1.0, keeper=first).filter(
            pl.col("row") != pl.col("keeper")
        ),
        "ExactDuplicate",
    )
    for group, member in (("question", pl.col("asked")), ("prompt", pl.lit(True))):
        free = table.filter(pl.col("rule").is_null() & member)
        many = free.filter(pl.col(group).is_duplicated()).select(
            "row",
            value=pl.int_range(1, pl.len() + 1).over(group),
            bound="limit",
            keeper=pl.col("row").first().over(group),
        )
        table = drop(table, many.filter(pl.col("value") > pl.col("bound")), "SameQuestion")
    return table


def drop(table: pl.DataFrame, verdicts: pl.DataFrame, rule: str) -> pl.DataFrame:
    """Write a rule's verdicts (row, value, bound, keeper) into the table."""
    if verdicts.is_empty():
        return table
    new = verdicts.select(
        pl.col("row", "keeper").cast(pl.UInt32),
        pl.col("value", "bound").cast(pl.Float64),
        rule=pl.lit(rule, pl.Categorical),
    )
    return table.update(new, on="row", how="left", maintain_order="left")


def by_similarity(
    table: pl.DataFrame, pairs: pl.DataFrame, threshold: float
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Near-duplicates: of every connected component the best stays. Also row -> group of them all.

    Answers to one question are no duplicates of one another where their source wants several.
    """
    links = _unlike_questions(table, pairs)
    labels = clusters(len(table), links).cast(pl.UInt32)
    both = pl.concat([links, links.rename({"a": "b", "b": "a"})], how="diagonal")
    best = both.group_by(row="a").agg(value=pl.col("similarity").max())
    linked = table.select("row").join(best, on="row", maintain_order="left")
    linked = linked.with_columns(group=labels.gather(linked["row"]), bound=pl.lit(threshold))
    linked = linked.with_columns(keeper=pl.col("row").first().over("group"))
    table = drop(table, linked.filter(pl.col("row") != pl.col("keeper")), "NearDuplicate")
    return table, linked.select("row", "group").sort("row")


def _unlike_questions(table: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs without those of two answers to a question whose sources want several."""
    by_row = table.select("row", "prompt", "question", "asked", "limit").sort("row")
    a, b = by_row[pairs["a"]], by_row[pairs["b"]]
    same = (a["prompt"] == b["prompt"]) | ((a["question"] == b["question"]) & a["asked"])
    several = (a["limit"].fill_null(2) > 1) & (b["limit"].fill_null(2) > 1)
    return pairs.filter(~(same & several))
