"""cqia compare: what outcomes show, with intervals, and what they don't."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from cqia import store
from cqia.cli import show


@click.command(epilog="Example:  cqia compare --work work/demo --group macro")
@click.argument("outcomes", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@show.work_option
@click.option("--seed", default=0, show_default=True, help="Of the bootstraps.")
@click.option(
    "--group", "groups", multiple=True,
    help="Only this group's cells: a name, macro, or all for every one; may be repeated."
    "  [default: over all items]",
)  # fmt: skip
@show.format_option
def command(
    outcomes: tuple[Path, ...], work: Path, seed: int, groups: tuple[str, ...], format_: str
) -> None:
    """Compare tuned models with their base and each other, from OUTCOMES (Parquet files).

    Without OUTCOMES those of the experiment in --work are read. A verdict, better or worse, stands
    only where an interval that holds for the whole table is clear of no difference; rows that can't
    be told apart share a rank. Cells, pairs, kinship and rankings are written to compare/ in the
    working folder. Needs the extra: pip install 'cqia[stats]'.
    """
    from cqia.errors import UserError
    from cqia.stages.compare import compare

    paths = outcomes or (work / "statement" / "outcomes.parquet",)
    if not outcomes and not paths[0].is_file():
        mend = f"name the files, or run: cqia run EXPERIMENT.toml --work {work}"
        raise UserError("there are no outcomes", where=str(paths[0]), mend=mend)
    with store.lock(work), show.progress("compare") as progress:
        facts = compare(
            folder=work / "compare", outcomes=_read(paths), seed=seed, progress=progress
        )
    cells = pl.read_parquet(work / "compare" / "cells.parquet")
    shown = cells if "all" in groups else cells.filter(pl.col("group").is_in(groups or ("",)))
    show.table(shown if format_ != "table" else _table(shown), format_)
    if format_ == "table":
        said = ", ".join(f"{n} {verdict}" for verdict, n in facts["verdicts"].items())
        show.line(f"verdicts   {said or 'none'} of {facts['cells']} cells")
        show.line(f"cells      {work / 'compare' / 'cells.parquet'}")
        show.line(f"next       cqia report --work {work}")


def _read(paths: tuple[Path, ...]) -> pl.DataFrame:
    """The outcomes of all files.

    Raises:
        UserError: a file is no Parquet file, or two have one column of different kinds.
    """
    from cqia.errors import UserError

    frames = []
    for path in paths:
        try:
            frames.append(pl.read_parquet(path))
        except (pl.exceptions.ComputeError, OSError):
            raise UserError("this is no Parquet file", where=str(path)) from None
    try:
        return pl.concat(frames, how="diagonal_relaxed")
    except (pl.exceptions.SchemaError, pl.exceptions.ShapeError) as fault:
        where = ", ".join(map(str, paths))
        raise UserError(f"the files' columns differ: {fault}", where=where) from None


def _table(cells: pl.DataFrame) -> pl.DataFrame:
    """Cells as a person reads them: a number and its interval in one place."""

    def spanned(value: str, low: str, high: str) -> pl.Expr:
        parts = [
            pl.col(name).round(3).cast(pl.String).fill_null("–") for name in (value, low, high)
        ]
        whole = pl.format("{} [{}, {}]", *parts)
        return pl.when(pl.col(value).is_not_null()).then(whole)

    few = pl.col("groups") < pl.col("all_groups")
    said = pl.format("{} ({} of {} groups)", "group", "groups", "all_groups")
    group = pl.when(few).then(said).otherwise("group").alias("group")
    return cells.select(
        "base",
        "benchmark",
        *([group] if cells["group"].n_unique() > 1 or "macro" in cells["group"] else []),
        pl.when(subset="").then(pl.lit("(untuned)")).otherwise("subset").alias("subset"),
        "rank",
        "seeds",
        "read",
        unread=pl.sum_horizontal("unreadable", "failed", "unsent", "unasked", "absent"),
        mean=spanned("mean", "low", "high"),
        difference=spanned("difference", "simultaneous_low", "simultaneous_high"),
        detectable=pl.col("detectable"),
        verdict=pl.col("verdict").fill_null(""),
    ).sort("base", "benchmark", "rank", nulls_last=True, maintain_order=True)
