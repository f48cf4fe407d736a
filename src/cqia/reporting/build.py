"""The report's sections in their order, and which tables and figures stand in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from cqia import store
from cqia.reporting import data_figures, figures, grids, heat, html, methods, words
from cqia.reporting.answers import answers
from cqia.reporting.both import Both, same
from cqia.reporting.controls import BROKEN, OUTCOMES, controls
from cqia.reporting.costs import costs
from cqia.reporting.figures import Figure
from cqia.reporting.grids import Grid
from cqia.reporting.material import Material
from cqia.reporting.page import Section, plotly
from cqia.reporting.verdicts import BETTER, UNDECIDED, WORSE


@dataclass(slots=True, kw_only=True)
class Report:
    """What the files are written from."""

    title: Both
    sections: list[Section] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    grids: list[Grid] = field(default_factory=list)
    tables: dict[str, tuple[Both, pl.DataFrame]] = field(default_factory=dict)
    """Tables that hold no cells: heading and frame by key."""

    def chart(self, key: str, title: Both, figure: Figure | None) -> str:
        """Take up a figure; its place in the page, empty when there is nothing to draw."""
        if figure is None:
            return ""
        self.figures[key] = figure
        drawn = f'<div class="chart" data-figure="{key}"></div>'
        if not plotly():
            told = Both("画图需要 pip install 'cqia[plot]'", "to draw it: pip install 'cqia[plot]'")
            drawn = html.paragraph(told, "warn")
        caption = f"<figcaption>{html.spans(title)}</figcaption>"
        return f'<figure class="chart-box" id="{key}">{caption}{drawn}</figure>\n'

    def table(self, key: str, title: Both, frame: pl.DataFrame | None) -> str:
        """Take up a table; its HTML, empty when it has no rows."""
        if frame is None or frame.is_empty():
            return ""
        self.tables[key] = (title, frame)
        return html.frame(key, title, frame)


def build(material: Material) -> Report:
    """The report of what was found."""
    report = Report(title=words.title(material))
    main, more = grids.paper_tables(material), grids.details(material)
    report.grids = [*main, *more]
    heats = "".join(heat.heat(material, base) for base in material.bases)
    folded = "".join(html.folded(one.title, html.grid(one)) for one in more)
    report.sections = [
        ("statement", Both("结论", "Statement"), statement(material)),
        ("controls", Both("对照", "Controls"), _controls(material)),
        ("heat", Both("热图", "Heat map"), heats),
        ("tables", Both("结果表", "Results"), "".join(map(html.grid, main)) + folded),
        ("forest", Both("差异", "Differences"), _forests(report, material)),
        ("pairwise", Both("成对比较", "Pairwise"), _pairwise(report, material)),
        ("training", Both("训练与种子", "Training"), _training(report, material)),
        ("kin", Both("亲缘", "Kinship"), _kinship(report, material)),
        ("attribution", Both("归因", "Attribution"), _attribution(report, material)),
        ("answers", Both("回答前后", "Answers"), answers(material)),
        ("data", Both("数据", "Data"), _data(report, material)),
        ("costs", Both("费用", "Costs"), _costs(report, material)),
        ("methods", Both("方法", "Methods"), methods.methods(material)),
    ]
    return report


def statement(material: Material) -> str:
    """The statement in words, and in one line each what is missing or failed."""
    body = "".join(html.paragraph(one) for one in words.lead(material))
    if material.proxy:
        body = body.replace("<p>", '<p class="warn">', 1)
    told = (*words.scripted_note(material), *material.missing)
    body += "".join(html.paragraph(one, "warn") for one in told)
    body += methods.failed(material)
    for base in material.bases:
        body += f"<h3>{html.spans(Both('基座 ', 'Base ') + base)}</h3>\n"
        for one in words.paragraphs(material):
            if one.base == base:
                body += _paragraph(material, one)
    return body


SHOWN = 5
"""Claims of a kind that are shown at once; the rest is folded."""


def _paragraph(material: Material, one: words.Paragraph) -> str:
    body, proxy = "", material.is_proxy(one.base)
    for says, found in one.claims.items():
        open_ = found[:SHOWN] if says in (BETTER, WORSE) else []
        rest = found[len(open_) :]
        body += html.claims(open_, proxy=proxy)
        if rest:
            count = len(rest)
            title = words.SAYS[says] + Both(f"：{count} 项", f": {count}")
            if open_:
                title = Both(f"另外 {count} 项", f"{count} more: ") + words.SAYS[says]
            if says == UNDECIDED:
                title += words.reach(material, one.base, one.subset)
            body += html.folded(title, html.claims(rest, proxy=proxy))
    name = same(one.subset) + Both("：", ": ") + words.summary(one)
    return f'<div class="said"><h4>{html.spans(name)}</h4>{body}</div>\n'


def _controls(material: Material) -> str:
    body = ""
    for one in controls(material):
        told = f" <b>{html.spans(OUTCOMES[one.outcome])}</b>" if one.outcome else ""
        kind = "warn" if one.outcome == BROKEN else ""
        tag = f'<span class="tag">{html.spans(words.PROXY)}</span> '
        tag = tag if material.is_proxy(one.base) else ""
        name = f"<bdi>{html.text(one.base)} · {html.text(one.subset)}</bdi>"
        body += (
            f'<li class="{kind}">{tag}{name}{told}<small>{html.spans(one.must)} — '
            f"{html.spans(one.found)}</small></li>\n"
        )
    return f"<ul>{body}</ul>" if body else ""


def _forests(report: Report, material: Material) -> str:
    body = ""
    for base, name, key in _places(material):
        title = Both(f"{name}，基座 {base}：与未微调基座的差异和同时区间",
                     f"{name}, base {base}: difference to the untuned base")  # fmt: skip
        title += words.tag(material, name)
        body += report.chart(f"forest-{key}", title, figures.forest(material, base, name, [""]))
        groups = figures.shown_groups(material, name)
        inner = report.chart(
            f"forests-{key}",
            title,
            figures.forest(material, base, name, groups) if groups else None,
        )
        if inner:
            body += html.folded(Both(f"{name} 各项", f"{name} by group"), inner)
    return body


def _places(material: Material) -> Iterator[tuple[str, str, str]]:
    """Base, benchmark, and what their figures are called."""
    for number, base in enumerate(material.bases):
        for place, name in enumerate(material.benchmarks):
            yield base, name, f"{number}-{place}"


def _pairwise(report: Report, material: Material) -> str:
    body = ""
    for base, name, key in _places(material):
        title = Both(f"图 4：{name}，基座 {base}：胜、平、负", f"Figure 4: {name}, base {base}")
        title += words.tag(material, name)
        body += report.chart(f"figure-4-{key}", title, figures.pairwise(material, base, name))
    title = Both("排名（Bradley-Terry）", "Ranking (Bradley-Terry)")
    return body + report.table("ranking", title, material.ranking)


def _training(report: Report, material: Material) -> str:
    body = ""
    for number, base in enumerate(material.bases):
        title = Both(f"损失曲线，基座 {base}", f"Loss curves, base {base}")
        body += report.chart(f"loss-{number}", title, figures.losses(material, base))
    inner = ""
    for base, name, key in _places(material):
        title = Both(f"各种子的均值：{name}，基座 {base}", f"Means of seeds: {name}, base {base}")
        inner += report.chart(f"seeds-{key}", title, figures.seeds(material, base, name))
    return body + (
        html.folded(Both("种子间的差异", "Spread between seeds"), inner) if inner else ""
    )


def _kinship(report: Report, material: Material) -> str:
    title = Both("答案作者家族 × 评审家族", "Author family of the answers × judge family")
    return report.table("kinship", title, material.kinship)


ATTRIBUTION = {
    "without": Both("去掉一个来源的代价", "What leaving a source out costs"),
    "pairs": Both("两个来源一起", "Two sources together"),
    "effects": Both(
        "混合回归：单个来源的预测", "Regression over mixtures: a source alone, predicted"
    ),
    "mixtures": Both(
        "预测最好的配比与实际训练", "The mixtures predicted best, and what they came to"
    ),
}


def _attribution(report: Report, material: Material) -> str:
    body = ""
    for key, frame in material.attribution.items():
        title = ATTRIBUTION.get(key, same(key))
        inner = report.table(f"attribution-{key}", title, frame)
        body += html.folded(title, inner) if inner else ""
    facts = store.manifest(material.work / "attribute") or {}
    if skipped := facts.get("skipped"):
        zh = f"{skipped} 项能力的行数太少，没有做混合回归。"
        told = Both(zh, f"For {skipped} abilities there are too few rows for a regression.")
        body += html.paragraph(told, "note")
    return body


def _data(report: Report, material: Material) -> str:
    tables = material.tables
    title = Both("表 1：来源，与论文的条数并列", "Table 1: sources, beside the paper's counts")
    body = report.table("table-1", title, tables.get("sources"))
    title = Both("图 2：任务类型（大类与小类）", "Figure 2: task types, major and minor")
    body += report.chart("figure-2", title, data_figures.tasks(material))
    title = Both("图 3：指令与回答的长度", "Figure 3: lengths of instructions and answers")
    body += report.chart("figure-3", title, data_figures.lengths(material))
    title = Both("漏斗：记录去了哪里", "Funnel: where records went")
    body += report.chart("funnel", title, data_figures.funnel(material))
    for name, title in (("lengths", Both("长度统计", "Lengths")),
                        ("funnel", Both("漏斗逐条", "The funnel's steps"))):  # fmt: skip
        inner = report.table(f"{name}-table", title, tables.get(name))
        body += html.folded(title, inner) if inner else ""
    return body


def _costs(report: Report, material: Material) -> str:
    title = Both("各阶段的请求、词元、费用与时间", "Requests, tokens, money and time of each stage")
    return report.table("costs", title, costs(material.work, material.statement))
