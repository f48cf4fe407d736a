"""cqia review: rounds and results without a browser."""

from __future__ import annotations

from pathlib import Path

import click

from cqia.cli import show
from cqia.errors import UserError, missing_extra

FORMATS = ("label-studio", "argilla", "offline")


@click.group(epilog="Example:  cqia review decisions --work work/demo")
def command() -> None:
    """Take rounds of review out, bring results in, and start comparisons.

    The rounds themselves are started and read in the browser: cqia web.
    """


@command.command(epilog="Example:  cqia review export --round 1 --to round.json --work work/demo")
@show.work_option
@click.option("--round", "round_", type=int, required=True, help="The round's number.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default=FORMATS[0],
              show_default=True)  # fmt: skip
@click.option("--name", default="", help="Whose offline file it is.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), required=True)
def export(work: Path, round_: int, format_: str, name: str, lang: str, to: Path) -> None:
    """Write a round for Label Studio, for Argilla, or as one offline HTML file for a rater."""
    from cqia import store
    from cqia.reviewing import exchange, search
    from cqia.reviewing.book import Book

    find = search.opened(work).record
    book = Book(work)
    if format_ == "offline":
        if not name:
            raise UserError("whose file is it?", mend="name the rater with --name")
        try:
            from cqia.web.exchanging import offline
        except ModuleNotFoundError as fault:
            raise missing_extra(fault.name or "fastapi", "web") from None
        body = offline(exchange.offline(book, round_, name, find), lang).encode()
    else:
        body = exchange.write(book, round_, format_, find)
    store.write_bytes(to, body)
    show.line(f"written    {to}", "green")


@command.command("import", epilog="Example:  cqia review import round-1-2.json --work work/demo")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@show.work_option
def bring(file: Path, work: Path) -> None:
    """Take in a results FILE: Label Studio, Argilla-style JSON, or what an offline file saved."""
    from cqia.reviewing import exchange, outcomes
    from cqia.reviewing.book import Book

    book = Book(work)
    taken = exchange.read(book, file.read_bytes())
    frame = outcomes.export(book)
    show.line(f"taken      {taken} decisions; {len(frame)} records are decided", "green")


@command.command(epilog="Example:  cqia review decisions --work work/demo")
@show.work_option
@show.format_option
def decisions(work: Path, format_: str) -> None:
    """Write the decisions, checked pairs and notes anew from the book, and show what is decided.

    A pair that people confirmed or refuted is shown as what it comes to for its record.
    """
    from cqia import decisions as decided
    from cqia.reviewing import outcomes
    from cqia.reviewing.book import Book

    outcomes.export(Book(work))
    names = ["id", "source", "verdict", "rule", "verified", "reason", "by", "raters"]
    show.table(decided.read(work).select(names), format_)


@command.command(epilog="Example:  cqia review duel --file pairs.jsonl --name belle --work work")
@show.work_option
@click.option("--name", required=True, help="What the round is called.")
@click.option("--file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="A JSON line a pair: item, question, a, b, answer_a, answer_b.")  # fmt: skip
@click.option("--outcomes", type=click.Path(path_type=Path, exists=True, file_okay=False),
              nargs=2, help="The folders of two models' outcomes.")  # fmt: skip
@click.option("--questions", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="With --outcomes: a JSON line an item, with item and question.")  # fmt: skip
@click.option("--raters", type=click.IntRange(1), default=1, show_default=True,
              help="How many people vote on each pair.")  # fmt: skip
def duel(
    work: Path,
    name: str,
    file: Path | None,
    outcomes: tuple[Path, Path] | None,
    questions: Path | None,
    raters: int,
) -> None:
    """Start a blind comparison of two models' answers, for the page Compare."""
    import polars as pl

    from cqia.reviewing import duels, pairs
    from cqia.reviewing.book import Book

    if (file is None) == (outcomes is None):
        raise UserError("what is compared?", mend="name either --file or --outcomes")
    if file is not None:
        found = pairs.of_lines(file)
    else:
        assert outcomes is not None
        asked = pl.read_ndjson(questions) if questions else None
        told = dict(asked.select("item", "question").iter_rows()) if asked is not None else {}
        found = pairs.of_outcomes(*outcomes, told)
    number = duels.start(Book(work), name, found, raters=raters)
    show.line(f"round      {number}: {len(found)} pairs, {raters} raters each", "green")
    show.line(f"next       cqia web --work {work}")
