"""cqia collect: a site's public pages."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from cqia.cli import show


@click.command(
    epilog="Example:  cqia collect https://example.org/list --follow /item/"
    " --contact me@example.org --to raw/pages.warc.gz",
)
@click.argument("start", nargs=-1, metavar="URL...")
@click.option(
    "--to",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("raw/pages.warc.gz"),
    show_default=True,
    help="The archive. The same command goes on with it.",
)
@click.option(
    "--contact",
    envvar="CQIA_CONTACT",
    show_envvar=True,
    default="",
    help="An e-mail address or URL for the site's keeper; needed.",
)
@click.option("--follow", default="", metavar="REGEX", help="Links to follow on the same sites.")
@click.option(
    "--keep",
    default="",
    metavar="REGEX",
    help="Pages that are wanted, others only lead to them.  [default: those of --follow]",
)
@click.option(
    "--urls",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A file with more addresses, one a line.",
)
@click.option("--limit", default=1_000, show_default=True, help="Addresses in one run.")
@click.option("--delay", default=2.0, show_default=True, help="Seconds between two pages.")
@click.option("--timeout", default=30.0, show_default=True, help="Seconds for an answer.")
@click.option("--largest", default=10.0, show_default=True, help="Largest answer, in MB.")
@click.option("--retries", default=3, show_default=True, help="How often to ask again.")
@show.format_option
def command(
    start: tuple[str, ...],
    path: Path,
    contact: str,
    follow: str,
    keep: str,
    urls: Path | None,
    limit: int,
    delay: float,
    timeout: float,
    largest: float,
    retries: int,
    format_: str,
) -> None:
    """Collect public pages into an archive (WARC), politely.

    robots.txt is obeyed, pages are asked for one after another with a delay, and only on the sites
    of the given addresses. Whether you may use what you collect is yours to know. Needs the extra:
    pip install 'cqia[collect]'.
    """
    from cqia.collecting.collect import collect
    from cqia.collecting.job import Job

    more = urls.read_text(encoding="utf-8").split() if urls else []
    with show.progress("collect") as progress:
        job = Job(
            start=(*start, *more),
            contact=contact,
            follow=follow,
            keep=keep,
            limit=limit,
            delay=delay,
            timeout=timeout,
            largest=int(largest * (1 << 20)),
            retries=retries,
            tell=progress,
        )
        facts = collect(job, path)
    rows = [*facts["outcomes"].items(), ("taken up", facts["taken"])]
    show.table(pl.DataFrame(rows, schema=["outcome", "addresses"], orient="row"), format_)
    if format_ == "table":
        show.line(f"archive    {path}; it held {facts['held']} responses before")
        show.line(f"next       cqia curate SOURCE {path}")
