"""cqia whatif: move a bound."""

from __future__ import annotations

from pathlib import Path

import click

from cqia.cli import show


class Bound(click.ParamType[float | str]):
    """A number, or the word none."""

    name = "number|none"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | str:
        if value == "none":
            return "none"
        try:
            return float(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither a number nor none", param, ctx)


@click.command(epilog="Example:  cqia whatif --filter Length.output --low 200 --work work/demo")
@show.work_option
@click.option("--filter", "filter_", required=True, help="The filter, as `cqia drops` names it.")
@click.option("--low", type=Bound(), help="New lower bound, or none; left out: as it is.")
@click.option("--high", type=Bound(), help="New upper bound, or none; left out: as it is.")
@click.option("--source", help="Only this source.")
@click.option("--moved", is_flag=True, help="List the records that change sides.")
@show.format_option
def command(
    work: Path,
    filter_: str,
    low: float | str | None,
    high: float | str | None,
    source: str | None,
    moved: bool,
    format_: str,
) -> None:
    """Show what other bounds of a filter would keep and drop, from the ledger, without a rerun."""
    from cqia.queries.whatif import whatif

    given = {name: value for name, value in (("low", low), ("high", high)) if value is not None}
    bounds = {name: None if isinstance(value, str) else value for name, value in given.items()}
    answer = whatif(work, filter=filter_, bounds=bounds, source=source)
    if format_ == "table" or not moved:
        show.table(answer.counts, format_)
    if moved:
        show.table(answer.moved, format_)
    elif format_ == "table":
        show.table(answer.moved.head(10), format_, title="records that change sides (first ten)")
