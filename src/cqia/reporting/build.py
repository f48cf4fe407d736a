"""The report's sections in their order, and which tables and figures stand in each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cqia.reporting import grids, heat, html, words
from cqia.reporting.both import Both, same
from cqia.reporting.grids import Grid
from cqia.reporting.material import Material
from cqia.reporting.page import Section
from cqia.reporting.verdicts import BETTER, WORSE


@dataclass(slots=True, kw_only=True)
class Report:
    """What the files are written from."""

    title: Both
    sections: list[Section] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    grids: list[Grid] = field(default_factory=list)


def build(material: Material) -> Report:
    """The report of what was found."""
    report = Report(title=words.title(material), grids=grids.paper_tables(material))
    report.sections = [
        ("statement", Both("结论", "Statement"), statement(material)),
        ("heat", Both("热图", "Heat map"), "".join(heat.heat(material, b) for b in material.bases)),
        ("tables", Both("结果表", "Result tables"), "".join(map(html.grid, report.grids))),
    ]
    return report


def statement(material: Material) -> str:
    """The statement in words, and in one line each what is missing."""
    body = "".join(html.paragraph(one) for one in words.lead(material))
    if material.proxy:
        body = body.replace("<p>", '<p class="warn">', 1)
    body += "".join(html.paragraph(one, "warn") for one in material.missing)
    for base in material.bases:
        body += f"<h3>{html.spans(Both('基座 ', 'Base ') + base)}</h3>\n"
        for one in words.paragraphs(material):
            if one.base == base:
                body += _paragraph(material, one)
    return body


def _paragraph(material: Material, one: words.Paragraph) -> str:
    body = "".join(
        html.claims(says, found, proxy=material.proxy) for says, found in one.claims.items()
    )
    strong = one.claims[BETTER] or one.claims[WORSE]
    name = same(one.subset) + Both("：", ": ") + words.summary(one)
    kind = "" if strong else ' class="plain"'
    return f"<div{kind}><h4>{html.spans(name)}</h4>{body}</div>\n"
