"""cqia agreement: do judges say the same?"""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from cqia.cli import show


@click.command(epilog="Example:  cqia agreement quality@qwen-plus quality@deepseek-chat")
@click.argument("names", nargs=-1, metavar="[JUDGE@MODEL]...")
@show.work_option
@click.option(
    "--show",
    "what",
    type=click.Choice(["pairs", "together", "records"]),
    default="pairs",
    show_default=True,
    help="A row a pair of judges; all judges together; or the records, most disputed first.",
)
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="Records shown.")
@show.format_option
def command(names: tuple[str, ...], work: Path, what: str, top: int, format_: str) -> None:
    """Compare what judges, or several models as one judge, said of the same records.

    Without names every judge's models are compared with each other. Numbers: correlation, mean
    difference, Krippendorff's alpha. Labels: the share that is equal, Cohen's kappa. What one of
    two could not read is counted and left out.
    """
    from cqia.queries import agreement

    groups = agreement.named(work, names)
    if what == "pairs":
        found = [agreement.pairs(work, group) for group in groups]
        for frame in found if format_ == "table" else [pl.concat(found, how="diagonal_relaxed")]:
            show.table(_short(frame) if format_ == "table" else frame, format_)
    if what == "together" or (what == "pairs" and format_ == "table"):
        rows = [agreement.together(work, group) for group in groups]
        show.table(pl.DataFrame(rows, infer_schema_length=None), format_)
    if what == "records":
        tables = [agreement.records(work, group).head(top) for group in groups]
        for frame in tables if format_ == "table" else [pl.concat(tables, how="diagonal_relaxed")]:
            show.table(frame, format_)


def _short(frame: pl.DataFrame) -> pl.DataFrame:
    """Every number with its interval in one column, for a terminal."""
    out = frame
    for name in frame.columns:
        ends = (f"{name}_low", f"{name}_high")
        if not set(ends) <= set(frame.columns):
            continue
        texts = [
            "" if a is None else f"{a:.2f} [{b:.2f}, {c:.2f}]" if b is not None else f"{a:.2f}"
            for a, b, c in frame.select(name, *ends).iter_rows()
        ]
        out = out.with_columns(pl.Series(name, texts, dtype=pl.String)).drop(ends)
    return out
