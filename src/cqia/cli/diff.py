"""cqia diff: two runs."""

from __future__ import annotations

from pathlib import Path

import click

from cqia.cli import show


@click.command(epilog="Example:  cqia diff work/monday work/tuesday --records")
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@click.option("--records", is_flag=True, help="List the records whose fate or text differs.")
@show.format_option
def command(run_a: Path, run_b: Path, records: bool, format_: str) -> None:
    """Show what the working folders RUN_A and RUN_B did differently."""
    from cqia.queries.diff import diff

    found = diff(run_a, run_b)
    if records:
        show.table(found.records, format_)
        return
    show.table(found.counts, format_, title="records")
    if format_ == "table":
        show.table(found.settings, format_, title="settings")
