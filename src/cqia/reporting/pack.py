"""The page of `cqia safety`: a corpus-safety assessment, ready to print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from cqia.reporting import html
from cqia.reporting.both import Both
from cqia.reporting.build import Report

TITLE = Both("语料安全评估", "Corpus-safety assessment")
STATES = {
    "met": Both("达到", "met"),
    "missed": Both("未达到", "missed"),
    "open": Both("未完成", "not finished"),
    "rejected": Both("不予采用", "rejected"),
    "stands": Both("可用", "stands"),
    "suspected": Both("待复核", "to be looked at"),
    "unread": Both("未抽到或未阅", "unread"),
}
NOTE = Both(
    "阈值为参数；默认值据公开报道的 TC260-003 与 GB/T 45654-2025，并非标准原文，也不是法律意见。"
    "关键词命中只是线索，不是判定。",
    "Thresholds are parameters; the defaults follow public accounts of TC260-003 and "
    "GB/T 45654-2025, not the standards' own text, and are no legal advice. A keyword is a hint, "
    "no verdict.",
)


def percent(value: float | None) -> str:
    """A share in percent; a dash where there is none."""
    return "–" if value is None else f"{100 * value:.2f} %"


def criteria(found: list[Mapping[str, Any]]) -> pl.DataFrame:
    """What was asked and what was found, a row a criterion, in both languages."""
    return pl.DataFrame(
        [
            {
                "criterion": f"{one['name'].zh} / {one['name'].en}",
                "wanted": one["wanted"],
                "found": one["found"],
                "checked": one["checked"],
                "interval": one["interval"],
                "state": f"{STATES[one['state']].zh} / {STATES[one['state']].en}",
            }
            for one in found
        ],
        schema={"criterion": pl.String, "wanted": pl.String, "found": pl.String,
                "checked": pl.Int64, "interval": pl.String, "state": pl.String},
    )  # fmt: skip


def shown(sources: pl.DataFrame) -> pl.DataFrame:
    """The table of sources as it fits on a printed page: shares in percent, intervals in one."""
    told = {key: f"{both.zh} / {both.en}" for key, both in STATES.items()}
    rows = sources.select("share", "low", "high", "keyword_share").rows()
    texts = [
        (
            "" if share is None else percent(share),
            "" if low is None else f"{percent(low)} – {percent(high)}",
            percent(held),
        )
        for share, low, high, held in rows
    ]
    schema = {"share": pl.String, "interval": pl.String, "keyword_share": pl.String}
    page = sources.select("source", "state", "records", "drawn", "read", "failed").with_columns(
        state=pl.col("state").replace_strict(told, return_dtype=pl.String)
    )
    page = pl.concat([page, pl.DataFrame(texts, schema=schema, orient="row")], how="horizontal")
    if sources["scored"].null_count() == len(sources):
        return page
    return page.with_columns(sources["scored"], sources["scored_low"])


def build(
    *,
    facts: list[Both],
    found: list[Mapping[str, Any]],
    sources: pl.DataFrame,
    keywords: pl.DataFrame,
    rights: pl.DataFrame,
    failed: pl.DataFrame,
) -> Report:
    """The page's sections and tables."""
    report = Report(title=TITLE)
    lead = "".join(html.paragraph(one) for one in facts) + html.paragraph(NOTE, "warn")
    lead += report.table("criteria", Both("各项要求", "Criteria"), criteria(found))
    told = shown(sources)
    out = sources.filter(state="rejected")["source"].to_list()
    names = "、".join(out)
    body = html.paragraph(
        Both(f"不予采用的来源：{names}", f"Rejected sources: {', '.join(out)}")
        if out
        else Both("没有来源超过阈值。", "No source is over the threshold."),
        "warn" if out else "",
    )
    body += report.table("by-source", Both("各来源", "By source"), told)
    report.sections = [
        ("result", Both("结论", "Result"), lead),
        ("sources", Both("来源", "Sources"), body),
        ("keywords", Both("关键词", "Keywords"),
         report.table("keywords-table", Both("各类命中", "Hits by category"), keywords)),
        ("rights", Both("许可证明", "Licence evidence"),
         report.table("rights-table", Both("出处与许可", "Where from, by what right"),
                      rights.drop("title"))),
        ("failed", Both("不合格记录", "Records that failed"),
         report.table("failed-table", Both("人工判为不合格", "Failed by people"), failed)),
        ("sign", Both("签字", "Signatures"), _signatures()),
    ]  # fmt: skip
    return report


def _signatures() -> str:
    """Lines to sign on, for print."""
    names = (Both("评估人", "assessed by"), Both("审核人", "checked by"), Both("日期", "date"))
    return "".join(html.paragraph(one + "：＿＿＿＿＿＿＿＿＿＿") for one in names)  # noqa: RUF001
