"""cqia run: a whole experiment."""

from __future__ import annotations

from pathlib import Path

import click

from cqia.cli import show


@click.command(epilog="Example:  cqia run experiments/demo.toml --work work/demo")
@click.argument("toml", type=click.Path(path_type=Path))
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    help="The working folder.  [default: what the TOML says, or work/NAME]",
)
@show.workers_option
@show.allow_bad_option
@show.format_option
def command(toml: Path, work: Path | None, workers: int, allow_bad: int, format_: str) -> None:
    """Play the experiment TOML in order: curate, dedup, assemble, describe.

    What is done already is not done again; a run that was stopped goes on where it was.
    """
    play(toml, work, workers, allow_bad, format_)


def play(toml: Path, work: Path | None, workers: int, allow_bad: int, format_: str) -> None:
    """Play an experiment and print what came of it."""
    from cqia import experiment
    from cqia import play as player

    read = experiment.read(toml, work=work)
    played = []
    for one in player.play(read, workers=workers, allow_bad=allow_bad, bar=show.progress):
        played.append(one)
    show.table(player.summary(played), format_)
    if format_ == "table":
        for what, path in player.places(read.work):
            show.line(f"{what:<10} {path}", "green")
