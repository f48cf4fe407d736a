"""The records that models are asked about: what curate kept and dedup left, with their texts.

What people brought back is among them, and mended texts stand in place of the old ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from cqia import answers, decisions, ledger, store
from cqia.errors import UserError, unknown
from cqia.record import TEXT

BATCH = 5_000
"""Records whose requests are made and asked for at a time."""


class Askable(NamedTuple):
    """Where the records stand, and what they depend on.

    names: of the sources. facts: for the fingerprint. doubles: the table of what dedup dropped,
    where it ran. limit: only the first so many of each source. drafted: answers for records without
    one. decided: what people brought back or mended.
    """

    work: Path
    names: list[str]
    facts: store.Facts
    doubles: Path | None
    limit: int | None
    drafted: pl.DataFrame | None
    decided: pl.DataFrame


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
    decided = decisions.read(work)
    mended = pl.any_horizontal(pl.col(f"new_{name}").is_not_null() for name in TEXT)
    decided = decided.filter((pl.col("verdict") == "restore") | mended)
    if len(decided):
        facts["reviewed"] = decisions.mark(decided)
    gone = work / "dedup" / "dropped.parquet" if doubles else None
    written = answers.drafted(work, writers) if writers else None
    return Askable(work, names, facts, gone, limit, written, decided)


def records(found: Askable) -> Iterator[pl.DataFrame]:
    """Their id, source and texts, some thousand at a time."""
    for _, frame in by_part(found):
        yield from (one for one in frame.iter_slices(BATCH) if len(one))


def by_part(found: Askable) -> Iterator[tuple[Path, pl.DataFrame]]:
    """Each part's folder, and those records of it that are asked about."""
    before, left = "", found.limit
    for name, part in parts(found):
        left = left if name == before else found.limit
        if left == 0:
            continue
        frame = records_of(found, part)
        frame = frame if left is None else frame.head(left)
        left = None if left is None else left - len(frame)
        before = name
        yield part, frame


def parts(found: Askable) -> list[tuple[str, Path]]:
    """Source and folder of every part that holds some of them, in order."""
    return [
        (name, part) for name in found.names for part in store.parts(found.work / "curate" / name)
    ]


def records_of(found: Askable, part: Path) -> pl.DataFrame:
    """Those of one part, whatever the limit."""
    columns = ["id", "source", *TEXT]
    frame = decisions.records(part, found.decided, [*columns, "answer_from"])
    if found.doubles is not None:
        back = pl.col("id").is_in(decisions.returned(found.decided).implode())
        gone = ledger.told_of(found.doubles, part).filter(~back)
        frame = frame.join(gone, on="id", how="anti", maintain_order="left")
    if found.drafted is not None:
        frame = answers.put(frame, found.drafted)
    return frame.select(columns)
