"""cqia audit: the defects of a finished dataset."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import polars as pl

from cqia.cli import show


@click.command(epilog="Example:  cqia audit mine.jsonl --against ceval.jsonl --fix")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("work/audit"),
    show_default=True,
    help="The folder for findings, tables and copies.",
)
@click.option("--fix", is_flag=True, help="Also write repaired copies, and what was changed.")
@click.option(
    "--ignore",
    multiple=True,
    metavar="KIND",
    help="Don't look for this kind, nor mend it; may be repeated.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    multiple=True,
    help="A benchmark file to look for in the records; may be repeated.",
)
@click.option(
    "--field",
    "fields",
    multiple=True,
    default=("question",),
    show_default=True,
    help="A field of the benchmark's items that holds text; may be repeated.",
)
@click.option(
    "--threshold", default=0.7, show_default=True, help="Smallest Jaccard similarity of answers."
)
@click.option("--examples", type=click.IntRange(0), default=0, help="Also show so many of a kind.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note"]),
    help="End with exit code 1 when there is a finding so bad or worse.",
)
@click.option("--kinds", "list_", is_flag=True, is_eager=True, callback=lambda c, _, v: _list(c, v),
              expose_value=False, help="List the kinds of finding and stop.")  # fmt: skip
@show.format_option
def command(
    files: tuple[str, ...],
    folder: Path,
    fix: bool,
    ignore: tuple[str, ...],
    against: tuple[Path, ...],
    fields: tuple[str, ...],
    threshold: float,
    examples: int,
    fail_on: str | None,
    format_: str,
) -> None:
    """Look for defects in finished instruction datasets: JSON in any layout, or Parquet.

    Known are the release's nine keys, Alpaca, ShareGPT and messages; of other JSON the texts are
    looked at. The files stay as they are: --fix writes copies.
    """
    from cqia.auditing.audit import audit
    from cqia.auditing.finding import SEVERITIES
    from cqia.contamination import Benchmark

    if not 0 < threshold <= 1:
        raise click.BadParameter("must be above 0, up to 1", param_hint="--threshold")
    benchmarks = [Benchmark(name=one.stem, files=(str(one),), fields=fields) for one in against]
    with show.progress("audit") as progress:
        found = audit(
            files,
            folder=folder,
            ignore=ignore,
            benchmarks=benchmarks,
            threshold=threshold,
            fix=fix,
            progress=progress,
        )
    show.table(found.summary, format_)
    if format_ == "table":
        show.table(found.files, format_)
        if examples:
            some = found.findings.group_by("kind", maintain_order=True).head(examples)
            place = pl.format("{}:{} {}", "file", "line", "path").str.strip_chars_end()
            show.table(some.select("kind", place.alias("where"), "context", "other"), format_)
        if fix:
            changed = {"kind": list(found.fixed), "changed": list(found.fixed.values())}
            show.table(pl.DataFrame(changed, schema={"kind": pl.String, "changed": pl.Int64}),
                       format_, title="mended, or left out")  # fmt: skip
            show.line(f"copies     {folder / 'fixed'}")
            show.line(f"changes    {folder / 'changes.jsonl'}")
        show.line(f"findings   {folder / 'findings.jsonl'}")
    bad = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on else ()
    if found.findings["severity"].cast(pl.String).is_in(list(bad)).any():
        sys.exit(1)


def _list(context: click.Context, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from cqia.auditing.audit import kinds

    rows = [(kind, *said) for kind, said in kinds().items()]
    names = ["kind", "severity", "what it is", "fixable"]
    show.table(pl.DataFrame(rows, schema=names, orient="row"), "table")
    context.exit()
