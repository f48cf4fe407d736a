"""cqia whatif: move a bound."""

from __future__ import annotations

from pathlib import Path

import click

from cqia.cli import show


@click.command(epilog="Example:  cqia whatif --filter Length.output --low 200 --work work/demo")
@show.work_option
@click.option("--filter", "filter_", required=True, help="The filter, as `cqia drops` names it.")
@click.option("--low", type=float, help="New lower bound; left out: none.")
@click.option("--high", type=float, help="New upper bound; left out: none.")
@click.option("--source", help="Only this source.")
@click.option("--moved", is_flag=True, help="List the records that change sides.")
@show.format_option
def command(
    work: Path,
    filter_: str,
    low: float | None,
    high: float | None,
    source: str | None,
    moved: bool,
    format_: str,
) -> None:
    """Show what other bounds of a filter would keep and drop, from the ledger, without a rerun."""
    from cqia.queries.whatif import whatif

    answer = whatif(work, filter=filter_, low=low, high=high, source=source)
    if format_ == "table" or not moved:
        show.table(answer.counts, format_)
    if moved:
        show.table(answer.moved, format_)
    elif format_ == "table":
        show.table(answer.moved.head(10), format_, title="records that change sides (first ten)")
