"""cqia why: one record's story."""

from __future__ import annotations

import difflib
from pathlib import Path

import click
import polars as pl
from rich.text import Text

from cqia.cli import show
from cqia.tables import plain


@click.command(epilog="Example:  cqia why zhihu-880110 --work work/demo")
@click.argument("id_", metavar="ID")
@show.work_option
@show.format_option
def command(id_: str, work: Path, format_: str) -> None:
    """Tell everything that was done to and said of the record ID, from raw line to fate."""
    from cqia.play import recipes
    from cqia.queries.why import as_rows, why

    story = why(work, id_, steps=recipes(work))
    if format_ != "table":
        show.table(pl.DataFrame(as_rows(story)), format_)
        return
    show.line(
        f"{story.record['id']}  {story.fate}", "bold green" if story.fate == "kept" else "bold red"
    )
    for event in story.events:
        show.line(f"  {event.what:<12} {event.step} {event.field} {event.detail}".rstrip())
        if event.before or event.after:
            show.console().print(_marked(plain(event.before), plain(event.after)))
    for field in ("instruction", "input", "output"):
        if text := story.record[field]:
            show.line(f"{field}:", "bold")
            show.line(text)


def _marked(before: str, after: str) -> Text:
    """The changed places with a little text around: what went in red, what came in green."""
    out = Text()
    pieces = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for tag, a, b, c, d in pieces:
        if tag == "equal":
            same = before[a:b]
            out.append(same if len(same) <= 40 else f"{same[:20]} … {same[-20:]}")
            continue
        if b > a:
            out.append(f"[-{before[a:b]}-]", style="red strike")
        if d > c:
            out.append(f"{{+{after[c:d]}+}}", style="green")
    return out
