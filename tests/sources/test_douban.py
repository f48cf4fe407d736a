import json
import re
from collections.abc import Callable

import polars as pl
import pytest

from cqia.sources.douban import SCHEMA, read_page, read_table, read_values
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]


def values(*lines: str) -> pl.DataFrame:
    raw = pl.Series("json", lines).str.json_decode(SCHEMA).to_frame().unnest("json")
    rows = pl.int_range(1, pl.len() + 1)
    return read_values(raw.with_columns(file=pl.lit("f.jsonl"), row=rows))


@pytest.mark.parametrize(
    ("subtype", "genres", "kind"),
    [
        ("movie", '["剧情"]', "电影"),
        ("tv", '["剧情"]', "电视剧"),
        ("movie", '["动画"]', "动画电影"),
        ("tv", '["动画", "剧情"]', "动画电视剧"),
        ("tv", '["纪录片"]', "纪录片"),
        ("", "null", "电影"),
    ],
)
def test_a_work_is_called_what_it_is(subtype: str, genres: str, kind: str) -> None:
    line = (
        f'{{"id": 1, "title": "甲", "subtype": "{subtype}", "genres": {genres}, "summary": "乙"}}'
    )
    (row,) = values(line).iter_rows(named=True)
    assert f"{kind}" in row["instruction"]
    assert "《甲》" in row["instruction"]
    assert row["task_minor"] == ["故事概要", kind]
    assert row["key"] == "1-synopsis"


def test_a_book_gives_an_introduction_and_its_author() -> None:
    made = values(
        '{"id": 2, "title": "甲", "author": ["丙"], "summary": "乙", "author_intro": "丁"}'
    )
    assert made["key"].to_list() == ["2-book", "2-author"]
    assert made["output"].to_list() == ["乙", "丁"]
    assert made["task_minor"].to_list() == [["图书介绍", "书"], ["作者介绍", "书"]]
    assert "丙" in made["instruction"][1]


def test_a_review_opens_with_its_title() -> None:
    (row,) = values(
        '{"id": 3, "title": "题", "content": "<p>文</p>", "useful_count": 9,'
        ' "subject": {"title": "甲", "subtype": "tv"}}'
    ).iter_rows(named=True)
    assert row["output"] == "<h2>题</h2><p>文</p>"
    assert "电视剧《甲》" in row["instruction"]
    assert row["task_minor"] == ["剧评", "电视剧"]
    assert row["votes"] == 9


FILM = '{{"title": "{title}", "rate": "{rate}", "year": "{year}", "countries": ["{country}"]}}'


def listed(*films: tuple[str, str, str, str]) -> pl.DataFrame:
    names = ("title", "rate", "year", "country")
    rows = ", ".join(FILM.format(**dict(zip(names, film, strict=True))) for film in films)
    return values(f'{{"subjects": [{rows}]}}')


def test_a_list_is_rendered_from_its_facts_sorted_by_score() -> None:
    (row,) = listed(
        ("甲", "7.5", "1994", "美国"), ("乙", "9.1", "1991", "美国"), ("丙", "8.0", "1999", "美国")
    ).iter_rows(named=True)
    titles = re.findall("[甲乙丙]", row["output"])
    assert titles == ["乙", "丙", "甲"]
    assert re.search("1990年代的|美国", row["instruction"])
    assert "3部" in row["instruction"]
    assert row["task_minor"] == ["电影推荐", "电影"]


def test_a_list_asks_for_no_fact_that_a_film_lacks() -> None:
    made = values('{"data": [{"title": "甲", "rate": "7"}, {"title": "乙", "rate": "8"},'
                  ' {"title": "丙", "rate": "9"}, {"title": "丁", "rate": ""}]}')  # fmt: skip
    (row,) = made.iter_rows(named=True)
    assert "片名、评分" in row["instruction"]
    assert "年份" not in row["instruction"]
    assert "丁" not in row["output"]


def test_short_lists_and_strangers_are_faults() -> None:
    made = values(
        '{"subjects": [{"title": "甲", "rate": "7"}]}', "{}", '{"id": 3, "content": "文"}'
    )
    assert made["fault"].to_list() == [
        "a list of fewer than three films with a title and a score",
        "no work with a title here",
        "no work with a title here",
    ]


def test_a_table_reads_like_json() -> None:
    frame = pl.DataFrame(
        {
            "编号": "1",
            "片名": "甲",
            "类型": "动画/奇幻",
            "剧情简介": "乙",
            "file": "f.jsonl",
            "row": 1,
        }
    )
    line = '{"id": "1", "title": "甲", "genres": ["动画", "奇幻"], "summary": "乙"}'
    assert read_table(frame).rows() == values(line).rows()


def test_a_subjects_page() -> None:
    html = (
        '<link rel="canonical" href="https://movie.douban.com/subject/5/">'
        '<h1><span property="v:itemreviewed">甲</span></h1><div id="info">集数: 12'
        '<span property="v:genre">动画</span></div><span property="v:summary">短……</span>'
        '<span class="all hidden"> 　　长一。<br>　　长二。 ©豆瓣 </span>'
    )
    (row,) = read_page(pl.DataFrame({"file": "a", "row": 1, "html": html})).iter_rows(named=True)
    assert row["key"] == "5-synopsis"
    assert row["task_minor"] == ["故事概要", "动画电视剧"]
    assert "短" not in row["output"]
    assert "©" not in row["output"]


def test_kept_records_are_clean(sample: Sample) -> None:
    kept = {row["id"]: row for row in sample("douban").outcome.kept.iter_rows(named=True)}
    rain = kept["douban-1001-synopsis"]["output"]
    assert rain.startswith("小城的邮递员老周")
    assert rain.endswith("却由此牵出四十年前的一段往事。")
    assert "悄悄吊走&装满" in kept["douban-1102-synopsis"]["output"]
    assert kept["douban-1101-synopsis"]["output"].startswith("大雪封山的除夕夜")
    cable = kept["douban-1401-synopsis"]["output"]
    assert cable.startswith("缆车即将停运，看守缆车三十年的老丁决定开完最后一班。\n最后一班上")
    assert kept["douban-3401-review"]["output"].startswith("## 海停下来的时候\n\n科幻片里的灾难")


def test_every_recommendation_as_json_is_json(sample: Sample) -> None:
    kept = sample("douban").outcome.kept
    fenced = kept.filter(pl.col("output").str.starts_with("```json"))["output"]
    assert len(fenced) >= 2
    for text in fenced:
        rows = json.loads(text.removeprefix("```json").removesuffix("```"))
        assert [row["评分"] for row in rows] == sorted((row["评分"] for row in rows), reverse=True)
