"""Records as vectors that someone else made: a Parquet file with the columns id and vector."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from cqia.errors import UserError
from cqia.selection.space import Array, Rows, Spread

BLOCK = 512
"""Rows whose similarities are computed at a time."""


@dataclass(frozen=True, slots=True)
class Dense:
    """Vectors of length 1; a negative cosine counts as no similarity."""

    vectors: Array

    @classmethod
    def of(cls, vectors: Array) -> Dense:
        """Vectors brought to length 1."""
        lengths = np.sqrt((vectors.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
        return cls((vectors / lengths).astype(np.float32))

    @property
    def count(self) -> int:
        """How many vectors there are."""
        return len(self.vectors)

    def spread(self, order: Rows, amount: int, bound: float) -> Spread:
        """Take rows in order, unless one that is taken is as similar as `bound` or more."""
        nearest, who = np.zeros(self.count), np.full(self.count, -1, np.int64)
        chosen = np.empty(amount, np.int64)
        taken = seen = 0
        for start in range(0, len(order), BLOCK):
            rows, before = order[start : start + BLOCK], taken
            block = self.vectors[rows]
            old = (
                np.zeros((len(rows), 0)) if not before else block @ self.vectors[chosen[:before]].T
            )
            for place, row in enumerate(rows):
                if taken == amount:
                    break
                new = self.vectors[chosen[before:taken]] @ block[place]
                near = np.concatenate([old[place], new])
                if len(near) and near.max() > 0:
                    nearest[row], who[row] = near.max(), chosen[int(near.argmax())]
                if nearest[row] < bound:
                    chosen[taken] = row
                    taken += 1
                seen += 1
        found = order[:seen]
        return Spread(found, nearest[found] < bound, nearest[found], who[found])

    def closest(self, most: int, *, among: Rows | None = None) -> tuple[Array, Array]:
        """Of every row the most similar rows and their similarities."""
        rows = np.arange(self.count) if among is None else np.sort(among)
        who = np.full((self.count, most), -1, np.int32)
        near = np.zeros((self.count, most), np.float32)
        size = min(most, len(rows) - (among is None))
        if size < 1:
            return who, near
        for start in range(0, self.count, BLOCK):
            here = slice(start, min(start + BLOCK, self.count))
            similar = self.vectors[here] @ self.vectors[rows].T
            if among is None:
                similar[np.arange(len(similar)), np.arange(here.start, here.stop)] = -2
            best = np.argpartition(-similar, size - 1, axis=1)[:, :size]
            values = np.take_along_axis(similar, best, axis=1)
            order = np.lexsort((best, -values), axis=1)
            values = np.take_along_axis(values, order, axis=1)
            found = rows[np.take_along_axis(best, order, axis=1)]
            near[here, :size] = np.maximum(values, 0)
            who[here, :size] = np.where(values > 0, found, -1)
        return who, near


def read(path: Path) -> pl.DataFrame:
    """The vectors of a file: id and vector, all of one length; those without a direction are out.

    Raises:
        UserError: the file or a column is missing, an id stands twice, or lengths differ.
    """
    if not path.is_file():
        raise UserError("no such file", where=str(path))
    try:
        frame = pl.read_parquet(path, columns=["id", "vector"])
    except (pl.exceptions.PolarsError, OSError) as fault:
        raise UserError(
            f"no vectors can be read: {str(fault).splitlines()[0]}",
            where=str(path),
            mend="write a Parquet file with the columns id (text) and vector (list of numbers)",
        ) from None
    kind = frame.schema["vector"]
    if isinstance(kind, pl.Array):
        frame = frame.with_columns(pl.col("vector").arr.to_list())
        kind = frame.schema["vector"]
    if frame.schema["id"] != pl.String or not (
        isinstance(kind, pl.List) and kind.inner.is_numeric()
    ):
        raise UserError("id is no text, or vector no list of numbers", where=str(path))
    if frame["id"].is_duplicated().any():
        twice = frame.filter(pl.col("id").is_duplicated())["id"][0]
        raise UserError(f"id {twice!r} stands twice", where=str(path))
    frame = frame.with_columns(pl.col("vector").cast(pl.List(pl.Float64)))
    if frame["vector"].list.len().drop_nulls().n_unique() > 1:
        raise UserError("the vectors' lengths differ", where=str(path))
    numbers = pl.col("vector").list
    sound = numbers.eval(pl.element().is_finite() & pl.element().is_not_null()).list.all()
    some = numbers.eval(pl.element() != 0).list.any()
    return frame.filter(pl.col("vector").is_not_null() & sound & some)
