"""cqia demo: the whole job on the samples."""

from __future__ import annotations

from pathlib import Path

import click

from cqia.cli import show
from cqia.cli.run import play


@click.command(epilog="Example:  cqia demo && cqia drops --work work/demo --examples 1")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("work/demo"),
    show_default=True,
    help="The working folder.",
)
@show.workers_option
def command(work: Path, workers: int) -> None:
    """Play the whole job on the samples that come with cqia; needs no network and no key."""
    from cqia.shipped import shipped

    play(shipped("experiments") / "demo.toml", work, workers, 0, "table")
    show.line(f"next       cqia drops --work {work} --examples 1")
