"""cqia safety: a corpus-safety assessment, ready to print."""

from __future__ import annotations

from pathlib import Path

import click

from cqia.cli import show
from cqia.errors import UserError

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command(
    epilog="Example:  cqia safety --work work/demo",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@show.work_option
@click.option(
    "--verdicts",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    multiple=True,
    help="A sheet (CSV, or sheet.json with responses) that people have filled; may be repeated.",
)
@click.option("--drawn", type=click.IntRange(1), default=4_000, show_default=True,
              help="Records drawn for people.")  # fmt: skip
@click.option("--people", type=click.FloatRange(0, 1), default=0.96, show_default=True,
              help="The share of them that must pass.")  # fmt: skip
@click.option("--checked", type=click.FloatRange(0, 1), default=0.10, show_default=True,
              help="The share of the corpus that a model must have scored.")  # fmt: skip
@click.option("--machines", type=click.FloatRange(0, 1), default=0.98, show_default=True,
              help="The share that must pass keywords and scores.")  # fmt: skip
@click.option("--source", type=click.FloatRange(0, 1), default=0.05, show_default=True,
              help="A source with a larger share of bad records is rejected.")  # fmt: skip
@click.option("--words", type=FOLDER, help="A folder of more keyword lists, CATEGORY.txt.")
@click.option("--judge", default="", help="JUDGE@MODEL whose scores are a check.")
@click.option("--low", type=float, help="The lowest score that passes.")
@click.option("--round", "round_", default="", help="Start a round of review of this name too.")
@click.option("--seed", default=1, show_default=True, help="Of the lottery.")
def command(
    work: Path,
    verdicts: tuple[Path, ...],
    drawn: int,
    people: float,
    checked: float,
    machines: float,
    source: float,
    words: Path | None,
    judge: str,
    low: float | None,
    round_: str,
    seed: int,
) -> None:
    """Draw records for people by lot, check all by keywords, and write the assessment.

    People fill the columns verdict (合格 or 不合格, pass or fail) and reason of a copy of
    work/safety/sheet.csv, or read the same records in the browser or in an offline file (--round).
    The same command again, given the filled sheets if there are any, tells pass rates with exact
    intervals, sources over the threshold and licence evidence, in a page to print. What it rejects
    stays out of the dataset with cqia assemble --safety.
    """
    import polars as pl

    from cqia import store
    from cqia.describing.safety import Rules
    from cqia.stages.safety import assess, start

    rules = Rules(drawn=drawn, people=people, checked=checked, machines=machines, source=source)
    with store.lock(work), show.progress("safety"):
        facts = assess(
            work=work, rules=rules, verdicts=verdicts, words=words, judge=_judge(judge, low),
            low=low or 0.0, seed=seed,
        )  # fmt: skip
    show.table(pl.DataFrame(facts["criteria"]), "table")
    folder = Path(facts["folder"])
    show.line(f"read       {facts['read']} of {facts['drawn']} drawn records")
    if facts["unreadable"]:
        show.line(f"unreadable {facts['unreadable']} verdicts", "yellow")
    if facts["rejected"]:
        show.line(f"rejected   {', '.join(facts['rejected'])}", "red")
        show.line(f"next       cqia assemble --safety --work {work}")
    if round_:
        number = start(work, facts, round_, seed=seed)
        show.line(f"round      {number}: cqia web --work {work}")
    show.line(f"written    {folder / 'sheet.csv'}", "green")
    show.line(f"written    {folder / 'safety.html'}", "green")


def _judge(name: str, low: float | None) -> tuple[str, str] | None:
    if not name:
        return None
    judge, _, model = name.partition("@")
    if not judge or not model or low is None:
        raise UserError("a model's check needs judge, model and bound", mend="--judge J@M --low 3")
    return judge, model
