"""cqia curate: one source's raw files."""

from __future__ import annotations

from pathlib import Path

import click

from cqia import store
from cqia.cli import show
from cqia.errors import unknown
from cqia.play import refuse_bad


@click.command(
    epilog="Example:  cqia curate zhihu dumps/zhihu/*.jsonl.gz --work work",
)
@click.argument("source")
@click.argument("files", nargs=-1, required=True)
@show.work_option
@show.workers_option
@show.cluster_option
@show.allow_bad_option
@show.format_option
def command(
    source: str,
    files: tuple[str, ...],
    work: Path,
    workers: int,
    cluster: str | None,
    allow_bad: int,
    format_: str,
) -> None:
    """Read SOURCE's raw FILES, clean and filter them into the working folder.

    SOURCE is one of `cqia sources`; a source of your own goes into a TOML for `cqia run`. FILES are
    paths, or lie elsewhere: s3://bucket/dump-*.gz, hf://datasets/owner/name/*.jsonl, https://….
    """
    from cqia.queries.drops import funnel
    from cqia.sources.catalogue import SOURCES
    from cqia.stages.curate import curate

    if source not in SOURCES:
        raise unknown("source", source, SOURCES)
    with (
        store.lock(work),
        show.crew(workers, cluster, work) as crew,
        show.progress("curate") as progress,
    ):
        curate(SOURCES[source], files, work=work, workers=crew, progress=progress)
    show.table(funnel(work, source), format_)
    refuse_bad(work, [source], allow_bad)
