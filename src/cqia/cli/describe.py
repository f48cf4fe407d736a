"""cqia describe: the dataset in tables, and in pictures."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from cqia import store
from cqia.cli import show


@click.command(epilog="Example:  cqia describe --work work/demo --figures")
@show.work_option
@show.workers_option
@show.cluster_option
@click.option(
    "--table",
    type=click.Choice(["sources", "lengths", "funnel"]),
    default="sources",
    show_default=True,
    help="The table that is printed; all are written.",
)
@show.format_option
@click.option(
    "--figures", is_flag=True, help="Also write describe.html, and each figure as PNG and SVG."
)
@click.option(
    "--parser",
    type=click.Choice(["tree", "rules", "hanlp"]),
    default="tree",
    show_default=True,
    help="What finds an instruction's verb and object.",
)
@click.option("--parser-model", default="", help="HanLP's model: a folder, or a name.")
@click.option(
    "--instructions",
    type=click.IntRange(0),
    default=3_000,
    show_default=True,
    help="Instructions that are parsed, drawn by lot; 0: all.",
)
@click.option(
    "--at",
    type=click.IntRange(2),
    default=100,
    show_default=True,
    help="Records and pairs at which the sources' diversity is compared.",
)
@click.option(
    "--tokenizer",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A folder with a tokenizer.json, for lengths in tokens.",
)
@click.option(
    "--language",
    type=click.Choice(["zh", "en", "both"]),
    default="zh",
    show_default=True,
    help="Of the PNG and SVG files; the page has both.",
)
@click.option("--seed", default=1, show_default=True, help="Of everything that is drawn by lot.")
def command(
    work: Path,
    workers: int,
    cluster: str | None,
    table: str,
    format_: str,
    figures: bool,
    parser: str,
    parser_model: str,
    instructions: int,
    at: int,
    tokenizer: Path | None,
    language: str,
    seed: int,
) -> None:
    """Write the source table, the length statistics and the funnel as Markdown, CSV and JSON.

    With --figures the dataset is also shown: task types, lengths, the instructions' verbs and
    objects, diversity at one size, domains, near-duplicates, defects and rights, in one page that
    needs no network, and each figure for a paper.
    """
    from cqia.stages.describe import describe

    folder = work / "describe"
    facts: store.Facts = {}
    with (
        store.lock(work),
        show.crew(workers, cluster, work) as crew,
        show.progress("describe") as tell,
    ):
        describe(work=work, workers=crew)
        if figures:
            from cqia.auditing.audit import audit
            from cqia.stages.portray import portray, texts

            with store.scratch(folder) as place:
                files = texts(work=work, folder=place / "texts")
                found = audit(files, folder=place / "audit", progress=tell).findings
            facts = portray(
                work=work,
                findings=found,
                parser=parser,
                model=parser_model,
                instructions=instructions,
                at=at,
                tokenizer=tokenizer,
                languages=("zh", "en") if language == "both" else (language,),
                seed=seed,
                progress=tell,
            )
    if format_ != "table":
        click.echo((folder / f"{table}.{format_}").read_text(encoding="utf-8"), nl=False)
        return
    whole = pl.read_json(folder / f"{table}.json")
    show.table(whole.drop("licence", "origin", strict=False), format_)
    show.line(f"written    {folder}", "green")
    if figures:
        _told(facts, folder)


def _told(facts: store.Facts, folder: Path) -> None:
    show.line(f"written    {folder / 'describe.html'} ({len(facts['figures'])} figures)", "green")
    pictures = sum(name.startswith("figures/") for name in facts["files"])
    if pictures:
        show.line(f"written    {folder / 'figures'}/ ({pictures} files)", "green")
    if said := facts["coverage"]:
        show.line(
            f"verbs      {said['with_pair']} of {said['instructions']} instructions have a verb"
            f" and object ({said['coverage']:.0%})"
        )
    for line in facts["missing"]:
        show.line(f"missing    {line}", "yellow")
