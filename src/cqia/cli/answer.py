"""cqia answer: answers that a model drafts."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from cqia import store
from cqia.cli import show


@click.command(epilog="Example:  cqia answer --model scripted --work work/demo --dry-run")
@show.work_option
@show.model_options
@show.batch_option
@click.option(
    "--notes",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="People's notes: csv, jsonl or parquet with id and note."
    "  [default: WORK/review/notes.parquet, where it is]",
)
@click.option("--noted", is_flag=True, help="Only records that have a note.")
@click.option("--source", "sources", multiple=True, help="Only this source; may be repeated.")
@click.option("--limit", type=int, help="Only the first so many records of each source.")
@click.option(
    "--min-score",
    "thresholds",
    multiple=True,
    metavar="JUDGE@MODEL=N",
    help="Only questions that a judge scored N or more; may be repeated.",
)
@click.option(
    "--max-tokens", type=click.IntRange(1), default=1_024, show_default=True, help="Of one answer."
)
@show.format_option
def command(
    work: Path,
    name: str,
    models: Path,
    max_cost: float | None,
    dry_run: bool,
    cache: Path,
    batch: bool,
    file: Path | None,
    noted: bool,
    sources: tuple[str, ...],
    limit: int | None,
    thresholds: tuple[str, ...],
    max_tokens: int,
    format_: str,
) -> None:
    """Have a model draft answers for the kept records that have none.

    A person's note on a question (what its trap is) goes with it. Answers that refuse or break off
    are counted as such and are none. Nothing that curate kept changes: assemble takes the answers
    of the models it is told of, and the dataset says who wrote them.
    """
    from cqia import answers
    from cqia.drafting import notes
    from cqia.llm.models import affordable, named
    from cqia.stages import answer as stage
    from cqia.thresholds import threshold

    found = named(name, models)
    price = affordable(found, max_cost)
    known = notes.found(work, file)
    wish = stage.Wish(
        notes=known, noted=noted, sources=sources, limit=limit,
        thresholds=tuple(map(threshold, thresholds)), max_tokens=max_tokens,
    )  # fmt: skip
    if dry_run:
        ahead = stage.forecast(work, found.model, price, wish, cache=cache)
        show.forecast(ahead, format_, priced=found.price is not None)
        return
    if batch:
        asked = stage.questions(work, wish)
        show.batch(found, asked, cache=cache, most=max_cost, format_=format_)
        return
    with store.lock(work), show.progress("answer") as progress:
        done = stage.answer(
            work, found.model, price, wish, cache=cache, most=max_cost, progress=progress
        )
    facts = done.facts
    rows = [("records without an answer", facts["records"]), ("with a note", facts["with_note"])]
    rows += [("notes for other records", facts["notes_elsewhere"])]
    rows += [
        (state, facts["states"][state]) for state in answers.STATES if state in facts["states"]
    ]
    show.table(pl.DataFrame(rows, schema=["what", "records"], orient="row"), format_)
    if format_ != "table":
        return
    if found.model.family == "scripted":
        show.line("SCRIPTED: these answers are made up by a script and mean nothing", "yellow")
    show.run(done.tally, price)
    if not facts["complete"]:
        show.line("not complete: the same command asks for what is missing", "yellow")
    show.line(f"answers    {answers.folder_of(work, name)}")
    show.line(f"next       cqia assemble --answers {name} --work {work}")
