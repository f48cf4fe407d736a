"""cqia describe: the dataset in tables."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from cqia import store
from cqia.cli import show


@click.command(epilog="Example:  cqia describe --work work/demo --table lengths")
@show.work_option
@click.option(
    "--table",
    type=click.Choice(["sources", "lengths", "funnel"]),
    default="sources",
    show_default=True,
    help="The table that is printed; all are written.",
)
@show.format_option
def command(work: Path, table: str, format_: str) -> None:
    """Write the source table, the length statistics and the funnel as Markdown, CSV and JSON."""
    from cqia.stages.describe import describe

    with store.lock(work), show.progress("describe"):
        describe(work=work)
    folder = work / "describe"
    if format_ == "table":
        whole = pl.read_json(folder / f"{table}.json")
        show.table(whole.drop("licence", "origin", strict=False), format_)
        show.line(f"written    {folder}", "green")
    else:
        click.echo((folder / f"{table}.{format_}").read_text(encoding="utf-8"), nl=False)
