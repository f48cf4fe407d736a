"""cqia distil: a light model of a judge."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from cqia import store
from cqia.cli import show

INTERVAL = "{:.3f} [{:.3f}, {:.3f}]"


@click.command(epilog="Example:  cqia distil quality --model scripted --work work/demo")
@click.argument("judge")
@show.work_option
@click.option("--model", required=True, help="Whose scores are learnt.")
@click.option("--low", default=8.0, show_default=True, help="From which score a record is good.")
@show.format_option
def command(judge: str, work: Path, model: str, low: float, format_: str) -> None:
    """Learn JUDGE's scores by a model, tell what that is worth, and score all kept records.

    The scores are those of the model distilled-MODEL: rough ones, to spare the judge what is
    plainly bad. Needs the extra: pip install 'cqia[distil]'.
    """
    from cqia.stages.distil import distil

    with store.lock(work), show.progress("distil"):
        done = distil(work, judge, model, low=low)
    worth = done.facts["held_out"]
    rows = [
        ("records learnt from", f"{worth['learnt_from']} of {worth['questions']} questions"),
        *((name, INTERVAL.format(*worth[name])) for name in ("pearson", "spearman")),
        ("mean absolute error", f"{worth['error']:.3f}"),
        ("… of always saying the mean", f"{worth['error_of_the_mean']:.3f}"),
    ]  # fmt: skip
    title = "held out, 95 % intervals"
    show.table(pl.DataFrame(rows, schema=["what", "value"], orient="row"), format_, title=title)
    if format_ == "table":
        show.table(done.calibration, format_, title="calibration, by tenths of the prediction")
        show.table(done.prefilter, format_, title=f"a pre-filter for scores from {low:g}")
        show.line(f"next       cqia assemble --min-score {judge}@distilled-{model}=N --work {work}")
