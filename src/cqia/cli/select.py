"""cqia select: so many of the candidates, by a method, and why each."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from cqia import store
from cqia.cli import show

METHODS = ("random", "top", "deita", "cover", "balance")


@click.command(epilog="Example:  cqia select --method cover --amount 50 --work work/demo")
@show.work_option
@click.option("--method", type=click.Choice(METHODS), help="How records are chosen.")
@click.option("--amount", type=int, help="How many.")
@click.option("--name", default="", help="The selection's name.  [default: the method's]")
@click.option("--score", default="", metavar="SCORER@MODEL", help="For top, deita and cover.")
@click.option("--lowest", is_flag=True, help="Low scores are the good ones, as with ifd.")
@click.option("--bound", type=float, help="The similarity from which deita refuses a record.  "
              "[default: 0.2, with --vectors 0.9]")  # fmt: skip
@click.option("--stratify", default="task_minor", show_default=True,
              help="What random keeps the shares of and balance makes equal: task_minor, "
              "task_major, domain, task.")  # fmt: skip
@click.option("--min-score", "floors", multiple=True, metavar="SCORER@MODEL=N",
              help="No candidate below N; may be repeated.")  # fmt: skip
@click.option("--max-score", "ceilings", multiple=True, metavar="SCORER@MODEL=N",
              help="No candidate above N; may be repeated.")  # fmt: skip
@click.option("--vectors", type=click.Path(path_type=Path, dir_okay=False),
              help="A Parquet file (id, vector) to measure similarity by, "
              "instead of character n-grams.")  # fmt: skip
@click.option("--answers", "writers", multiple=True, metavar="MODEL",
              help="Take a model's draft (cqia answer) where a record has no answer.")  # fmt: skip
@click.option("--seed", default=0, show_default=True, help="Of the lottery.")
@click.option("--report", is_flag=True,
              help="Compare all selections that were made, each beside random draws.")  # fmt: skip
@click.option("--near", type=float, help="For the report: the similarity from which a candidate "
              "counts as covered.  [default: 0.1, with --vectors 0.8]")  # fmt: skip
@show.format_option
def command(
    work: Path,
    method: str | None,
    amount: int | None,
    name: str,
    score: str,
    lowest: bool,
    bound: float | None,
    stratify: str,
    floors: tuple[str, ...],
    ceilings: tuple[str, ...],
    vectors: Path | None,
    writers: tuple[str, ...],
    seed: int,
    report: bool,
    near: float | None,
    format_: str,
) -> None:
    """Choose AMOUNT of the candidates by METHOD, and keep for each why it was taken.

    \b
    random   by lot, each source and task by its share: the baseline
    top      the best scores
    deita    the best scores, unless too similar to one that is taken
    cover    what covers all candidates best; with --score good ones count more
    balance  by lot, the same amount of every task

    The selection stands beside random draws of its size; most methods have a hard time against
    them. `cqia why ID` says why a record is in or not, `cqia assemble --selection NAME` takes it.
    """  # noqa: D301
    from cqia.errors import UserError

    if method is None or amount is None:
        if not report or method or amount:
            raise UserError("a selection needs --method and --amount",
                            mend="or compare those that were made with --report")  # fmt: skip
    else:
        from cqia.stages.select import select
        from cqia.thresholds import at_most, threshold

        with store.lock(work), show.progress("select") as progress:
            facts = select(
                work=work, method=method, amount=amount, name=name, score=score, lowest=lowest,
                bound=bound, stratify=stratify, vectors=vectors, writers=writers, seed=seed,
                thresholds=[*map(threshold, floors), *map(at_most, ceilings)], progress=progress,
            )  # fmt: skip
        _tell(work, name or method, facts, format_, alone=not report)
    if report:
        _compare(work, vectors, near, format_)


def _tell(work: Path, name: str, facts: store.Facts, format_: str, *, alone: bool) -> None:
    """Print what became of the candidates, and the first that were taken."""
    from cqia.selection.results import folder_of, selected

    if format_ != "table" and not alone:
        return
    if format_ != "table":
        show.table(selected(work, name), format_)
        return
    names = ("kept", "duplicates", "candidates", "selected", "left")
    rows = [(one, facts[one]) for one in names]
    rows += [(f"left: {rule}", count) for rule, count in facts["rules"].items()]
    show.table(pl.DataFrame(rows, schema=["what", "records"], orient="row"), format_)
    first = selected(work, name).select("order", "id", "reason").head(5)
    show.table(first, format_, title="the first that were taken")
    if facts["selected"] < facts["amount"]:
        show.line(f"fewer than {facts['amount']}: no more could be taken", "yellow")
    show.line(f"selection  {folder_of(work, name)}", "green")
    show.line(f"compare    cqia select --report --work {work}")
    show.line(f"next       cqia assemble --selection {name} --work {work}")


def _compare(work: Path, vectors: Path | None, near: float | None, format_: str) -> None:
    from cqia.selection.results import REPORT
    from cqia.stages.selections import compare

    with store.lock(work), show.progress("compare") as progress:
        found = compare(work=work, vectors=vectors, near=near, progress=progress)
    if format_ != "table":
        show.table(found.tables["selections"], format_)
        return
    titles = {"selections": "selections, and random draws of their sizes",
              "scores": "mean scores, 95 % intervals",
              "overlap": "overlap (Jaccard)"}  # fmt: skip
    for name, title in titles.items():
        show.table(found.tables[name], format_, title=title)
    for name in found.scripted:
        show.line(f"SCRIPTED: {name} is made up by a script and means nothing", "yellow")
    for name in found.stale:
        show.line(f"not compared: {name} is older than what it was made of", "yellow")
    show.line(f"report     {work / 'select' / REPORT}", "green")
