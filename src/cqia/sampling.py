"""Seeded choices among records: samples that keep the strata's proportions, and splits.

Nothing depends on the order of records or on a state: a record's place in the lottery is the hash
of the seed and its id, so the same records and seed give the same sample on every machine.
"""

from __future__ import annotations

import polars as pl
import polars_hash as plh

from cqia.text.near import clusters

UNITS = ("records", "characters")


def lot(seed: int) -> pl.Expr:
    """A record's place in the lottery: a hash of the seed and `id`."""
    return plh.concat_str(pl.lit(f"{seed}/"), pl.col("id")).nchash.xxh3_64()


def shares(budget: int, weights: list[float]) -> list[int]:
    """A whole number cut into whole parts by weight (largest remainder; ties to the first)."""
    whole = sum(weights)
    exact = [budget * weight / whole for weight in weights]
    parts = [int(one) for one in exact]
    order = sorted(range(len(exact)), key=lambda place: (parts[place] - exact[place], place))
    for place in order[: budget - sum(parts)]:
        parts[place] += 1
    return parts


def tempered(budget: int, sizes: list[int], temperature: float) -> list[int]:
    """A budget shared among strata by `size ** (1 / temperature)`, none above its size.

    Temperature 1 keeps the strata's proportions, a high one makes them equal: the sampling that
    multitask training uses so that a few huge tasks don't drown the small ones (T5, arXiv
    1910.10683, section 3.5.2). What a small stratum can't give goes to the others by their weights.
    """
    quota = [0] * len(sizes)
    largest = max(sizes)
    weights = [(size / largest) ** (1 / temperature) for size in sizes]
    open_, rest = list(range(len(sizes))), min(budget, sum(sizes))
    while open_:
        whole = sum(weights[place] for place in open_)
        full = [place for place in open_ if rest * weights[place] / whole >= sizes[place]]
        if not full:
            parts = shares(rest, [weights[place] for place in open_])
            for place, part in zip(open_, parts, strict=True):
                quota[place] = part
            break
        for place in full:
            quota[place] = sizes[place]
            rest -= sizes[place]
        open_ = [place for place in open_ if place not in full]
    return quota


def sample(
    pool: pl.DataFrame, *, budget: int, unit: str, strata: list[str], temperature: float = 1.0
) -> pl.Series:
    """Choose records up to a budget, every stratum by its share of the pool.

    Args:
        pool: columns row, lot, characters, and the strata.
        budget: how much is wanted, in `unit`.
        unit: records: strata get whole numbers by largest remainder. characters: records are taken
            in an order that runs through all strata evenly, up to the first that would exceed the
            budget; so the budget is never exceeded, and missed by less than that record.
        strata: columns whose values together make a stratum.
        temperature: above 1 the strata's shares are drawn together, as `tempered` says; of use with
            records only.

    Returns:
        The chosen values of `row`.
    """
    if unit == "characters":
        size = pl.col("characters").cast(pl.Int64)
        order = pool.sort("lot", "row")
        middle = (size.cum_sum() - size / 2) / size.sum()
        order = order.with_columns(middle=middle.over(strata) if strata else middle)
        order = order.sort("middle", "lot", "row")
        return order.filter(pl.col("characters").cast(pl.Int64).cum_sum() <= budget)["row"]
    if budget >= len(pool):
        return pool["row"]
    if not strata:
        return pool.sort("lot", "row")["row"].head(budget)
    if temperature != 1:
        quota = pool.group_by(strata).agg(quota=pl.len().cast(pl.Int64)).sort(strata)
        drawn = tempered(budget, quota["quota"].to_list(), temperature)
        return _drawn(pool, quota.with_columns(quota=pl.Series(drawn, dtype=pl.Int64)), strata)
    size = pl.len().cast(pl.Int64) * budget
    quota = pool.group_by(strata).agg(quota=size // len(pool), rest=size % len(pool))
    quota = quota.sort("rest", *strata, descending=[True] + [False] * len(strata))
    missing = budget - int(quota["quota"].sum())
    extra = (pl.int_range(pl.len()) < missing).cast(pl.Int64)
    return _drawn(pool, quota.select(*strata, quota=pl.col("quota") + extra), strata)


def _drawn(pool: pl.DataFrame, quota: pl.DataFrame, strata: list[str]) -> pl.Series:
    """Of every stratum as many records as its quota says, by the lottery."""
    ranked = pool.sort("lot", "row").with_columns(rank=pl.int_range(pl.len()).over(strata))
    ranked = ranked.join(quota, on=strata, how="left", nulls_equal=True, maintain_order="left")
    return ranked.filter(pl.col("rank") < pl.col("quota"))["row"]


def components(table: pl.DataFrame, ties: list[str]) -> pl.Series:
    """The connected components of rows that share a value in any of some columns; nulls share none.

    Returns:
        For every row the number of the component's first row.
    """
    here = table.select(*ties).with_columns(b=pl.int_range(pl.len(), dtype=pl.UInt32))
    links = [
        here.filter(pl.col(tie).is_not_null())
        .select(pl.col("b").first().over(tie).alias("a"), "b")
        .filter(pl.col("a") != pl.col("b"))
        for tie in ties
    ]
    return clusters(len(table), pl.concat(links))


def hold_out(table: pl.DataFrame, *, share: float, seed: int, ties: list[str]) -> pl.Series:
    """Which records stand in the validation split.

    Records that share a value of a tie are one component, and a component is never cut. Each source
    holds out its share as nearly as whole components allow without exceeding it; components go by
    the hash of their first record's id. A component over several sources counts for the source of
    its first record.
    """
    table = table.with_columns(component=components(table, ties))
    wanted = (pl.len().over("source") * share).round().cast(pl.Int64)
    table = table.with_columns(wanted=wanted)
    whole = table.group_by("component", maintain_order=True).agg(
        pl.col("source").first(),
        pl.col("id").first(),
        pl.col("wanted").first(),
        size=pl.len().cast(pl.Int64),
    )
    fitting = whole.filter(pl.col("size") <= pl.col("wanted")).sort(lot(seed), "component")
    held = fitting.filter(pl.col("size").cum_sum().over("source") <= pl.col("wanted"))
    return table["component"].is_in(held["component"].implode())
