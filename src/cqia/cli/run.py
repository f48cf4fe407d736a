"""cqia run: a whole experiment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from cqia.cli import show
from cqia.errors import UserError


@click.command(epilog="Example:  cqia run experiments/demo.toml --work work/demo")
@click.argument("toml", type=click.Path(path_type=Path))
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    help="The working folder.  [default: what the TOML says, or work/NAME]",
)
@show.workers_option
@show.cluster_option
@show.allow_bad_option
@click.option("--max-cost", type=float, help="Stop asking judges before this run costs more.")
@click.option("--dry-run", is_flag=True, help="Only say what the statement would take.")
@show.format_option
def command(
    toml: Path,
    work: Path | None,
    workers: int,
    cluster: str | None,
    allow_bad: int,
    max_cost: float | None,
    dry_run: bool,
    format_: str,
) -> None:
    """Play the experiment TOML in order, from raw files to the statement and its report.

    Curate, dedup, assemble and describe; and where the TOML has a [statement], train and evaluate
    every row, compare, report. What is done already is not done again; a run that was stopped goes
    on where it was, and a row that failed is tried again.
    """
    if dry_run:
        from cqia import account, experiment

        read = experiment.read(toml, work=work)
        if read.statement is None:
            raise UserError("there is nothing to forecast", where=str(toml), mend="add [statement]")
        names = [one.source.name for one in read.inputs]
        show.table(account.plan(read.work, read.statement, names), format_)
        return
    play(toml, work, workers, allow_bad, format_, most=max_cost, cluster=cluster)


def play(
    toml: Path,
    work: Path | None,
    workers: int,
    allow_bad: int,
    format_: str,
    *,
    most: float | None = None,
    data_only: bool = False,
    cluster: str | None = None,
) -> None:
    """Play an experiment, or only its data side, and print what came of it.

    Raises:
        UserError: rows of the statement failed; all that could be done is done.
    """
    from cqia import experiment
    from cqia import play as player

    read = experiment.read(toml, work=work)
    read = replace(read, statement=None) if data_only else read
    with show.crew(workers, cluster, read.work) as crew:
        steps = player.play(read, workers=crew, allow_bad=allow_bad, most=most, bar=show.progress)
        played = list(steps)
    show.table(player.summary(played), format_)
    if format_ == "table":
        statement(read.work, format_)
        for what, path in player.places(read.work):
            show.line(f"{what:<10} {path}", "green")
    again = sum(one.facts.get("incomplete", 0) for one in played if one.stage == "rows")
    if again and format_ == "table":
        told = "requests failed or were not sent; the same command asks again"
        show.line(f"{again} evaluations are not complete: {told}", "yellow")
    failed = [one.facts["failed"] for one in played if one.stage == "rows" and one.facts["failed"]]
    if failed:
        raise UserError(
            f"{failed[0]} rows of the statement failed, the others are in the report",
            where=str(read.work / "statement" / "rows"),
            mend="mend the cause told there; the same command tries them again",
        )


def statement(work: Path, format_: str) -> None:
    """Print the verdicts of a statement, where one was played."""
    import polars as pl

    path = work / "compare" / "cells.parquet"
    if not path.exists():
        return
    cells = pl.read_parquet(path).filter(pl.col("group") == "", pl.col("subset") != "")
    names = ["base", "subset", "benchmark", "seeds", "read", "difference", "simultaneous_low",
             "simultaneous_high", "verdict"]  # fmt: skip
    show.table(cells.select(names), format_, title="against the untuned base, over all items")
