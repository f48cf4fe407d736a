import datetime as dt
from collections.abc import Callable

import polars as pl

from cqia.sources.xhs import SCHEMA, TEMPLATES, read_notes, read_page, read_table
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]

LINE = (
    '{"note_id": "n1", "title": "甲", "desc": "乙 #丙[话题]# 丁", "type": "normal",'
    ' "time": 1688000000000, "liked_count": "1.5万", "comment_count": "88", "tag_list": "丙"}'
)


def notes(*lines: str) -> pl.DataFrame:
    raw = pl.Series("json", lines).str.json_decode(SCHEMA).to_frame().unnest("json")
    rows = pl.int_range(1, pl.len() + 1)
    return read_notes(raw.with_columns(file=pl.lit("f.jsonl"), row=rows))


def page(state: str) -> pl.DataFrame:
    html = f"<html><script>var a=1</script><script>window.__INITIAL_STATE__={state}</script></html>"
    return read_page(pl.DataFrame({"file": "f.jsonl", "row": 1, "html": html}))


def test_a_line_a_feed_a_table_and_a_page_read_alike() -> None:
    (line,) = notes(LINE).iter_rows(named=True)
    (feed,) = notes(
        '{"data": {"items": [{"id": "n1", "note_card": {"title": "甲", "desc": "乙 #丙[话题]# 丁",'
        ' "type": "normal", "time": 1688000000000, "tag_list": [{"name": "丙"}],'
        ' "interact_info": {"liked_count": "1.5万", "comment_count": "88"}}}]}}'
    ).iter_rows(named=True)
    row = pl.DataFrame({"file": "f.jsonl", "row": 1, "note_id": "n1", "title": "甲", "type": "normal",
                        "desc": "乙 #丙[话题]# 丁", "time": "1688000000000", "liked_count": "1.5万",
                        "comment_count": "88", "tag_list": "丙"})  # fmt: skip
    (table,) = read_table(row).iter_rows(named=True)
    (shown,) = page(
        '{"note":{"noteDetailMap":{"n1":{"note":{"noteId":"n1","title":"甲","desc":"乙 #丙[话题]# 丁",'
        '"type":"normal","time":1688000000000,"tagList":[{"name":"丙"}],"user":undefined,'
        '"interactInfo":{"likedCount":"1.5万","commentCount":"88"}}}}}}'
    ).iter_rows(named=True)
    assert line == feed == table == shown
    assert line["output"] == "乙 #丙  丁"
    assert (line["votes"], line["comments"], line["date"]) == (15_000, 88, dt.date(2023, 6, 29))
    assert line["metadata"] == "note_id:n1, tag:[丙]"


def test_undefined_inside_a_string_stays() -> None:
    made = page(
        '{"note":{"noteDetailMap":{"n":{"note":{"noteId":"n","title":"x","desc":"a undefined \\"b",'
        '"type":undefined}}}}}'
    )
    assert made["output"].item() == 'a undefined "b'


def test_a_page_without_a_readable_state_is_a_fault() -> None:
    for state in ("{broken", "undefined", '{"note": []}', '{"note":{"noteDetailMap":{}}}', "[1]"):
        assert page(state)["fault"].to_list() == ["no note here"]


def test_a_note_without_a_title_has_its_first_line_as_one() -> None:
    (asked,) = notes('{"note_id": "n", "title": "", "desc": "秋天来了！\\n真好"}')["instruction"]
    assert asked in {one.replace("{title}", "秋天来了") for one in TEMPLATES}


def test_a_video_is_marked() -> None:
    made = notes('{"note_id": "n", "title": "a", "desc": "b", "type": "video"}')
    assert made["metadata"].item() == "note_id:n, 状态:视频"


def test_every_template_is_used() -> None:
    lines = (f'{{"note_id": "n{n}", "title": "甲{n}乙", "desc": "丙"}}' for n in range(300))
    asked = notes(*lines)["instruction"].str.replace(r"甲\d+乙", "{title}")
    assert set(asked) == set(TEMPLATES)


def test_kept_records_are_clean(sample: Sample) -> None:
    kept = {row["id"]: row for row in sample("xhs").outcome.kept.iter_rows(named=True)}
    autumn = kept["xhs-64a00201"]["output"]
    assert "R]" not in autumn
    assert autumn.endswith("还要再去一次～ #秋天的第一次 #捡栗子")
    assert "晚上\n泡脚，水里放两片生姜" in kept["xhs-64a00202"]["output"]
    assert "[手机号]" in kept["xhs-64a00203"]["output"]
    assert kept["xhs-64a00204"]["output"].endswith("心里美滋滋的～…")
    assert "🏃\u200d♀️" in kept["xhs-64a00110"]["instruction"]
    assert "返回undefined的日子也会过去" in kept["xhs-64a00111"]["output"]
