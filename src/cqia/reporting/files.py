"""The report as Markdown, LaTeX and CSV, and where every number comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from cqia.reporting import words
from cqia.reporting.both import Both
from cqia.reporting.controls import OUTCOMES, controls
from cqia.reporting.grids import Cell, Grid
from cqia.reporting.material import Material
from cqia.tables import escape, latex, render

NUMBERS = (
    "mean", "low", "high", "seed_sd", "read", "unreadable", "failed", "unsent", "unasked", "absent",
    "seeds", "n_paired", "difference", "difference_low", "difference_high", "simultaneous_low",
    "simultaneous_high", "p", "p_adjusted", "detectable", "rank",
)  # fmt: skip
TEX_HEAD = """\
% Tables of a report by cqia. In a document of xelatex or lualatex:
% \\usepackage{ctex,booktabs,graphicx}
"""


def shown(text: Both) -> str:
    """A text in both languages in one line."""
    return text.zh if text.zh == text.en else f"{text.zh} / {text.en}"


def frame(grid: Grid) -> pl.DataFrame:
    """A grid as a frame of texts."""
    names = ["subset", "about", *_unique([shown(one) for one in grid.columns])]
    rows = [
        [shown(row.name), shown(row.note)]
        + [one.text if isinstance(one, Cell) else shown(one) for one in row.cells]
        for row in grid.rows
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _unique(names: list[str]) -> list[str]:
    """Names of which none is there twice, nor taken."""
    found: list[str] = []
    for name in names:
        while name in found or name in ("subset", "about"):
            name += "'"
        found.append(name)
    return found


def markdown(material: Material, title: Both, grids: list[Grid], tables: dict[str, Any]) -> str:
    """The statement in Chinese, then in English, then the tables."""
    lines = [f"# {escape(shown(title))}\n"]
    for place in (0, 1):
        lines += [f"## {('结论', 'Statement')[place]}\n", *_statement(material, place)]
    for grid in grids:
        lines += [f"## {escape(shown(grid.title))}\n", render(frame(grid), "md")]
        lines += [f"{escape(shown(note))}\n" for note in grid.notes]
    for key, (heading, table) in tables.items():
        lines += [f"## {escape(shown(heading))}\n", f"<!-- tables/{key}.csv -->\n"]
        lines += [render(table, "md")]
    return "\n".join(lines)


def _statement(material: Material, place: int) -> Iterator[str]:
    """The statement in one language: 0 Chinese, 1 English."""
    for one in (*words.lead(material), *words.scripted_note(material), *material.missing):
        yield f"{escape(one[place])}\n"
    for base in material.bases:
        tag = f"[{words.PROXY[place]}] " if material.is_proxy(base) else ""
        yield f"### {escape(('基座 ', 'Base ')[place] + base)}\n"
        for paragraph in words.paragraphs(material):
            if paragraph.base == base:
                yield f"**{escape(paragraph.subset)}**：{words.summary(paragraph)[place]}\n"
                for says, claims in paragraph.claims.items():
                    for claim in claims:
                        said = f"{tag}{words.SAYS[says][place]}：{claim.text[place]}"
                        yield f"- {escape(said)}"
                yield ""
    for control in controls(material):
        told = OUTCOMES[control.outcome][place] if control.outcome else "-"
        said = f"{control.base} {control.subset}：{control.must[place]}：{told}；"
        yield f"- {escape(said + control.found[place])}"
    yield ""


def tex(grids: list[Grid], tables: dict[str, Any]) -> str:
    """All tables, to be put into a paper."""
    parts = [latex(frame(one), caption=shown(one.title), label=one.key) for one in grids]
    parts += [latex(table, caption=shown(name), label=key) for key, (name, table) in tables.items()]
    return "\n".join([TEX_HEAD, *parts])


def trace(grids: list[Grid]) -> pl.DataFrame:
    """A row a number of the tables: its cell, its value, its file, and the folders behind it."""
    rows = []
    for grid in grids:
        for cell in (one for row in grid.rows for one in row.cells if isinstance(one, Cell)):
            found = cell.verdict.row
            key = [found[name] for name in ("base", "subset", "benchmark", "group")]
            for name in NUMBERS:
                if found[name] is not None:
                    rows.append(
                        [grid.key, cell.verdict.anchor, *key, name, float(found[name]),
                         "compare/cells.parquet", "、".join(cell.folders)]
                    )  # fmt: skip
    texts = dict.fromkeys(
        ("table", "cell", "base", "subset", "benchmark", "group", "what"), pl.String
    )
    schema = {**texts, "value": pl.Float64, "file": pl.String, "folders": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")
