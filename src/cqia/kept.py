"""The kept records as they lie in parts, numbered through, and work on every part."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cqia.workers import Progress, Workers, spread


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What curate kept, and what the steps of a stage share.

    parts: folders with a `kept.parquet`, in the order read. scratch: a folder for what the steps
    leave one another.
    """

    parts: Sequence[Path]
    scratch: Path
    workers: Workers
    progress: Progress | None

    @functools.cached_property
    def heights(self) -> tuple[int, ...]:
        """The records of each part."""
        count = pl.len()
        files = [part / "kept.parquet" for part in self.parts]
        return tuple(int(pl.scan_parquet(one).select(count).collect().item()) for one in files)

    @functools.cached_property
    def count(self) -> int:
        """All records."""
        return sum(self.heights)

    def alive(self, gone: pl.DataFrame) -> list[pl.Series]:
        """Of every part, whether each record has not been turned away by a rule."""
        left = np.ones(self.count, np.bool_)
        left[gone["row"].to_numpy()] = False
        ends = np.cumsum([0, *self.heights]).tolist()
        return [pl.Series(left[start:end]) for start, end in pairwise(ends)]

    def by_part(self, rows: pl.Series) -> list[pl.Series]:
        """Rows in the order read, cut by part, each part's numbered from 0."""
        return list(cut(rows, self.heights))

    def cut(self, frame: pl.DataFrame, row: str) -> Iterator[pl.DataFrame]:
        """A frame in the order of its column `row`, cut by part, each part's rows from 0."""
        at = 0
        for mine in self.by_part(frame[row]):
            yield frame.slice(at, len(mine)).with_columns(mine.alias(row))
            at += len(mine)

    def each(self, what: str, work: Callable[..., str], *given: Sequence[Any]) -> None:
        """Run a job for every part: its number, its folder, and what is given for it."""
        jobs = list(zip(range(len(self.parts)), self.parts, *given, strict=True))
        for done, _ in spread(work, jobs, self.workers):
            if self.progress:
                self.progress(done, len(jobs), what)


def cut(rows: pl.Series, heights: Sequence[int]) -> Iterator[pl.Series]:
    """Ascending row numbers cut by files, each file's numbered from 0."""
    bases = np.cumsum([0, *heights])
    cuts = np.searchsorted(rows.to_numpy(), bases).tolist()
    for (start, stop), base in zip(pairwise(cuts), bases[:-1].tolist(), strict=True):
        yield rows[start:stop] - base
