"""The described records: the dataset, or else what dedup left, or else what curate kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Self

import polars as pl

from cqia import answers, decisions, store
from cqia.errors import UserError
from cqia.record import SCHEMA, TEXT
from cqia.workers import Workers, fitting, spread


def stage(work: Path, curated: dict[str, str]) -> tuple[str, store.Facts]:
    """The last stage that ran, and the fingerprints of what is described.

    Raises:
        UserError: a stage ran before something it is made of was changed.
    """
    doubles, chosen = store.manifest(work / "dedup"), store.manifest(work / "assemble")
    inputs = {"curate": curated, "dedup": doubles and doubles["fingerprint"]}
    if doubles and doubles.get("inputs", curated) != curated:
        raise _stale(work, "dedup")
    reviewed = decisions.mark(decisions.read(work))
    if chosen and (chosen["inputs"] != inputs or chosen["reviewed"] != reviewed):
        raise _stale(work, "assemble")
    last = "assemble" if chosen else "dedup" if doubles else "curate"
    return last, {**inputs, "assemble": chosen and chosen["fingerprint"]}


def _stale(work: Path, name: str) -> UserError:
    return UserError(
        f"{name} is older than what it was made of",
        where=str(work),
        mend=f"run: cqia {name} --work {work}",
    )


def records(
    work: Path,
    sources: Sequence[str],
    last: str,
    columns: Sequence[pl.Expr | str],
    *,
    workers: Workers = 1,
) -> pl.DataFrame:
    """The described records with these columns, in the order read.

    Args:
        work: the working folder.
        sources: which of them.
        last: the last stage that ran.
        columns: what is wanted of a record; a part's texts are in memory while it is read.
        workers: processes, or a cluster.
    """
    read = _Reading.of(work, last)
    parts = [part for name in sources for part in store.parts(work / "curate" / name)]
    few = fitting(workers, sum((part / "kept.parquet").stat().st_size for part in parts))
    own = read if isinstance(few, int) else few.share(read)
    jobs = [(number, part, own, list(columns)) for number, part in enumerate(parts)]
    found = dict(frame for _, frame in spread(_of_part, jobs, few))
    return pl.concat([found[number] for number in range(len(parts))])


def batches(work: Path, sources: Sequence[str], last: str) -> Iterator[pl.DataFrame]:
    """The described records with all their columns, part by part, in the order read."""
    read = _Reading.of(work, last)
    for name in sources:
        for part in store.parts(work / "curate" / name):
            yield read.part(part)


class _Reading(NamedTuple):
    """How a part is read: what people decided, what models drafted, and which ids are described.

    how: `semi` where `told` are the ids that are described, `anti` where they are those left out.
    """

    decided: pl.DataFrame
    drafted: pl.DataFrame
    told: pl.DataFrame
    how: Literal["semi", "anti"]

    @classmethod
    def of(cls, work: Path, last: str) -> Self:
        """What the last stage that ran says."""
        chosen = store.manifest(work / "assemble") if last == "assemble" else None
        decided = decisions.read(work)
        path = {"assemble": work / "assemble" / "chosen.parquet",
                "dedup": work / "dedup" / "dropped.parquet"}.get(last)  # fmt: skip
        nothing = pl.DataFrame(schema={"id": pl.String})
        return cls(
            decided if last == "assemble" else decided.clear(),
            answers.drafted(work, chosen["writers"] if chosen else ()),
            pl.read_parquet(path, columns=["id"]) if path else nothing,
            "semi" if last == "assemble" else "anti",
        )

    def part(self, part: Path) -> pl.DataFrame:
        """The described records of a part."""
        frame = answers.put(decisions.records(part, self.decided, list(SCHEMA)), self.drafted)
        return frame.join(self.told, on="id", how=self.how, maintain_order="left")


def texts_of(
    work: Path, sources: Sequence[str], last: str, ids: pl.Series, *, most: int | None = None
) -> pl.DataFrame:
    """id, instruction, input and output of a few of the described records, in the order of `ids`.

    Args:
        work: the working folder.
        sources: which of them.
        last: the last stage that ran.
        ids: of which records.
        most: characters that are kept of each text; None: all.
    """
    mine = pl.col("id").is_in(ids.implode())
    cut = [pl.col(name).str.head(most) if most else pl.col(name) for name in TEXT]
    found = [one.filter(mine).select("id", *cut) for one in batches(work, sources, last)]
    schema = dict.fromkeys(("id", *TEXT), pl.String)
    whole = pl.concat([pl.DataFrame(schema=schema), *found])
    return ids.to_frame("id").join(whole, on="id", how="left", maintain_order="left")


def _of_part(
    number: int, part: Path, read: _Reading, columns: list[pl.Expr | str]
) -> tuple[int, pl.DataFrame]:
    return number, read.part(part).select(columns)
