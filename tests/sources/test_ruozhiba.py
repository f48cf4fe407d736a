import datetime as dt
from collections.abc import Callable

import polars as pl

from cqia.sources.ruozhiba import SCHEMA, read_board, read_threads
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]


def threads(*lines: str) -> pl.DataFrame:
    raw = pl.Series("json", lines).str.json_decode(SCHEMA)
    rows = pl.int_range(1, pl.len() + 1)
    return read_threads(
        raw.to_frame().unnest("json").with_columns(file=pl.lit("f.jsonl"), row=rows)
    )


def test_a_thread_list_and_a_bare_thread_are_read_alike() -> None:
    thread = (
        '{"id": 5, "title": "为什么？", "reply_num": 3, "agree": {"agree_num": "9"},'
        ' "create_time": 1600012800}'
    )
    listed, bare = threads('{"thread_list": [' + thread + "]}", thread).rows(named=True)
    assert {**listed, "row": 0} == {**bare, "row": 0}
    assert (bare["key"], bare["votes"], bare["comments"]) == ("5", 9, 3)
    assert bare["output"] == ""
    assert bare["answer_from"] == "llm"


def test_the_date_is_the_date_in_beijing() -> None:
    late = threads('{"id": 5, "title": "？", "create_time": 1600012799}')
    assert late["date"].item() == dt.date(2020, 9, 13)
    midnight = threads('{"id": 5, "title": "？", "create_time": 1600012800}')
    assert midnight["date"].item() == dt.date(2020, 9, 14)


def test_a_persons_answer_is_kept_and_named() -> None:
    made = threads('{"id": "rz-1", "question": "一加一？", "human_answer": "二。"}')
    assert made.select("instruction", "output", "answer_from").row(0) == (
        "一加一？",
        "二。",
        "human",
    )


def test_what_is_no_thread_is_a_fault() -> None:
    made = threads("{}", '{"thread_list": []}', '{"id": 3, "title": "  "}')
    assert made["fault"].to_list() == ["no thread with a title here"] * 3
    assert made["row"].to_list() == [1, 2, 3]


def board(html: str) -> pl.DataFrame:
    return read_board(pl.DataFrame({"file": ["b.html"], "row": [1], "html": [html]}))


ITEM = (
    '<li class=" j_thread_list clearfix" data-field="{field}" data-tid="8">'
    '<span class="threadlist_rep_num">12</span>'
    '<a class="j_th_tit " title="A &amp; B？">A…</a></li>'
)


def test_a_board_in_a_comment_is_read() -> None:
    item = ITEM.format(field="{&quot;id&quot;:8,&quot;reply_num&quot;:12,&quot;is_top&quot;:true}")
    plain = board(f"<ul>{item}</ul>")
    hidden = board(f'<code id="x"><!--<ul>{item}</ul>--></code>')
    assert hidden.equals(plain)
    assert plain.select("key", "instruction", "comments", "votes", "metadata").row(0) == (
        *("8", "A & B？", 12, None),
        "tid:8, 状态:置顶",
    )


def test_a_broken_data_field_loses_nothing_that_the_page_shows() -> None:
    made = board(f"<ul>{ITEM.format(field='{broken')}</ul>")
    assert made.select("key", "instruction", "comments").row(0) == ("8", "A & B？", 12)


def test_a_page_without_threads_is_a_fault() -> None:
    assert board("<p>请输入验证码</p>")["fault"].to_list() == ["no thread with a title here"]


def test_the_titles_are_cleaned(sample: Sample) -> None:
    kept = set(sample("ruozhiba").outcome.kept["instruction"])
    assert "丢手机的请打[手机号]，捡到的人怎么会知道手机是谁的？" in kept
    assert "地球自转一圈是一天，那我原地转一圈算不算过了一天？" in kept
    assert "用100度的开水洗澡，是不是能洗得更干净？" in kept
    assert "外卖员送餐超时要扣钱，那他提前送到，我是不是该倒找他时间？" in kept
