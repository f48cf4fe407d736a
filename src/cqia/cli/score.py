"""cqia score: what a judge says of the records."""

from __future__ import annotations

from pathlib import Path

import click

from cqia import store
from cqia.cli import show


@click.command(epilog="Example:  cqia score quality --model scripted --work work/demo --dry-run")
@click.argument("judge")
@show.work_option
@show.model_options
@click.option("--source", "sources", multiple=True, help="Only this source; may be repeated.")
@click.option("--repeats", default=1, show_default=True, help="How often each record is judged.")
@click.option("--limit", type=int, help="Only the first so many records of each source.")
@click.option(
    "--answers",
    "writers",
    multiple=True,
    metavar="MODEL",
    help="Judge what a model drafted (cqia answer) where a record has no answer; may be repeated.",
)
@show.format_option
def command(
    judge: str,
    work: Path,
    name: str,
    models: Path,
    max_cost: float | None,
    dry_run: bool,
    cache: Path,
    sources: tuple[str, ...],
    repeats: int,
    limit: int | None,
    writers: tuple[str, ...],
    format_: str,
) -> None:
    """Ask a model, as JUDGE (quality, instruction or task), about the kept records.

    Every reply is kept; one that can't be read is counted as such and is never a number. The same
    command goes on where it was and pays for nothing twice. The threshold is assemble's.
    """
    from cqia import scores
    from cqia.errors import unknown
    from cqia.judges.catalogue import JUDGES
    from cqia.llm.models import affordable, named
    from cqia.stages import score as stage

    if judge not in JUDGES:
        raise unknown("judge", judge, JUDGES)
    found = named(name, models)
    price = affordable(found, max_cost)
    if dry_run:
        ahead = stage.forecast(
            work, JUDGES[judge], found.model, price, cache=cache, sources=sources, repeats=repeats,
            limit=limit, writers=writers,
        )  # fmt: skip
        show.forecast(ahead, format_, priced=found.price is not None)
        return
    with store.lock(work), show.progress("score") as progress:
        done = stage.score(
            work, JUDGES[judge], found.model, price, cache=cache, sources=sources, repeats=repeats,
            limit=limit, writers=writers, most=max_cost, progress=progress,
        )  # fmt: skip
    show.table(scores.agreement(work, judge, name), format_)
    if format_ != "table":
        return
    if found.model.family == "scripted":
        show.line("SCRIPTED: these scores are made up by a script and mean nothing", "yellow")
    show.run(done.tally, price)
    if not done.facts["complete"]:
        show.line("not complete: the same command asks for what is missing", "yellow")
    show.line(f"scores     {scores.folder_of(work, judge, name)}")
    show.line(f"next       cqia assemble --min-score {judge}@{name}=8 --work {work}")
