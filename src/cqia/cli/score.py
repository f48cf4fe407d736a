"""cqia score: what a judge says of the records."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from cqia import store
from cqia.cli import show


@click.command(epilog="Example:  cqia score quality --model scripted --work work/demo --dry-run")
@click.argument("judge")
@show.work_option
@click.option("--model", "name", required=True, help="A model of the models' TOML, or scripted.")
@click.option(
    "--models",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("models.toml"),
    show_default=True,
    help="The TOML with the models, their addresses and prices.",
)
@click.option("--source", "sources", multiple=True, help="Only this source; may be repeated.")
@click.option("--repeats", default=1, show_default=True, help="How often each record is judged.")
@click.option("--limit", type=int, help="Only the first so many records of each source.")
@click.option("--max-cost", type=float, help="Stop before this run costs more.")
@click.option("--dry-run", is_flag=True, help="Only say what it would take; nothing is sent.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("work/replies.sqlite"),
    show_default=True,
    help="The file of replies; what is in it is not asked for again.",
)
@show.format_option
def command(
    judge: str,
    work: Path,
    name: str,
    models: Path,
    sources: tuple[str, ...],
    repeats: int,
    limit: int | None,
    max_cost: float | None,
    dry_run: bool,
    cache: Path,
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
    chosen = {"cache": cache, "sources": sources, "repeats": repeats, "limit": limit}
    if dry_run:
        ahead = stage.forecast(work, JUDGES[judge], found.model, price, **chosen)  # type: ignore[arg-type]
        show.table(pl.DataFrame([(k, str(v)) for k, v in ahead.items()],
                                schema=["what", "amount"], orient="row"), format_)  # fmt: skip
        if format_ == "table" and found.price is None:
            show.line("the model's price is not known: cost_at_most says nothing", "yellow")
        return
    with store.lock(work), show.progress("score") as progress:
        done = stage.score(
            work, JUDGES[judge], found.model, price, most=max_cost, progress=progress, **chosen  # type: ignore[arg-type]
        )  # fmt: skip
    show.table(scores.agreement(work, judge, name), format_)
    if format_ != "table":
        return
    facts, tally = done.facts, done.tally
    if found.model.family == "scripted":
        show.line("SCRIPTED: these scores are made up by a script and mean nothing", "yellow")
    sent = f"{tally.attempts} requests sent, {tally.replies} replies, {tally.cached} cached"
    show.line(f"this run   {sent}; cost {tally.cost:.4f} {price.currency}")
    if not facts["complete"]:
        show.line("not complete: the same command asks for what is missing", "yellow")
    show.line(f"scores     {scores.folder_of(work, judge, name)}")
    show.line(f"next       cqia assemble --min-score {judge}@{name}=8 --work {work}")
