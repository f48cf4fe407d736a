"""The five sources of examination questions that share `cqia.sources.questions`."""

from collections.abc import Callable

import polars as pl
import pytest

from cqia.sources.catalogue import SOURCES
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]


def items(source: str, *lines: str) -> pl.DataFrame:
    form = next(form for form in SOURCES[source].forms if form.kind == "json")
    assert form.schema
    raw = pl.Series("json", lines).str.json_decode(form.schema).to_frame().unnest("json")
    rows = pl.int_range(1, pl.len() + 1)
    return form.read(raw.with_columns(file=pl.lit("f.jsonl"), row=rows))


def table(source: str, rows: dict[str, list[str | None]]) -> pl.DataFrame:
    form = next(form for form in SOURCES[source].forms if form.kind == "csv")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(rows, pl.String))
    return form.read(frame.with_columns(file=pl.lit("f.csv"), row=pl.int_range(2, pl.len() + 2)))


def paper(source: str, text: str) -> pl.DataFrame:
    form = next(form for form in SOURCES[source].forms if form.kind == "text")
    return form.read(pl.DataFrame({"file": "f.md", "row": 1, "text": text}))


def test_an_exam_item_of_coig() -> None:
    (row,) = items(
        "coig_exam",
        '{"subject": "历史", "textbox_q_instruction": "", "textbox_q_context": "材料。",'
        ' "textbox_question": "问？\\nA. 甲\\nB. 乙", "textbox_answer": "B",'
        ' "textbox_answer_analysis": "因为乙。"}',
    ).iter_rows(named=True)
    assert row["instruction"].endswith("\n材料。")
    assert "历史单项选择题" in row["instruction"]
    assert row["input"] == "问？\nA. 甲\nB. 乙"
    assert row["output"] == "答案：B\n解析：因为乙。\n故本题选B。"
    assert (row["task_minor"], row["domain"]) == (["单项选择题", "中学考试"], ["历史"])


def test_a_missing_explanation_is_an_empty_list_or_nothing() -> None:
    made = items(
        "coig_exam",
        '{"textbox_question": "问？", "textbox_answer": ["甲"], "textbox_answer_analysis": []}',
        '{"textbox_question": "问？", "textbox_answer": "甲"}',
        '{"textbox_question": "问？", "textbox_answer": "", "textbox_answer_analysis": []}',
        '{"textbox_answer": "甲"}',
    )
    assert made["output"].to_list()[:2] == ["答案：甲"] * 2
    assert made["fault"].to_list() == [
        None,
        None,
        "the item has neither answer nor explanation",
        "the item has no question",
    ]


def test_a_question_of_kaoyan_as_json_and_as_markdown_reads_alike() -> None:
    (one,) = items(
        "kaoyan",
        '{"id": "2019-数学一-1", "year": 2019, "subject": "数学一", "type": "一、选择题", "score": 4,'
        ' "question": "问？", "options": ["甲", "乙"], "answer": "B", "analysis": "因为乙。"}',
    ).iter_rows(named=True)
    (two,) = paper(
        "kaoyan",
        "# 2019 年全国硕士研究生招生考试 数学（一）\n## 一、选择题\n1. 问？（4分）\nA. 甲\nB. 乙\n"
        "【答案】B\n【解析】因为乙。",
    ).iter_rows(named=True)
    assert {**one, "file": ""} == {**two, "file": ""}
    assert one["input"] == "问？\nA. 甲\nB. 乙"
    assert one["output"] == "答案：B\n因为乙。\n故本题选B。"
    assert one["metadata"] == "year:2019, score:4"


def test_a_paper_without_questions_is_a_fault() -> None:
    assert paper("kaoyan", "带好准考证。")["fault"].to_list() == ["no question here"]


def test_law_reads_json_and_tables_alike() -> None:
    (one,) = items(
        "law_gee",
        '{"id": "1", "year": "2015", "class": "法学", "type": "单项选择题", "question": "问？",'
        ' "options": ["甲", "乙"], "answer": "B", "analysis": "因为乙。"}',
    ).iter_rows(named=True)
    (two,) = table(
        "law_gee",
        {"编号": ["1"], "年份": ["2015"], "类别": ["法学"], "题型": ["单项选择题"], "题目": ["问？"],
         "选项A": ["甲"], "选项B": ["乙"], "选项C": [None], "答案": ["B"], "解析": ["因为乙。"]},
    ).iter_rows(named=True)  # fmt: skip
    assert {**one, "file": "", "row": 0} == {**two, "file": "", "row": 0}
    assert one["output"] == "因为乙。\n本题应选B。"
    assert one["metadata"] == "year:2015, 类别:法学"


def test_a_law_question_in_words_has_its_answer_as_output() -> None:
    (row,) = items(
        "law_gee", '{"type": "简答题", "question": "问？", "answer": "（1）甲；", "analysis": ""}'
    ).iter_rows(named=True)
    assert row["output"] == "（1）甲；"
    assert row["task_minor"] == ["简答题", "法律考研"]


@pytest.mark.parametrize("source", ["law_gee", "logi_qa", "trad_multi_choice"])
def test_a_letter_that_is_no_option_is_marked(source: str) -> None:
    (row,) = items(
        source, '{"question": "问？", "options": ["甲", "乙"], "answer": "C", "analysis": "因为。"}'
    ).iter_rows(named=True)
    assert "状态:答案不在选项中" in row["metadata"]


def test_an_explanation_against_its_answer_is_marked() -> None:
    made = items(
        "trad_multi_choice",
        '{"question": "问？", "options": ["甲", "乙"], "answer": "A", "explanation": "所以答案为B。"}',
        '{"question": "问？", "options": ["甲", "乙"], "answer": "A", "explanation": "故本题选A。"}',
        '{"question": "问？", "options": ["甲", "乙"], "answer": "甲", "explanation": "因为。"}',
    )
    assert made["metadata"].to_list()[:2] == ["状态:解析与答案不符", ""]
    assert made["fault"].to_list() == [None, None, "the answer is no letter"]


def test_logiqa_and_agieval_read_alike() -> None:
    one, two = items(
        "logi_qa",
        '{"id": "1", "context": "所有甲是乙。", "query": "可知", "options": ["甲", "乙"], "label": 1}',
        '{"id": "1", "passage": "所有甲是乙。", "question": "可知", "options": ["(A)甲", "(B)乙"],'
        ' "label": "B"}',
    ).iter_rows(named=True)
    assert {**one, "row": 0} == {**two, "row": 0}
    assert one["input"] == "所有甲是乙。\n可知\nA. 甲\nB. 乙"
    assert one["output"] == "乙\n故本题选B。"


def test_a_puzzle_is_asked_as_it_stands() -> None:
    (row,) = items(
        "logi_qa", '{"question": "谁？", "answer": "丙。", "analysis": "因为甲乙矛盾。"}'
    ).iter_rows(named=True)
    assert (row["instruction"], row["input"]) == ("谁？", "")
    assert row["output"] == "丙。\n因为甲乙矛盾。"


def test_kept_records_are_clean(sample: Sample) -> None:
    kaoyan = {row["id"]: row for row in sample("kaoyan").outcome.kept.iter_rows(named=True)}
    assert r"$-\frac{1}{x^2}$" in kaoyan["kaoyan-m11"]["output"]
    assert kaoyan["kaoyan-m12"]["input"].startswith(r"设 $a=2$，$b=3$，则 $a\times b=$")
    assert kaoyan["kaoyan-m13"]["input"].startswith("曲线 $y=x^2$ 在点 $(1,1)$ 处的切线方程")
    law = {row["id"]: row for row in sample("law_gee").outcome.kept.iter_rows(named=True)}
    assert law["law_gee-l17"]["input"] == "简述正当防卫的条件。"
    assert "身份证号[身份证号]，电话[手机号]" in law["law_gee-l18"]["input"]
    trad = {
        row["id"]: row for row in sample("trad_multi_choice").outcome.kept.iter_rows(named=True)
    }
    assert trad["trad_multi_choice-t21"]["output"].endswith("后人尊他为书圣。\n故本题选A。")
