"""The described records: the dataset, or else what dedup left, or else what curate kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

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


def batches(work: Path, sources: Sequence[str], last: str) -> Iterator[pl.DataFrame]:
    """The described records with all their columns, part by part, in the order read."""
    chosen = store.manifest(work / "assemble") if last == "assemble" else None
    drafted = answers.drafted(work, chosen["writers"] if chosen else ())
    decided = decisions.read(work)
    decided = decided if last == "assemble" else decided.clear()
    path = {"assemble": work / "assemble" / "chosen.parquet",
            "dedup": work / "dedup" / "dropped.parquet"}.get(last)  # fmt: skip
    told = pl.read_parquet(path, columns=["id"]) if path else pl.DataFrame(schema={"id": pl.String})
    for name in sources:
        for part in store.parts(work / "curate" / name):
            frame = answers.put(decisions.records(part, decided, list(SCHEMA)), drafted)
            how: Literal["semi", "anti"] = "semi" if last == "assemble" else "anti"
            yield frame.join(told, on="id", how=how, maintain_order="left")


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
    number: int,
    part: Path,
    decided: pl.DataFrame,
    drafted: pl.DataFrame,
    columns: list[pl.Expr | str],
) -> tuple[int, pl.DataFrame]:
    whole = answers.put(decisions.records(part, decided, list(SCHEMA)), drafted)
    return number, whole.select(columns)
