"""cqia completion: scripts for the shells."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(epilog='Example:  eval "$(cqia completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for SHELL."""
    from cqia.cli.main import cqia

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cqia, {}, "cqia", "_CQIA_COMPLETE").source())
