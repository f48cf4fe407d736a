"""cqia assemble: the dataset."""

from __future__ import annotations

from pathlib import Path

import click

from cqia import store
from cqia.cli import show


@click.command(
    epilog="Example:  cqia assemble --recipe experiments/cqia-subset.toml --to release --to alpaca"
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
    type=click.Path(path_type=str, file_okay=False),
    help="Folder of the dataset, or a place elsewhere (s3://, hf://).  [default: WORK/dataset]",
)
@click.option(
    "--seed", type=int, help="Of the sample and the split.  [default: the recipe's, or 0]"
)
@click.option(
    "--min-score",
    "thresholds",
    multiple=True,
    metavar="JUDGE@MODEL=N",
    help="Leave out what a judge scored below N; may be repeated.",
)
@click.option(
    "--max-score",
    "ceilings",
    multiple=True,
    metavar="SCORER@MODEL=N",
    help="Leave out what is scored above N, as in ifd@proxy-3m=1; may be repeated.",
)
@click.option("--selection", help="Take only what this selection took (cqia select).")
@click.option(
    "--answers",
    "writers",
    multiple=True,
    metavar="MODEL",
    help="Take what a model drafted (cqia answer) where a record has no answer; may be repeated.",
)
@click.option("--safety", is_flag=True, help="Leave out what cqia safety rejected or failed.")
@click.option("--validation", type=click.FloatRange(0, 0.5), help="Share of the validation split.")
@show.format_option
def command(
    work: Path,
    recipe: Path | None,
    formats: tuple[str, ...],
    out: str | None,
    seed: int | None,
    thresholds: tuple[str, ...],
    ceilings: tuple[str, ...],
    selection: str | None,
    writers: tuple[str, ...],
    safety: bool,
    validation: float | None,
    format_: str,
) -> None:
    """Choose, mix, split and export the records that curate and dedup kept."""
    import dataclasses

    import polars as pl

    from cqia import experiment, play
    from cqia.errors import unknown
    from cqia.exporters.catalogue import EXPORTERS
    from cqia.exporters.publish import publish
    from cqia.places.files import checked, is_elsewhere
    from cqia.thresholds import at_most, threshold

    found = experiment.recipe(recipe) if recipe else experiment.Assemble()
    for name in formats:
        if name not in EXPORTERS:
            raise unknown("format", name, EXPORTERS)
    if formats:
        found = dataclasses.replace(found, formats=formats)
    if validation is not None:
        found = dataclasses.replace(found, validation=validation)
    if seed is not None:
        found = dataclasses.replace(found, seed=seed)
    if selection is not None:
        found = dataclasses.replace(found, selection=selection)
    if thresholds or ceilings:
        limits = (*map(threshold, thresholds), *map(at_most, ceilings))
        found = dataclasses.replace(found, thresholds=limits)
    if writers:
        found = dataclasses.replace(found, writers=writers)
    if safety:
        found = dataclasses.replace(found, safety=True)
    place = checked(out) if out else str(work / "dataset")
    folder = work / "dataset" if is_elsewhere(place) else Path(place)
    with store.lock(work):
        chosen, _ = play.put_together(work, found, seed=0, out=folder, bar=show.progress)
        if is_elsewhere(place):
            with show.progress("copy") as progress:
                publish(folder, place, found.formats, progress)
    names = ("kept", "duplicates", "candidates", "chosen", "left")
    rows = [(name, chosen.facts[name]) for name in names]
    rows += [(f"left: {rule}", count) for rule, count in chosen.facts["rules"].items()]
    rows += [(f"split: {split}", count) for split, count in chosen.facts["splits"].items()]
    show.table(pl.DataFrame(rows, schema=["what", "records"], orient="row"), format_)
    if format_ == "table":
        show.line(f"dataset    {place}", "green")
