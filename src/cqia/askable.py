"""The records that models are asked about: what curate kept and dedup left, with their texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from cqia import answers, ledger, store
from cqia.errors import UserError, unknown
from cqia.record import TEXT

BATCH = 5_000
"""Records whose requests are made and asked for at a time."""


class Askable(NamedTuple):
    """Where the records stand, and what they depend on.

    names: of the sources. facts: for the fingerprint. doubles: ids that dedup dropped, where it
    ran. limit: only the first so many of each source. drafted: answers for records without one.
    """

    work: Path
    names: list[str]
    facts: store.Facts
    doubles: pl.DataFrame | None
    limit: int | None
    drafted: pl.DataFrame | None


def askable(
    work: Path, sources: Sequence[str], *, limit: int | None = None, writers: Sequence[str] = ()
) -> Askable:
    """Look up the records; nothing is read of them yet.

    Args:
        work: a working folder in which curate has run.
        sources: only these; none: all.
        limit: only the first so many records of each source.
        writers: models whose drafted answers are put in where a record has none.

    Raises:
        UserError: nothing was curated, an unknown source, a limit below 1, or nothing drafted.
    """
    curated = ledger.curated(work)
    for name in sources:
        if name not in curated:
            raise unknown("source", name, curated, where=str(work))
    if limit is not None and limit < 1:
        raise UserError("limit is 1 or more", mend="mend --limit")
    names = [name for name in curated if name in sources or not sources]
    prints = {name: store.manifest(work / "curate" / name) or {} for name in names}
    doubles = store.manifest(work / "dedup")
    facts: store.Facts = {
        "inputs": {name: one["fingerprint"] for name, one in prints.items()},
        "dedup": doubles and doubles["fingerprint"],
        "limit": limit,
    }
    if writers:
        facts["answers"] = answers.prints(work, writers)
    gone = pl.read_parquet(work / "dedup" / "dropped.parquet", columns=["id"]) if doubles else None
    written = answers.drafted(work, writers) if writers else None
    return Askable(work, names, facts, gone, limit, written)


def records(found: Askable) -> Iterator[pl.DataFrame]:
    """Their id, source and texts, some thousand at a time."""
    columns = ["id", "source", *TEXT]
    for name in found.names:
        left = found.limit
        for part in store.parts(found.work / "curate" / name):
            frame = pl.read_parquet(part / "kept.parquet", columns=[*columns, "answer_from"])
            if found.doubles is not None:
                frame = frame.join(found.doubles, on="id", how="anti", maintain_order="left")
            if found.drafted is not None:
                frame = answers.put(frame, found.drafted)
            if left is not None:
                frame = frame.head(left)
                left -= len(frame)
            yield from (one for one in frame.select(columns).iter_slices(BATCH) if len(one))
