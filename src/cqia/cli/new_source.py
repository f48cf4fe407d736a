"""cqia new-source: the skeleton of a source written in code."""

from __future__ import annotations

from pathlib import Path

import click

from cqia.cli import show
from cqia.skeleton.write import FORMS, write


@click.command(epilog="Example:  cqia new-source tea_forum --form html")
@click.argument("name")
@click.option(
    "--form",
    type=click.Choice(FORMS),
    default="json",
    show_default=True,
    help="The kind of raw file that it reads.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default=True,
    help="The checkout of cqia.",
)
def command(name: str, form: str, root: Path) -> None:
    """Write the skeleton of the source NAME: its file, samples, a test, and its catalogue line.

    What is written works; make it into your own step by step. A source whose files a generic reader
    can read needs no code, only a [[source]] block in a TOML.
    """
    for path in write(name, form, root):
        show.line(f"written    {path}", "green")
    show.line(f"next       put 30 raw items of your own writing into samples/{name}")
    show.line(f"           python -m tests.sources.golden {name}   # read the fates, keep them")
    show.line(f"           pytest tests/sources -k {name}")
