"""The described records: the dataset, or else what dedup left, or else what curate kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from cqia import answers, decisions, store
from cqia.errors import UserError
from cqia.record import SCHEMA
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
    """The described records with these columns (`id` is one of them), in the order read.

    Args:
        work: the working folder.
        sources: which of them.
        last: the last stage that ran.
        columns: what is wanted of a record; a part's texts are in memory while it is read.
        workers: processes, or a cluster.
    """
    chosen = store.manifest(work / "assemble") if last == "assemble" else None
    drafted = answers.drafted(work, chosen["writers"] if chosen else ())
    decided = decisions.read(work)
    decided = decided if last == "assemble" else decided.clear()
    parts = [part for name in sources for part in store.parts(work / "curate" / name)]
    jobs = [(number, part, decided, drafted, list(columns)) for number, part in enumerate(parts)]
    few = fitting(workers, sum((part / "kept.parquet").stat().st_size for part in parts))
    found = dict(frame for _, frame in spread(_of_part, jobs, few))
    kept = pl.concat([found[number] for number in range(len(parts))])
    if last == "assemble":
        taken = pl.read_parquet(work / "assemble" / "chosen.parquet", columns=["id", "split"])
        return kept.join(taken, on="id", how="inner", maintain_order="left")
    if last == "dedup":
        gone = pl.read_parquet(work / "dedup" / "dropped.parquet", columns=["id"])
        return kept.join(gone, on="id", how="anti", maintain_order="left")
    return kept


def _of_part(
    number: int,
    part: Path,
    decided: pl.DataFrame,
    drafted: pl.DataFrame,
    columns: list[pl.Expr | str],
) -> tuple[int, pl.DataFrame]:
    whole = answers.put(decisions.records(part, decided, list(SCHEMA)), drafted)
    return number, whole.select(columns)
