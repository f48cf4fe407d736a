from collections.abc import Callable

import polars as pl

from cqia.sources.mba_baike import TEMPLATES, read_export, read_page
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]


def pages(*texts: tuple[str, str]) -> pl.DataFrame:
    return read_export(
        pl.DataFrame(
            [("f.xml", n, n, title, text) for n, (title, text) in enumerate(texts, 1)],
            schema=["file", "row", "page", "title", "text"],
            orient="row",
        )
    )


def test_an_export_and_a_page_read_alike() -> None:
    (one,) = pages(
        ("甲", "'''甲'''是乙。\n== 丙 ==\n* 丁\n== 参考文献 ==\n* 书\n[[Category:戊]]")
    ).rows(named=True)
    html = (
        '<h1 id="firstHeading">甲</h1><div class="mw-parser-output"><p><b>甲</b>是乙。</p>'
        '<h2>丙<span class="mw-editsection">[编辑]</span></h2><ul><li>丁</li></ul>'
        '<h2>参考文献</h2><p>书</p></div><div class="catlinks"><ul><li><a>戊</a></li></ul></div>'
    )
    (two,) = read_page(pl.DataFrame({"file": "f", "row": 1, "html": html})).rows(named=True)
    assert one["output"] == two["output"] == "**甲**是乙。\n\n## 丙\n\n- 丁"
    assert one["domain"] == two["domain"] == ["戊"]
    assert one["key"] == "1"


def test_what_is_no_article_is_marked() -> None:
    made = pages(
        ("甲", "#REDIRECT [[乙]]"),
        ("Template:甲", "文"),
        ("分类:甲", "文"),
        ("甲（消歧义）", "文"),
        ("甲：乙", "文"),
    )
    assert made["metadata"].to_list() == [
        "状态:重定向",
        "状态:非条目",
        "状态:非条目",
        "状态:消歧义",
        "",
    ]
    assert made["fault"].to_list() == [None] * 5


def test_pages_without_title_or_text_are_faults() -> None:
    made = pages(("", "文"), ("甲", ""), ("甲", "{{只有模板}}"))
    assert made["fault"].to_list() == [
        "the page has no title",
        "the page has no text",
        "the page has no text",
    ]


def test_every_template_is_used() -> None:
    asked = pages(*((f"甲{n}乙", "文") for n in range(300)))["instruction"]
    assert set(asked.str.replace(r"甲\d+乙", "{title}")) == set(TEMPLATES)


def test_kept_records_are_clean(sample: Sample) -> None:
    kept = {row["id"]: row for row in sample("mba_baike").outcome.kept.iter_rows(named=True)}
    cost = kept["mba_baike-1"]["output"]
    assert cost.startswith("**边际成本**（Marginal Cost）是指")
    assert "\n\n## 计算\n\n" in cost
    assert r"$MC=\frac{\Delta TC}{\Delta Q}$" in cost
    assert "参考文献" not in cost
    assert "| 指标 | 含义 |\n| --- | --- |" in kept["mba_baike-4"]["output"]
    assert "1. 明确要解决的问题，写在鱼头上；\n2. 从人" in kept["mba_baike-2"]["output"]
    assert kept["mba_baike-101"]["output"].startswith("**边际效用递减**是指在一定时间内")
    assert "[座机号]，手机[手机号]" in kept["mba_baike-102"]["output"]
    assert "导航" not in kept["mba_baike-6"]["output"]
