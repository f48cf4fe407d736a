from collections.abc import Callable

import orjson
import polars as pl
import pytest

from cqia.sources.gaokao_bench import GAOKAO_BENCH, SCHEMA, read_papers
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]


def papers(name: str | None, *questions: dict[str, object]) -> pl.DataFrame:
    text = orjson.dumps({"keywords": name, "example": questions}).decode()
    raw = pl.Series("json", [text]).str.json_decode(SCHEMA)
    return read_papers(
        raw.to_frame().unnest("json").with_columns(file=pl.lit("f.json"), row=pl.lit(1))
    )


def question(**change: object) -> dict[str, object]:
    return {
        "year": "2016",
        "question": "1．（ 6分）正确的是（ ） \nA．甲\nB．乙\n",
        "answer": ["A"],
        "analysis": "解： 甲对。\n故选： A。\n",
        "index": 0,
        "score": 6,
    } | change


def test_a_choice_is_read() -> None:
    made = papers("2016_Biology_MCQs", question()).row(0, named=True)
    assert made["key"] == "2016_Biology_MCQs-0"
    assert made["input"] == "正确的是（ ） \nA．甲\nB．乙\n"
    assert made["output"] == "答案：A\n解析：甲对。\n故选： A。"
    assert made["metadata"] == "year:2016, score:6"
    assert made["task_minor"] == ["单项选择题", "中学考试"]
    assert made["domain"] == ["生物"]
    assert "生物单项选择题" in made["instruction"]


def test_an_explanation_that_names_no_choice_gets_one() -> None:
    made = papers("2016_Biology_MCQs", question(analysis="甲对乙错。【点评】\n"))
    assert made["output"].item() == "答案：A\n解析：甲对乙错。\n故本题选A。"


@pytest.mark.parametrize(
    ("name", "answer", "kind"),
    [
        ("2010_Physics_MCQs", ["BC"], "多项选择题"),
        ("2010_Geography_MCQs", ["B", "C"], "选择题"),
        ("2010_Math_I_Fill-in-the-Blank", "3", "填空题"),
        ("2010_History_Open-ended_Questions", "（1）略", "简答题"),
        (None, "略", "简答题"),
    ],
)
def test_the_type_of_question(name: str | None, answer: object, kind: str) -> None:
    assert papers(name, question(answer=answer))["task_minor"].item()[0] == kind


def test_a_passage_goes_to_the_instruction() -> None:
    text = "阅读材料，完成第 1～2 题。\n" + "很久以前有一条大河。" * 4
    asked = "1．（4分）河在哪里\nA．东\nB．西\n2．（4分）河有多长\nA．长\nB．短\n"
    made = papers("2010_Geography_MCQs", question(question=f"{text}\n{asked}", answer=["A", "B"]))
    assert made["instruction"].item().endswith(text + "\n")
    assert made["input"].item() == asked


def test_a_number_with_a_point_starts_no_question() -> None:
    text = "材料一 " + "某地的产量逐年增加。" * 4 + "\n1.5 万吨是去年的产量。说明原因。"
    assert papers("2010_Geography_MCQs", question(question=text))["input"].item() == text


def test_gaps_in_english_stay_blanks() -> None:
    made = papers(
        "2010_English_MCQs", question(question="21. I        my  homework .\nA. do  B. did")
    )
    assert made["input"].item() == "I ____ my homework .\nA. do B. did"


def test_a_picture_in_the_question_is_marked() -> None:
    made = papers("2016_Biology_MCQs", question(question="看图。\n![](https://x.example/1.png)"))
    assert made["metadata"].item().endswith("状态:缺图")


def test_missing_parts() -> None:
    made = papers(
        "2016_Biology_MCQs",
        question(question=None),
        question(question=" "),
        question(answer=None, analysis=None),
    )
    assert made["fault"].to_list() == ["no question here", "no question here", None]
    assert made["output"].to_list()[2] == ""


def test_a_document_without_questions_is_a_fault() -> None:
    assert papers("x")["fault"].to_list() == ["no question here"]


def test_the_papers_are_mended(sample: Sample) -> None:
    kept = {row["id"]: row for row in sample("gaokao_bench").outcome.kept.iter_rows(named=True)}
    mended = kept["gaokao_bench-2015-2020_Biology_MCQs-1"]
    assert mended["input"].startswith(
        "夏季大棚里种菜，农民常在夜间打开棚门降温，这样做的主要目的是"
    )
    assert mended["output"].endswith("有利于增产。\n故本题选B。")
    latex = kept["gaokao_bench-2015-2020_Math_I_Fill-in-the-Blank-2"]["output"]
    assert latex.startswith("答案：$\\frac{2}{5}$\n解析：")
    masked = kept["gaokao_bench-2014-2020_Geography_Open-ended_Questions-4"]["input"]
    assert masked.startswith("有疑问请拨打考务电话 [座机号] 或手机 [手机号] 联系。")


def test_english_papers_survive(sample: Sample) -> None:
    kept = sample("gaokao_bench").outcome.kept
    assert kept.filter(pl.col("domain").list.contains("英语")).height == 4
    assert not any(step.key.startswith("HanShare") for step in GAOKAO_BENCH.steps)
