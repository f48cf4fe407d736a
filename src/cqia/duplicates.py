"""The rules of dedup over one small table in files: a row a record, no texts, the best first.

Each rule gives verdicts on the rows it turns away: rule, value, bound, and the row of the record
that stays in their place.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from cqia.kept import cut
from cqia.text.near import clusters

VERDICTS = pl.Schema(
    {
        "row": pl.UInt32(),
        "rule": pl.Categorical(),
        "value": pl.Float64(),
        "bound": pl.Float64(),
        "keeper": pl.UInt32(),
    }
)
"""row and keeper: row numbers of the record turned away and of the one that stays in its place."""

ROWS = 500_000
"""Records that are compared by a key at a time: all of one key are among them. It bounds memory."""
PIECES = 128
"""Most pieces, since each is an open file while they are cut; beyond, pieces grow."""

ANY = -1
"""A limit that is none."""

KEYS = pl.Schema(
    {
        "record": pl.UInt64(),
        "prompt": pl.UInt64(),
        "question": pl.UInt64(),
        "asked": pl.Boolean(),
        "limit": pl.Int32(),
        "votes": pl.Int32(),
        "comments": pl.Int32(),
        "length": pl.UInt32(),
        "verified": pl.Boolean(),
    }
)
"""Columns of the files of keys, `limit` in place of the source."""
_TYPES = {pl.UInt64: "u8", pl.Boolean: "?", pl.Int32: "i4", pl.UInt32: "u4"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of all records in files: a row a record, read as far as a rule needs them.

    heights: the rows of each file. prefer: what makes a record the better one, most important
    first. answers: of each source, how many a question may have. scratch: a folder for pieces.
    """

    files: Sequence[Path]
    heights: Sequence[int]
    prefer: Sequence[str]
    answers: Mapping[str, int | None]
    scratch: Path

    def these(self, rows: pl.Series) -> pl.DataFrame:
        """These records (row numbers, ascending): prompt, question, asked, limit and preference."""
        few = ["prompt", "question", "asked", "limit", *self.prefer]
        found = [pl.DataFrame(schema={name: KEYS[name] for name in few})]
        for file, mine in zip(self.files, cut(rows, self.heights), strict=True):
            some = _read(file)[mine]
            found.append(some.with_columns(limit=self._limit(some)).select(few))
        return pl.concat(found).with_columns(row=rows)

    def sorted(self, table: pl.DataFrame) -> pl.DataFrame:
        """The best first: every rule keeps the first of its group."""
        least = [True] * len(self.prefer) + [False]
        return table.sort(*self.prefer, "row", descending=least)

    def pieces(self, key: str, gone: pl.DataFrame, which: str | None) -> Iterator[pl.DataFrame]:
        """row, `key` and limit of all records that are left, cut by `key`, the best first.

        All records with the same key are in one piece. Each file is read once, whatever the number
        of pieces; they pass through files of their own.

        Args:
            key: the column of the key.
            gone: verdicts on the records that are not left.
            which: a column; only where it holds.
        """
        records = sum(self.heights)
        count = max(1, min(math.ceil(records / ROWS), PIECES))
        left = np.ones(records, np.bool_)
        left[gone["row"].to_numpy()] = False
        names = (key, "limit", *self.prefer)
        kind = np.dtype([("row", "u4"), *((name, _TYPES[type(KEYS[name])]) for name in names)])
        paths = [self.scratch / f"{key}.{number}.piece" for number in range(count)]
        with contextlib.ExitStack() as stack:
            pieces = [stack.enter_context(path.open("wb")) for path in paths]
            at = 0
            for file in self.files:
                some = _read(file).with_row_index("row", offset=at)
                some = some.with_columns(limit=self._limit(some))
                here = left[at : at + len(some)]
                at += len(some)
                some = some.filter(here if which is None else here & some[which].to_numpy())
                table = np.empty(len(some), kind)
                for name in kind.names or ():
                    table[name] = some[name].to_numpy()
                bucket = some[key].to_numpy() % np.uint64(count)
                table = table[np.argsort(bucket, kind="stable")]
                ends = np.cumsum(np.bincount(bucket.astype(np.int64), minlength=count)).tolist()
                for piece, (start, stop) in zip(pieces, pairwise([0, *ends]), strict=True):
                    piece.write(table[start:stop].tobytes())
        for path in paths:
            table = np.fromfile(path, kind)
            path.unlink()
            yield self.sorted(pl.DataFrame({name: table[name] for name in kind.names or ()}))

    def _limit(self, some: pl.DataFrame) -> pl.Series:
        """How many answers to a question each record's source wants."""
        told = {name: ANY if most is None else most for name, most in self.answers.items()}
        return some["source"].replace_strict(told, return_dtype=pl.Int32)


def _read(file: Path) -> pl.DataFrame:
    """A file of keys; read, not mapped: mapped pages would stay resident, all after a while."""
    return pl.read_ipc(file.read_bytes())


def by_key(keys: Keys) -> pl.DataFrame:
    """Verdicts on exact duplicates, then on more answers to a question than its source wants."""
    gone = VERDICTS.to_frame()
    gone = pl.concat(_copies(piece) for piece in keys.pieces("record", gone, None))
    for group, member in (("question", "asked"), ("prompt", None)):
        found = [_more(piece, group) for piece in keys.pieces(group, gone, member)]
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
    most = pl.col("bound")
    return verdicts(many.filter((pl.col("value") > most) & (most != ANY)), "SameQuestion")


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
    ends = pl.concat([pairs["a"], pairs["b"]]).unique().sort()
    table = keys.these(ends)
    a, b = (ends.search_sorted(pairs[end]) for end in ("a", "b"))
    linked = ~_unlike(table, a, b)
    links = pl.DataFrame({"a": a, "b": b, "similarity": pairs["similarity"]}).filter(linked)
    value = np.zeros(len(ends))
    for end in ("a", "b"):
        np.maximum.at(value, links[end].to_numpy(), links["similarity"].to_numpy())
    least = clusters(len(ends), links)
    # Places in `ends` from the best to the last; the first of each cluster is the one that stays.
    order = keys.sorted(table.select("row", *keys.prefer, place=pl.int_range(pl.len())))["place"]
    of, first = np.unique(least.gather(order).to_numpy(), return_index=True)
    best = order.gather(first).gather(np.searchsorted(of, least.to_numpy()))
    told = pl.DataFrame(
        {"row": ends, "group": ends.gather(least), "value": value, "keeper": ends.gather(best)}
    ).filter(pl.col("value") > 0)
    gone = told.filter(pl.col("row") != pl.col("keeper")).with_columns(bound=pl.lit(threshold))
    return verdicts(gone, "NearDuplicate"), told.select("row", "group")


def _unlike(table: pl.DataFrame, a: pl.Series, b: pl.Series) -> pl.Series:
    """Whether two records (places in the table) answer one question whose sources want several."""

    def alike(column: str) -> pl.Series:
        return table[column].gather(a) == table[column].gather(b)

    asked, several = table["asked"], table["limit"] != 1
    same = alike("prompt") | (alike("question") & asked.gather(a))
    return same & several.gather(a) & several.gather(b)
