"""The rules of dedup over one small table in files: a row a record, no texts, the best first.

Each rule gives verdicts on the rows it turns away: rule, value, bound, and the row of the record
that stays in their place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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


ROWS = 2_000_000
"""Records that are compared by a key at a time: all of one key are among them. It bounds memory."""
PIECES = 8
"""Most pieces: each reads all keys, so with more of them the cost would grow with the square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of all records in files: a row a record, read as far as a rule needs them.

    prefer: what makes a record the better one, most important first. answers: of each source, how
    many a question may have.
    """

    files: Sequence[Path]
    count: int
    prefer: Sequence[str]
    answers: Mapping[str, int | None]

    def rows(self, which: pl.Expr | None = None) -> pl.DataFrame:
        """These records, the best first: every rule keeps the first of its group.

        Files are read, not mapped: mapped pages would stay resident, all of them after a piece.
        """
        found, at = [], 0
        for file in self.files:
            whole = pl.read_ipc(file.read_bytes()).with_row_index("row", offset=at)
            some = whole if which is None else whole.filter(which)
            found.append(some.with_columns(pl.col("source").cast(pl.Enum(list(self.answers)))))
            at += len(whole)
        name = pl.col("source").cast(pl.String)
        limit = name.replace_strict(self.answers, return_dtype=pl.Int32)
        least = [True] * len(self.prefer) + [False]
        order = pl.concat(found).sort(*self.prefer, "row", descending=least)
        return order.drop("votes", "comments", "length", "verified").with_columns(name, limit=limit)

    def pieces(self, key: str) -> list[pl.Expr | None]:
        """What cuts the records so that all with the same `key` are together."""
        count = min(math.ceil(self.count / ROWS), PIECES)
        if count < 2:
            return [None]
        return [pl.col(key) % count == at for at in range(count)]


def by_key(keys: Keys) -> pl.DataFrame:
    """Verdicts on exact duplicates, then on more answers to a question than its source wants."""
    found = [_copies(keys.rows(some)) for some in keys.pieces("record")]
    gone = pl.concat(found)
    for group, member in (("question", pl.col("asked")), ("prompt", pl.lit(True))):
        free = member & ~pl.col("row").is_in(gone["row"].implode())
        found = [_more(keys.rows(some).filter(free), group) for some in keys.pieces(group)]
        gone = pl.concat([gone, *found])
    return gone


def _copies(table: pl.DataFrame) -> pl.DataFrame:
    twice = table.filter(pl.col("record").is_duplicated()).select(
        "row", value=1.0, bound=1.0, keeper=pl.col("row").first().over("record")
    )
    return verdicts(twice.filter(pl.col("row") != pl.col("keeper")), "ExactDuplicate")


def _more(table: pl.DataFrame, group: str) -> pl.DataFrame:
    many = table.filter(pl.col(group).is_duplicated()).select(
        "row",
        value=pl.int_range(1, pl.len() + 1).over(group),
        bound="limit",
        keeper=pl.col("row").first().over(group),
    )
    return verdicts(many.filter(pl.col("value") > pl.col("bound")), "SameQuestion")


def verdicts(hits: pl.DataFrame, rule: str) -> pl.DataFrame:
    """A rule's hits (row, value, bound, keeper) as verdicts."""
    return hits.with_columns(rule=pl.lit(rule)).select(*VERDICTS).cast(VERDICTS)


def by_similarity(
    keys: Keys, pairs: pl.DataFrame, threshold: float
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Verdicts on near-duplicates: of every connected component the best stays.

    Answers to one question are no duplicates of one another where their source wants several.

    Returns:
        The verdicts; and of all linked records, those that stay included, row and group.
    """
    ends = pl.concat([pairs["a"], pairs["b"]]).unique().cast(pl.UInt32)
    table = keys.rows(pl.col("row").is_in(ends.implode()))
    links = _unlike_questions(table, pairs)
    labels = clusters(keys.count, links).cast(pl.UInt32)
    both = pl.concat([links, links.rename({"a": "b", "b": "a"})], how="diagonal")
    best = both.group_by(row="a").agg(value=pl.col("similarity").max())
    linked = table.select("row").join(best, on="row", maintain_order="left")
    linked = linked.with_columns(group=labels.gather(linked["row"]), bound=pl.lit(threshold))
    linked = linked.with_columns(keeper=pl.col("row").first().over("group"))
    gone = verdicts(linked.filter(pl.col("row") != pl.col("keeper")), "NearDuplicate")
    return gone, linked.select("row", "group").sort("row")


def _unlike_questions(table: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs without those of two answers to a question whose sources want several."""
    few = table.select("row", "prompt", "question", "asked", "limit")
    a, b = (
        pairs.select(row=pl.col(end).cast(pl.UInt32)).join(
            few, on="row", how="left", maintain_order="left"
        )
        for end in ("a", "b")
    )
    same = (a["prompt"] == b["prompt"]) | ((a["question"] == b["question"]) & a["asked"])
    several = (a["limit"].fill_null(2) > 1) & (b["limit"].fill_null(2) > 1)
    return pairs.filter(~(same & several))
