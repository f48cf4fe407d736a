import datetime as dt
from collections.abc import Callable

import polars as pl

from cqia.sources.medical_articles import SCHEMA, TEMPLATES, read_articles, read_page
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]


def articles(*lines: str) -> pl.DataFrame:
    raw = pl.Series("json", lines).str.json_decode(SCHEMA).to_frame().unnest("json")
    rows = pl.int_range(1, pl.len() + 1)
    return read_articles(raw.with_columns(file=pl.lit("f.jsonl"), row=rows))


def test_the_doctors_credit_goes_into_copyright() -> None:
    made = articles(
        '{"title": "甲？", "content": "乙", "doctor": "李某", "doctor_title": "主任医师", "hospital": "某院"}',
        '{"title": "甲？", "content": "乙", "author": "李某", "hospital": " "}',
        '{"title": "甲？", "content": "乙"}',
    )
    assert made["copyright"].to_list() == ["作者：李某，主任医师，某院", "作者：李某", None]


def test_a_question_is_asked_as_it_stands_and_a_title_by_a_template() -> None:
    made = articles(
        '{"title": " 宝宝发烧怎么办 ", "content": "乙"}', '{"title": "冬季养生。", "content": "乙"}'
    )
    assert made["instruction"][0] == "宝宝发烧怎么办"
    assert made["instruction"][1] in {one.replace("{title}", "冬季养生") for one in TEMPLATES}


def test_every_template_is_used() -> None:
    lines = [f'{{"title": "甲{n}乙", "content": "丙"}}' for n in range(200)]
    asked = articles(*lines)["instruction"].str.replace(r"甲\d+乙", "{title}")
    assert set(asked) == set(TEMPLATES)


def test_a_page_reads_like_an_article() -> None:
    html = (
        '<link rel="canonical" href="u"><h1>甲？</h1><div class="doctor">作者：李某 某院</div>'
        '<span class="date">2019-08-21 10:30</span><article><p>乙</p><div class="ad">丙</div></article>'
    )
    (row,) = read_page(pl.DataFrame({"file": "a", "row": 1, "html": html})).iter_rows(named=True)
    assert (row["key"], row["instruction"], row["output"]) == ("u", "甲？", "<p>乙</p>")
    assert (row["copyright"], row["date"]) == ("作者：李某 某院", dt.date(2019, 8, 21))


def test_what_is_no_article_is_a_fault() -> None:
    faults = articles("{}", '{"title": "甲"}', '{"content": "乙"}')["fault"].to_list()
    assert faults == [
        "the article has no title",
        "the article has no text",
        "the article has no title",
    ]


def test_kept_records_are_clean(sample: Sample) -> None:
    kept = {row["id"]: row for row in sample("medical_articles").outcome.kept.iter_rows(named=True)}
    assert kept["medical_articles-221"]["instruction"] == "宝宝长牙时为什么爱流口水？"
    assert kept["medical_articles-222"]["output"].endswith("不要好一点就停。")
    masked = kept["medical_articles-223"]["output"]
    assert masked.endswith("门诊咨询电话：[座机号]，手机：[手机号]，邮箱[邮箱]。")
    (fruit,) = (row for row in kept.values() if row["instruction"] == "糖尿病人可以吃水果吗？")
    assert fruit["output"].endswith("就知道自己适不适合。")
    assert "- 数量：每天不超过二百克；\n" in fruit["output"]
    assert fruit["copyright"] == "作者：沈某某 主任医师 示例医院"
