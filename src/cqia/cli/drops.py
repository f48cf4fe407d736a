"""cqia drops: the funnel."""

from __future__ import annotations

from pathlib import Path

import click

from cqia.cli import show


@click.command(epilog="Example:  cqia drops --source zhihu --examples 2 --work work/demo")
@show.work_option
@click.option("--source", help="Only this source.")
@click.option("--examples", type=click.IntRange(0), default=0, help="Also show so many of each.")
@click.option("--bad", is_flag=True, help="Show the raw items that could not be read.")
@show.format_option
def command(work: Path, source: str | None, examples: int, bad: bool, format_: str) -> None:
    """Show the funnel: how many records each rule dropped, source by source."""
    from cqia import ledger
    from cqia.queries import drops

    if bad:
        table = ledger.scan(work, source, "bad") if source else ledger.scan_all(work, "bad")
        show.table(table.collect(), format_)
    elif examples:
        show.table(drops.examples(work, source=source, each=examples), format_)
    else:
        show.table(drops.funnel(work, source), format_)
