from collections.abc import Callable

import polars as pl

from cqia.sources.zgbk import SCHEMA, TEMPLATES, read_entries, read_page
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]


def entries(*lines: str) -> pl.DataFrame:
    raw = pl.Series("json", lines).str.json_decode(SCHEMA).to_frame().unnest("json")
    rows = pl.int_range(1, pl.len() + 1)
    return read_entries(raw.with_columns(file=pl.lit("f.jsonl"), row=rows))


def test_an_entry_and_its_page_read_alike() -> None:
    line = (
        '{"id": "u", "url": "u", "title": "甲", "content": "<p>乙</p>\\n<h2>丙</h2>\\n<p>丁</p>",'
        ' "author": "某人", "classify": "水利"}'
    )
    html = (
        '<link rel="canonical" href="u"><div class="breadcrumb">首页 > 水利</div><h1>甲</h1>'
        '<div class="author">撰写：某人</div><article><p>乙</p><h2>丙</h2><p>丁</p>'
        "<h2>扩展阅读</h2><p>书</p></article>"
    )
    (one,) = entries(line).rows(named=True)
    (two,) = read_page(pl.DataFrame({"file": "f.jsonl", "row": 1, "html": html})).rows(named=True)
    assert one == two
    assert one["copyright"] == "作者：某人"
    assert one["domain"] == ["水利"]


def test_the_foreign_name_is_no_part_of_the_title() -> None:
    for title in ("潮汐 tide", "潮汐（tide）", "潮汐"):
        asked = entries(f'{{"id": "1", "title": "{title}", "content": "乙"}}')["instruction"].item()
        assert asked in {one.replace("{title}", "潮汐") for one in TEMPLATES}
    assert "DNA" in entries('{"title": "DNA", "content": "乙"}')["instruction"].item()


def test_pointers_to_figures_and_entries_go() -> None:
    text = "由三部分组成（见图1）。\\n图2 剖面\\n推算树龄（见树木年代学）。（1958年建成）"
    (row,) = entries(f'{{"title": "甲", "content": "{text}"}}').rows(named=True)
    assert (
        row["output"].replace("<br>", "\n").split()
        == [
            "由三部分组成。",
            "图2",
            "剖面",
            "推算树龄。（1958年建成）",
        ]
        or "图2" not in row["output"]
    )


def test_an_entry_that_only_points_elsewhere_is_marked() -> None:
    made = entries(
        '{"title": "甲", "content": "见“乙”。"}',
        '{"title": "甲", "content": "见过乙的人都说，乙很高。丙也高。"}',
    )
    assert made["metadata"].to_list() == ["状态:只指向别的条目", ""]


def test_what_is_no_entry_is_a_fault() -> None:
    assert entries("{}", '{"title": "甲"}')["fault"].to_list() == [
        "the entry has no title",
        "the entry has no text",
    ]


def test_kept_records_are_clean(sample: Sample) -> None:
    kept = {row["id"]: row for row in sample("zgbk").outcome.kept.iter_rows(named=True)}
    dam = kept["zgbk-1"]["output"]
    assert "宝瓶口引水。\n\n## 意义\n\n" in dam
    honey = kept["zgbk-14"]["output"]
    assert "图2" not in honey
    assert honey.endswith("咨询编辑部请致电[座机号]。")
    assert "\n\n## 布局\n\n一般沿中轴线布置棂星门" in kept["zgbk-13"]["output"]
    assert "$F=ma$" in kept["zgbk-12"]["output"]
    (paper,) = (row for row in kept.values() if "造纸术" in row["instruction"])
    assert "工序" not in paper["output"]
    assert "某出版社" not in paper["output"]
