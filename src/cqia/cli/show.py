"""How the command line shows things: tables in four formats, progress, and safe text.

Records are hostile input: escape sequences and bidi controls in them never reach the terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import polars as pl
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cqia.errors import UserError
from cqia.tables import plain, render

if TYPE_CHECKING:
    from cqia.llm.ask import Tally
    from cqia.llm.budget import Price
    from cqia.llm.models import Priced
    from cqia.llm.protocol import Request
    from cqia.workers import Workers

F = TypeVar("F", bound=Callable[..., Any])


def work_option(command: F) -> F:
    """--work: the working folder."""
    return click.option(
        "--work",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path("work"),
        show_default=True,
        help="The working folder, where results and the ledger stand.",
    )(command)


def data_option(flag: str) -> Callable[[F], F]:
    """--data-folder, --to: the folder of public data."""
    return click.option(
        flag,
        type=click.Path(path_type=Path, file_okay=False),
        envvar="CQIA_DATA",
        show_envvar=True,
        default=Path("data"),
        show_default=True,
        help="The data folder.",
    )


def format_option(command: F) -> F:
    """--format: how a table is printed."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(["table", "json", "csv", "md"]),
        default="table",
        show_default=True,
        help="How the table is printed.",
    )(command)


def model_options(command: F, *, required: bool = True) -> F:
    """--model, --models, --max-cost, --dry-run, --cache: who is asked, and what it may take."""
    options = (
        click.option(
            "--model", "name", required=required, help="A model of the models' TOML, or scripted."
        ),
        click.option(
            "--models",
            type=click.Path(path_type=Path, dir_okay=False),
            default=Path("models.toml"),
            show_default=True,
            help="The TOML with the models, their addresses and prices.",
        ),
        click.option("--max-cost", type=float, help="Stop before this run costs more."),
        click.option(
            "--dry-run", is_flag=True, help="Only say what it would take; nothing is sent."
        ),
        click.option(
            "--cache",
            type=click.Path(path_type=Path, dir_okay=False),
            default=Path("work/replies.sqlite"),
            show_default=True,
            help="The file of replies; what is in it is not asked for again.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def workers_option(command: F) -> F:
    """--workers: processes."""
    return click.option(
        "--workers",
        type=click.IntRange(1),
        default=os.cpu_count() or 1,
        show_default="one a core",
        help="Processes that read and filter side by side.",
    )(command)


def cluster_option(command: F) -> F:
    """--cluster: a Ray cluster in place of this machine's processes."""
    return click.option(
        "--cluster",
        metavar="ADDRESS",
        help="Work on a Ray cluster: HOST:PORT of its head, auto, or local to start one here.",
    )(command)


@contextmanager
def crew(workers: int, cluster: str | None, work: Path) -> Iterator[Workers]:
    """Who does the work: processes of this machine, or the cluster at an address.

    Ray tells of hosts that died on the standard output, which is for tables: it goes to the other.

    Raises:
        UserError: no cluster answers, or one of its hosts can't see the working folder.
    """
    if cluster is None:
        yield workers
        return
    from cqia.cluster import Cluster

    with redirect_stdout(sys.stderr), Cluster(cluster, workers) as found:
        found.greet(work)
        yield found


def allow_bad_option(command: F) -> F:
    """--allow-bad: how many unreadable items are put up with."""
    return click.option(
        "--allow-bad",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Go on when up to so many raw items can't be read.",
    )(command)


def table(frame: pl.DataFrame, format_: str, *, title: str = "") -> None:
    """Print a table; every format but `table` goes out bare, for other programs."""
    if format_ != "table":
        click.echo(render(frame, format_), nl=False)
        return
    out = Table(title=title or None, title_justify="left", header_style="bold")
    for name, dtype in frame.schema.items():
        out.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows():
        out.add_row(*(Text(_cell(value)) for value in row))
    console().print(out)


def forecast(ahead: Mapping[str, Any], format_: str, *, priced: bool) -> None:
    """Print what asking would take."""
    rows = [(name, str(value)) for name, value in ahead.items()]
    table(pl.DataFrame(rows, schema=["what", "amount"], orient="row"), format_)
    if format_ == "table" and not priced:
        line("the model's price is not known: cost_at_most says nothing", "yellow")


def run(tally: Tally, price: Price) -> None:
    """Print what asking took in this run."""
    sent = f"{tally.attempts} requests sent, {tally.replies} replies, {tally.cached} cached"
    line(f"this run   {sent}; cost {tally.cost:.4f} {price.currency}")


def batch_option(command: F) -> F:
    """--batch: through the provider's batch API."""
    return click.option(
        "--batch",
        is_flag=True,
        help="Submit to the provider's batch API, or collect what has come of it.",
    )(command)


def batch(
    found: Priced, requests: list[Request], *, cache: Path, most: float | None, format_: str
) -> None:
    """Collect and submit batches, and say where the requests are."""
    from cqia.llm.batch import advance
    from cqia.llm.budget import Budget
    from cqia.llm.cache import Cache
    from cqia.llm.endpoint import Endpoint
    from cqia.llm.models import affordable

    if not isinstance(found.model, Endpoint):
        raise UserError(
            f"model {found.model.name!r} has no batches", mend="run the command without --batch"
        )
    budget = Budget(affordable(found, most), most)
    folder = cache.with_suffix(".batches")
    with Cache(cache) as replies:
        done = advance(found.model, requests, cache=replies, budget=budget, folder=folder)
    names = ("asked", "cached", "collected", "failed", "waiting", "submitted", "unsent")
    rows = [(name, getattr(done, name)) for name in names]
    rows += [(f"failed: {why}", count) for why, count in done.reasons.items()]
    table(pl.DataFrame(rows, schema=["what", "requests"], orient="row"), format_)
    if format_ != "table":
        return
    for one in done.batches:
        line(f"batch      {one.id} {one.status or one.step}, {len(one.keys)} requests")
    line(f"this run   cost {done.cost:.4f} {budget.price.currency} at the price of single requests")
    if done.waiting or done.submitted:
        line("next       the same command later: it collects what has come", "yellow")
    elif done.failed or done.unsent:
        line("next       the same command submits the rest; without --batch it is asked for singly")
    else:
        line("next       the same command without --batch: it sends nothing and writes the result")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return plain(str(value))


def line(text: str, style: str = "") -> None:
    """Print a line of plain text."""
    console().print(Text(plain(text), style=style), soft_wrap=True)


def console() -> Console:
    """A console on standard output; wide enough for tables when it isn't a terminal."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 120)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on standard error: call it with (done, all, what)."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def tell(done: int, total: int, now: str) -> None:
            bar.update(task, completed=done, total=total, description=plain(f"{what} {now}")[:60])

        yield tell
