"""Tables as text: Markdown, CSV and JSON, safe to open whatever stands in the cells.

Cells come from raw files that strangers wrote. A terminal must not obey them, a spreadsheet must
not calculate them, and Markdown must not fall apart over them.
"""

from __future__ import annotations

import csv
import io
import math
import re
from datetime import date

import orjson
import polars as pl

from cqia.errors import unknown

FORMATS = ("md", "csv", "json")

_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~#])")
_FORMULA = tuple("=+-@＝＋－＠")  # noqa: RUF001
_BLANK = "\t\r\n"
_SKIPPED = _BLANK + " \xa0\u200b\u3000"
"""What some spreadsheets skip before a formula."""


def plain(text: str) -> str:
    """A text without characters that steer a terminal, turn the reading direction or hide orders.

    Tabs and line feeds stay.
    """
    return _CONTROL.sub("", text)


def escape(text: str) -> str:
    """A text as one line of Markdown that shows it as it is, also inside a table's cell."""
    return " ".join(_MARKDOWN.sub(r"\\\1", plain(text)).split())


def render(frame: pl.DataFrame, format: str) -> str:
    """A frame as text that ends with a line feed.

    md: numbers with thousands separators, to the right. csv: a cell that a spreadsheet would take
    for a formula gets a leading `'`; lists are joined with `、`. json: a list of objects.

    Raises:
        UserError: an unknown format.
    """
    if format not in FORMATS:
        raise unknown("table format", format, FORMATS)
    rows = [[_value(cell) for cell in row] for row in frame.iter_rows()]
    names = [plain(name) for name in frame.columns]
    if format == "json":
        body = [dict(zip(names, row, strict=True)) for row in rows]
        return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    if format == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([_csv_cell(name) for name in names])
        writer.writerows([[_csv_cell(cell) for cell in row] for row in rows])
        return out.getvalue()
    rule = ["---:" if dtype.is_numeric() else "---" for dtype in frame.dtypes]
    cells = [[escape(name) for name in names], rule, *([_md_cell(c) for c in row] for row in rows)]
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


def _value(cell: object) -> object:
    """A cell as a plain JSON value."""
    if cell is None or isinstance(cell, bool | int):
        return cell
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    if isinstance(cell, list | tuple):
        return [_value(one) for one in cell]
    if isinstance(cell, dict):
        return {plain(str(key)): _value(one) for key, one in cell.items()}
    return cell.isoformat() if isinstance(cell, date) else plain(str(cell))


def _joined(cell: object) -> str:
    if isinstance(cell, list):
        return "、".join(_joined(one) for one in cell)
    return "" if cell is None else str(cell)


def _csv_cell(cell: object) -> str:
    text = _joined(cell)
    if isinstance(cell, int | float):
        return text
    is_formula = text.lstrip(_SKIPPED).startswith(_FORMULA) or text.startswith(tuple(_BLANK))
    return f"'{text}" if is_formula else text


def _md_cell(cell: object) -> str:
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:,.3f}".rstrip("0").rstrip(".")
    return escape(_joined(cell))


_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    **{char: f"\\{char}" for char in "&%$#_"},
}
"""What LaTeX would obey; `[` and `*` it takes for arguments at the beginning of a row."""


def escape_latex(text: str) -> str:
    """A text as one line of LaTeX that shows it as it is."""
    return "".join(_TEX.get(char, char) for char in " ".join(plain(text).split()))


def latex(frame: pl.DataFrame, *, caption: str = "", label: str = "") -> str:
    """A frame as a LaTeX table (booktabs, graphicx) that ends with a line feed.

    Args:
        frame: the table.
        caption: stands above it.
        label: what a reference calls it, after `tab:`.
    """
    align = "".join("r" if dtype.is_numeric() else "l" for dtype in frame.dtypes)
    lines = [
        "\\begin{table}[htbp]",
        "\\centering",
        f"\\caption{{{escape_latex(caption)}}}",
        f"\\label{{tab:{re.sub('[^A-Za-z0-9-]', '-', label)}}}",
        "\\resizebox{\\textwidth}{!}{%",
        f"\\begin{{tabular}}{{{align}}}",
        "\\toprule",
        _tex_row([escape_latex(name) for name in frame.columns]),
        "\\midrule",
        *(_tex_row([_tex_cell(_value(cell)) for cell in row]) for row in frame.iter_rows()),
        "\\bottomrule",
        "\\end{tabular}}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _tex_row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _tex_cell(cell: object) -> str:
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:,.3f}".rstrip("0").rstrip(".")
    return escape_latex(_joined(cell))
