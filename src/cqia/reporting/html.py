"""Pieces of the HTML page; every text from data passes through `text` and can do nothing."""

from __future__ import annotations

from html import escape

import orjson
import polars as pl

from cqia.reporting import both
from cqia.reporting.both import Both, same
from cqia.reporting.grids import Cell, Grid, Row
from cqia.reporting.verdicts import BETTER, NOTHING, UNDECIDED, WORSE
from cqia.reporting.words import PROXY, Claim
from cqia.tables import plain

MARK = {BETTER: "▲", WORSE: "▼", UNDECIDED: "≈", NOTHING: ""}
"""A verdict is never told by colour alone."""


def text(value: object) -> str:
    """A text from anywhere, shown as it is: no markup, no control characters, no turned reading."""
    return escape(plain(str(value)), quote=True)


def spans(value: Both) -> str:
    """A text in both languages, of which the page shows one."""
    if value.zh == value.en:
        return f"<bdi>{text(value.zh)}</bdi>" if value.zh else ""
    return f'<span lang="zh-CN">{text(value.zh)}</span><span lang="en">{text(value.en)}</span>'


def section(key: str, title: Both, body: str) -> str:
    """A part of the page with its heading."""
    return f'<section id="{key}"><h2>{spans(title)}</h2>\n{body}</section>\n' if body else ""


def paragraph(value: Both, kind: str = "") -> str:
    """A paragraph."""
    return f'<p class="{kind}">{spans(value)}</p>\n' if kind else f"<p>{spans(value)}</p>\n"


def folded(title: Both, body: str) -> str:
    """What is shown when it is asked for."""
    return f"<details><summary>{spans(title)}</summary>\n{body}</details>\n"


def table(key: str, title: Both, head: str, body: str, notes: tuple[Both, ...] = ()) -> str:
    """A table that scrolls by itself when the screen is narrow."""
    said = "".join(f'<p class="note">{spans(one)}</p>' for one in notes)
    return (
        f'<figure class="table" id="{key}"><figcaption>{spans(title)}</figcaption>'
        f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}</tbody></table></div>{said}</figure>\n"
    )


def grid(one: Grid) -> str:
    """A table of results."""
    head = "<th></th>" + "".join(f'<th scope="col">{spans(name)}</th>' for name in one.columns)
    return table(one.key, one.title, head, "".join(map(_row, one.rows)), one.notes)


def _row(row: Row) -> str:
    note = f"<small>{spans(row.note)}</small>" if row.note.zh else ""
    cells = "".join(
        cell(one) if isinstance(one, Cell) else f'<td class="none">{spans(one)}</td>'
        for one in row.cells
    )
    return f'<tr><th scope="row">{spans(row.name)}{note}</th>{cells}</tr>\n'


def cell(one: Cell) -> str:
    """A cell with its number, interval, counts, rank and verdict, and where it comes from."""
    row = one.verdict.row
    names = ("base", "subset", "benchmark", "group", "seeds")
    where = {name: row[name] for name in names} | {"folders": one.folders}
    says = one.verdict.says if row["subset"] else ""
    mark = f' <i class="mark" title="{says}">{MARK[says]}</i>' if says and MARK[says] else ""
    rank = f' <i class="rank">#{row["rank"]}</i>' if row["rank"] is not None else ""
    kin = f'<span class="kin">{spans(Both("同族评审", "kin judge"))}</span>' if one.kin else ""
    value = "" if row["mean"] is None else repr(row["mean"])
    return (
        f'<td id="{one.verdict.anchor}" class="{says}" data-value="{value}" '
        f'data-cell="{text(orjson.dumps(where).decode())}">'
        f"<b>{one.value or '–'}</b>{mark}{rank}<small>{one.interval}</small>"
        f"<small>{_counts(one)}</small>{kin}</td>"
    )


def _counts(one: Cell) -> str:
    row = one.verdict.row
    said = f"n {row['read'] or 0}"
    words = {"unreadable": Both("读不出", "unreadable"), "failed": Both("失败", "failed")}
    for name, word in words.items():
        if row[name]:
            said += f" · {spans(word)} {row[name]}"
    return said


def claim(one: Claim, *, proxy: bool) -> str:
    """A thing said, with a link to the cell that says it."""
    tag = f'<span class="tag">{spans(PROXY)}</span> ' if proxy else ""
    return (
        f'<li class="{one.says}"><i class="mark">{MARK[one.says]}</i> {tag}'
        f'<a href="#{one.anchor}">{spans(one.text)}</a></li>\n'
    )


def claims(found: list[Claim], *, proxy: bool) -> str:
    """Claims as a list."""
    body = "".join(claim(one, proxy=proxy) for one in found)
    return f"<ul>{body}</ul>\n" if body else ""


def frame(key: str, title: Both, found: pl.DataFrame, notes: tuple[Both, ...] = ()) -> str:
    """Any frame as a table."""
    numeric = [kind.is_numeric() for kind in found.dtypes]
    head = "".join(
        f'<th scope="col"{_RIGHT * right}>{spans(both.column(name))}</th>'
        for name, right in zip(found.columns, numeric, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td class="number">{text(_shown(value))}</td>'
            if right
            else f"<td>{spans(_said(value, name))}</td>"
            for value, right, name in zip(row, numeric, found.columns, strict=True)
        )
        + "</tr>\n"
        for row in found.iter_rows()
    )
    made = table(key, title, head, rows, notes)
    return made.replace('class="table"', 'class="table frame"', 1)


_RIGHT = ' class="number"'


def _said(value: object, name: str) -> Both:
    if value is None:
        return same("")
    if isinstance(value, bool):
        return Both("是", "yes") if value else Both("否", "no")
    if name in both.TOLD and value in both.VALUES:
        return both.VALUES[str(value)]
    return same("、".join(map(str, value)) if isinstance(value, list) else str(value))


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1_000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
