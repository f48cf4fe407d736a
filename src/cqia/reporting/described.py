"""The page of `cqia describe --figures`: the dataset in tables and pictures, each with its n."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from cqia import store
from cqia.reporting import data_figures, html, portraits
from cqia.reporting.both import Both, same
from cqia.reporting.build import Report
from cqia.reporting.material import Material

CHARACTERS = Both("字数", "characters")
TOKENS = Both("词元数", "tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What the page shows. Frames without rows stand for what was not worked out."""

    known: list[store.Facts]
    """The sources' manifests, in the paper's order."""
    tables: dict[str, pl.DataFrame]
    """describe's tables: sources, lengths, funnel."""
    lengths: pl.DataFrame
    """A row a record: source, prompt, output (characters), major, minor."""
    tokens: pl.DataFrame = field(default_factory=pl.DataFrame)
    pairs: pl.DataFrame = field(default_factory=pl.DataFrame)
    """A row an instruction: source, verb, noun."""
    parser: str = ""
    measures: pl.DataFrame = field(default_factory=pl.DataFrame)
    at: int = 0
    domains: pl.DataFrame = field(default_factory=pl.DataFrame)
    alike: pl.DataFrame | None = None
    defects: pl.DataFrame | None = None
    rights: pl.DataFrame = field(default_factory=pl.DataFrame)
    missing: tuple[Both, ...] = ()

    @property
    def titles(self) -> dict[str, str]:
        """Source -> its title."""
        return {one["source"]: one["title"] for one in self.known}

    @property
    def totals(self) -> dict[str, int]:
        """Source -> its records."""
        return dict(self.lengths.group_by("source").len().iter_rows())


def build(one: Described, work: Path) -> Report:
    """The page's sections and figures."""
    report = Report(title=Both("数据集描述", "The dataset, described"))
    told = "".join(html.paragraph(said, "warn") for said in one.missing)
    material = Material(work=work, tables=one.tables, records=one.lengths)
    report.sections = [
        ("sources", Both("来源", "Sources"), told + _sources(report, one)),
        ("tasks", Both("任务", "Tasks"), _tasks(report, material)),
        ("lengths", Both("长度", "Lengths"), _lengths(report, one)),
        ("diversity", Both("多样性", "Diversity"), _diversity(report, one)),
        ("maps", Both("分布", "Maps"), _maps(report, one)),
        ("defects", Both("缺陷", "Defects"), _defects(report, one)),
        ("funnel-section", Both("漏斗", "Funnel"), _funnel(report, material)),
    ]
    return report


def coverage(pairs: pl.DataFrame) -> pl.DataFrame:
    """A row a source and the total: instructions, and in how many a verb or a pair was found."""
    if pairs.is_empty():
        return pl.DataFrame()
    counts = [
        pl.len().alias("instructions"),
        (pl.col("verb") != "").sum().alias("with_verb"),
        (pl.col("noun") != "").sum().alias("with_pair"),
    ]
    each = pairs.group_by("source").agg(counts).sort("source")
    whole = pairs.select(pl.lit("total").alias("source"), *counts).unique()
    both = pl.concat([each, whole])
    return both.with_columns(coverage=pl.col("with_pair") / pl.col("instructions"))


def _sources(report: Report, one: Described) -> str:
    title = Both("表 1：来源，与论文的条数并列", "Table 1: sources, beside the paper's counts")
    sources = one.tables["sources"].drop("licence", "origin", strict=False)
    body = report.table("table-1", title, sources)
    title = Both("出处与许可", "Where from, and by what right")
    return body + report.table("rights", title, one.rights)


def _tasks(report: Report, material: Material) -> str:
    n = 0 if material.records is None else len(material.records)
    title = Both(f"图 2：任务类型，内圈大类，外圈小类（n={n:,}）",
                 f"Figure 2: task types, major and minor (n={n:,})")  # fmt: skip
    return report.chart("figure-2", title, data_figures.tasks(material))


def _lengths(report: Report, one: Described) -> str:
    body = ""
    for key, frame, unit in (("figure-3", one.lengths, CHARACTERS), ("tokens", one.tokens, TOKENS)):
        n = len(frame)
        title = Both(f"图 3：指令与回答的{unit.zh}（n={n:,}，对数轴）",
                     f"Figure 3: {unit.en} of instructions and answers (n={n:,}, log)")  # fmt: skip
        body += report.chart(key, title, data_figures.histogram(frame, unit))
        title = Both(f"各来源的{unit.zh}：中位数、四分位数、第 5 与第 95 百分位",
                     f"{unit.en.capitalize()} a source: median, quartiles, "
                     "5th and 95th percentile")  # fmt: skip
        body += report.chart(f"{key}-sources", title, portraits.boxes(frame, one.titles, unit))
    title = Both("长度统计", "Lengths")
    return body + html.folded(title, report.table("lengths-table", title, one.tables["lengths"]))


def _diversity(report: Report, one: Described) -> str:
    told = coverage(one.pairs)
    body = ""
    if len(told):
        n, found = (int(told[name][-1]) for name in ("instructions", "with_pair"))
        share = f"{found / n:.0%}"
        title = Both(
            f"指令的核心动词（前 {portraits.VERBS}）与宾语（各前 {portraits.OBJECTS}）："
            f"{n:,} 条指令中 {found:,} 条（{share}）找到动宾，其余不猜；句法分析：{one.parser}",
            f"Root verbs (top {portraits.VERBS}) and their objects (top {portraits.OBJECTS} each): "
            f"a pair was found in {found:,} of {n:,} instructions ({share}), none is guessed; "
            f"parser: {one.parser}",
        )
        body += report.chart("verbs", title, portraits.verbs(one.pairs))
        title = Both("动宾覆盖率", "Coverage of the parser")
        body += html.folded(title, report.table("coverage", title, told))
    if len(one.measures):
        title = Both(
            "来源内两条记录的平均距离（字二元组 TF-IDF 余弦，95 % 区间）",
            "Mean distance of two records of a source (TF-IDF of character bigrams, 95 % interval)",
        )
        body += report.chart("spread", title, portraits.spread(one.measures, one.titles))
        title = Both(f"多样性，均按同一规模计算（动宾与 Vendi：{one.at}）",
                     f"Diversity, all at one size (pairs and Vendi: {one.at})")  # fmt: skip
        notes = Both(
            "小于该规模的来源留空。distinct-n 在同样多的 n 元组上计算；动宾种类按 Hurlbert 稀释；"
            "Vendi 为抽样均值与 2.5–97.5 百分位。",
            "A source below that size is left blank. distinct-n on as many n-grams; types rarefied "
            "after Hurlbert; Vendi: mean of draws and their 2.5th to 97.5th percentile.",
        )
        body += report.table("measures", title, one.measures) + html.paragraph(notes, "note")
    return body


def _maps(report: Report, one: Described) -> str:
    title = Both("来源 × 领域：记录数，颜色为占该来源的比例",
                 "Source × domain: records; the colour is the share of the source")  # fmt: skip
    body = report.chart(
        "domains", title, portraits.domains(one.domains, one.totals, one.titles)
        if len(one.domains) else None,
    )  # fmt: skip
    if one.alike is None:
        return body
    n = int(one.alike["pairs"].sum())
    title = Both(f"来源之间的近重复：去重前核实的 {n:,} 对", f"Near-duplicates between sources: "
                 f"{n:,} pairs verified before dedup took them out")  # fmt: skip
    if n == 0:
        return body + html.paragraph(Both("没有近重复。", "No near-duplicates."))
    return body + report.chart("alike", title, portraits.alike(one.alike, one.titles))


def _defects(report: Report, one: Described) -> str:
    if one.defects is None:
        return ""
    n = sum(one.totals.values())
    if one.defects.is_empty():
        return html.paragraph(Both(f"{n:,} 条记录中没有发现。", f"None in {n:,} records."))
    title = Both(f"按规则找到的缺陷（n={n:,}）：有该问题的记录数，颜色为占该来源的比例",
                 f"Defects found by rule (n={n:,}): records; "
                 "the colour is the share of the source")  # fmt: skip
    body = report.chart("defects", title, portraits.defects(one.defects, one.titles))
    title = Both("缺陷逐项", "Defects one by one")
    return body + html.folded(title, report.table("defects-table", title, one.defects))


def _funnel(report: Report, material: Material) -> str:
    title = Both("漏斗：记录去了哪里", "Funnel: where records went")
    body = report.chart("funnel", title, data_figures.funnel(material))
    table = report.table("funnel-table", same("漏斗 / funnel"), material.tables.get("funnel"))
    return body + html.folded(Both("漏斗逐条", "The funnel's steps"), table)
