"""cqia demo: the whole job on the samples."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from cqia.cli import show
from cqia.cli.run import play

PARTS = ("torch", "transformers", "trl", "scipy", "statsmodels", "plotly")
"""What a statement needs beyond the core."""


@click.command(epilog="Example:  cqia demo && cqia drops --work work/demo --examples 1")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("work/demo"),
    show_default=True,
    help="The working folder.",
)
@show.workers_option
@click.option("--data-only", is_flag=True, help="Leave the statement out.")
def command(work: Path, workers: int, data_only: bool) -> None:
    """Play the whole job on the samples that come with cqia; needs no network and no key.

    From raw files to the dataset, and to a small statement: a proxy model is made, tuned on three
    of the sources with two seeds, evaluated beside itself untuned, and reported. That last part
    needs the extras train, stats and plot, and is left out, with a word, where they are not
    installed.
    """
    from cqia.shipped import shipped

    missing = [one for one in PARTS if importlib.util.find_spec(one) is None]
    without = data_only or bool(missing)
    play(shipped("experiments") / "demo.toml", work, workers, 0, "table", data_only=without)
    if missing and not data_only:
        show.line(
            f"no statement: {', '.join(missing)} not installed;"
            " pip install 'cqia[train,stats,plot]' and the same command goes on",
            "yellow",
        )
    show.line(f"next       cqia drops --work {work} --examples 1")
