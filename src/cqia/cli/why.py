"""cqia why: one record's story."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

import click
import polars as pl
from rich.text import Text

from cqia.cli import show
from cqia.tables import plain

LIMIT = 20_000
"""Characters of a text that the terminal shows; `--format json` shows all."""
COMPARED = 20_000
"""Characters of two texts together that are compared one by one."""


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
            show.line(_cut(text, LIMIT))


def _cut(text: str, most: int) -> str:
    """The beginning of a text, and how much more there is."""
    more = len(text) - most
    return f"{text[:most]} … +{more:,} characters" if more > 0 else text


def _marked(before: str, after: str) -> Text:
    """The changed places with a little text around: what went in red, what came in green."""
    out = Text()
    for same, went, came in _changes(before, after):
        out.append(same if len(same) <= 40 else f"{same[:20]} … {same[-20:]}")
        if went:
            out.append(f"[-{_cut(went, LIMIT)}-]", style="red strike")
        if came:
            out.append(f"{{+{_cut(came, LIMIT)}+}}", style="green")
    return out


def _changes(before: str, after: str) -> Iterator[tuple[str, str, str]]:
    """What stayed, what went and what came, piece by piece.

    Of long texts only what lies between equal beginnings and ends is compared, and where that is
    long too it is one change: a blank at the end of a line of ten megabytes takes no hour.
    """
    start = stop = 0
    if len(before) + len(after) > COMPARED:
        start = _alike(before, after)
        stop = _alike(before[start:][::-1], after[start:][::-1])
    a, b = before[start : len(before) - stop], after[start : len(after) - stop]
    if start:
        yield before[:start], "", ""
    if len(a) + len(b) > COMPARED:
        yield "", a, b
    else:
        pieces = difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
        for tag, i, j, k, n in pieces:
            yield (a[i:j], "", "") if tag == "equal" else ("", a[i:j], b[k:n])
    if stop:
        yield before[len(before) - stop :], "", ""


def _alike(one: str, two: str) -> int:
    """How many characters at the beginning of two texts are the same; found by halving."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == two[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
