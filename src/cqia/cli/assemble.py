"""cqia assemble: the dataset."""

from __future__ import annotations

from pathlib import Path

import click

from cqia import store
from cqia.cli import show


@click.command(
    epilog="Example:  cqia assemble --recipe experiments/cqia-subset.toml --format release --format alpaca"
)
@show.work_option
@click.option(
    "--recipe",
    type=click.Path(path_type=Path),
    help="A TOML with an [assemble] table; left out: everything is taken.",
)
@click.option(
    "--to",
    "formats",
    multiple=True,
    help="Format to write: release, alpaca, sharegpt, messages, parquet; may be repeated.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the dataset.  [default: WORK/dataset]",
)
@click.option("--seed", default=0, show_default=True, help="Of the sample and the split.")
@click.option("--validation", type=click.FloatRange(0, 0.5), help="Share of the validation split.")
@show.format_option
def command(
    work: Path,
    recipe: Path | None,
    formats: tuple[str, ...],
    out: Path | None,
    seed: int,
    validation: float | None,
    format_: str,
) -> None:
    """Choose, mix, split and export the records that curate and dedup kept."""
    import dataclasses

    import polars as pl

    from cqia import experiment, play
    from cqia.errors import unknown
    from cqia.exporters.catalogue import EXPORTERS

    found = experiment.recipe(recipe) if recipe else experiment.Assemble()
    for name in formats:
        if name not in EXPORTERS:
            raise unknown("format", name, EXPORTERS)
    if formats:
        found = dataclasses.replace(found, formats=formats)
    if validation is not None:
        found = dataclasses.replace(found, validation=validation)
    with store.lock(work):
        done = list(
            play.put_together(work, found, seed=seed, out=out or work / "dataset", bar=show.progress)
        )
    show.table(play.summary(done), format_) if False else None
    rows = [(one.stage, key, str(one.facts[key])) for one in done for key in ("candidates", "chosen") if key in one.facts]
    show.table(pl.DataFrame(rows, schema=["stage", "what", "records"], orient="row"), format_)
    show.line(f"dataset    {out or work / 'dataset'}", "green")
