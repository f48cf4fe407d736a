import re
from collections.abc import Callable

import polars as pl

from cqia.sources.wikihow import SCHEMA, TEMPLATES, read_articles, read_page
from tests.sources.curated import SAMPLES, Curated

Sample = Callable[[str], Curated]


def articles(*lines: str) -> pl.DataFrame:
    raw = pl.Series("json", lines).str.json_decode(SCHEMA).to_frame().unnest("json")
    rows = pl.int_range(1, pl.len() + 1)
    return read_articles(raw.with_columns(file=pl.lit("f.jsonl"), row=rows))


def test_an_article_is_rendered_whole() -> None:
    (row,) = articles(
        '{"id": 1, "title": "如何泡茶", "intro": "引言。", "methods": [{"title": "甲", "steps": ["一",'
        ' "二"]}, {"title": "", "steps": ["三"]}], "tips": ["提示"], "warnings": ["小心"]}'
    ).rows(named=True)
    assert row["instruction"] == "如何泡茶？"
    assert row["output"] == (
        "<p>引言。</p>\n<h2>甲</h2><ol><li>一</li><li>二</li></ol>\n<ol><li>三</li></ol>\n"
        "<h2>小提示</h2><ul><li>提示</li></ul>\n<h2>警告</h2><ul><li>小心</li></ul>"
    )


def test_a_question_of_mnbvc() -> None:
    (row,) = articles('{"id": 0, "问": "怎样泡茶？", "答": "一、烧水。\\n二、冲泡。"}').rows(
        named=True
    )
    assert (row["instruction"], row["output"]) == ("怎样泡茶？", "一、烧水。<br>二、冲泡。")
    assert row["key"] is None


def test_a_title_that_does_not_ask_gets_a_template() -> None:
    lines = (f'{{"id": {n}, "title": "第{n}种折纸", "intro": "文"}}' for n in range(200))
    asked = articles(*lines)["instruction"].str.replace(r"第\d+种折纸", "{title}")
    assert set(asked) == set(TEMPLATES)


def test_a_page_keeps_every_method_and_step(sample: Sample) -> None:
    """The released records were cut off: here each of 32 steps stands in the answer."""
    html = (SAMPLES / "wikihow" / "changwen.html").read_text(encoding="utf-8")
    steps = re.findall(r"编号.之\d", html)
    assert len(steps) == 32
    kept = sample("wikihow").outcome.kept
    (made,) = kept.filter(pl.col("instruction") == "如何从头组装一个书架？")["output"]
    assert [step for step in steps if step not in made] == []
    assert made.count("\n## 第") == 4
    assert "\n8. **第丁部分第8步。**" in made


def test_references_and_picture_credits_go(sample: Sample) -> None:
    kept = sample("wikihow").outcome.kept["output"]
    assert not kept.str.contains(r"图片授权|example\.org|\[1\]|方法 1").any()


def test_what_is_no_article_is_a_fault() -> None:
    assert articles("{}", '{"title": "甲"}')["fault"].to_list() == [
        "the article has no title",
        "the article has no steps",
    ]
    page = pl.DataFrame({"file": "a", "row": 1, "html": "<h1>甲</h1><div id=intro>乙</div>"})
    assert read_page(page)["fault"].to_list() == ["the article has no steps"]


def test_kept_records_are_clean(sample: Sample) -> None:
    kept = {row["id"]: row for row in sample("wikihow").outcome.kept.iter_rows(named=True)}
    assert kept["wikihow-12"]["instruction"] == "如何与邻居沟通噪音问题？"
    glass = kept["wikihow-13"]["output"]
    assert glass.startswith("擦玻璃的窍门在于水要少，布要干净。\n\n1. 先用干布")
    assert glass.endswith("家政预约电话[手机号]。")
