"""The described records: the dataset, or else what dedup left, or else what curate kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, TypeVar

import polars as pl

from cqia import answers, decisions, ledger, store
from cqia.errors import UserError
from cqia.record import SCHEMA, TEXT
from cqia.workers import Workers, fitting, spread

T = TypeVar("T")


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


def each(
    work: Path,
    sources: Sequence[str],
    last: str,
    what: Callable[..., T],
    *given: Any,  # noqa: ANN401
    columns: Sequence[str] = tuple(SCHEMA),
    workers: Workers = 1,
) -> list[T]:
    """`what(records, *given)` for the described records of every part, in the order read.

    Args:
        work: the working folder.
        sources: which of them.
        last: the last stage that ran.
        what: a function of a module; a part's texts are in memory while it runs.
        given: what else it gets, the same for every part.
        columns: what is read of a record, beside its id, output and answer_from.
        workers: processes, or a cluster.
    """
    read = _Reading.of(work, last, columns)
    parts = [part for name in sources for part in store.parts(work / "curate" / name)]
    few = fitting(workers, sum((part / "kept.parquet").stat().st_size for part in parts))
    own = read if isinstance(few, int) else few.share(read)
    jobs = [(number, part, own, what, given) for number, part in enumerate(parts)]
    found = dict(one for _, one in spread(_of_part, jobs, few))
    return [found[number] for number in range(len(parts))]


def batches(work: Path, sources: Sequence[str], last: str) -> Iterator[pl.DataFrame]:
    """The described records with all their columns, part by part, in the order read."""
    read = _Reading.of(work, last, tuple(SCHEMA))
    for name in sources:
        for part in store.parts(work / "curate" / name):
            yield read.part(part)


class _Reading(NamedTuple):
    """How a part is read: what people decided, what models drafted, and what is described.

    columns: of a record. table: assemble's chosen.parquet, or dedup's dropped.parquet, or None:
    everything is described.
    """

    columns: list[str]
    decided: pl.DataFrame
    drafted: pl.DataFrame
    table: Path | None

    @classmethod
    def of(cls, work: Path, last: str, columns: Sequence[str]) -> Self:
        """What the last stage that ran says."""
        chosen = store.manifest(work / "assemble") if last == "assemble" else None
        decided = decisions.read(work)
        return cls(
            list(dict.fromkeys(["id", "output", "answer_from", *columns])),
            decided if last == "assemble" else decided.clear(),
            answers.drafted(work, chosen["writers"] if chosen else ()),
            {
                "assemble": work / "assemble" / "chosen.parquet",
                "dedup": work / "dedup" / "dropped.parquet",
            }.get(last),
        )

    def part(self, part: Path) -> pl.DataFrame:
        """The described records of a part."""
        frame = answers.put(decisions.records(part, self.decided, self.columns), self.drafted)
        if self.table is None:
            return frame
        how: Literal["semi", "anti"] = "semi" if self.table.name == "chosen.parquet" else "anti"
        told = ledger.told_of(self.table, part)
        return frame.join(told, on="id", how=how, maintain_order="left")


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
    number: int, part: Path, read: _Reading, what: Callable[..., T], given: tuple[Any, ...]
) -> tuple[int, T]:
    return number, what(read.part(part), *given)
