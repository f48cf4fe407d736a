"""The sources that are parts of public instruction collections: COIG-PC, COIG, 100PoisonMpts."""

from collections.abc import Callable

import polars as pl
import pytest

from cqia.sources.catalogue import SOURCES
from cqia.sources.coig_pc import TASKS
from cqia.vocabulary import MAJOR, MINOR
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]


def items(source: str, *lines: str) -> pl.DataFrame:
    (form,) = SOURCES[source].forms
    assert form.schema
    raw = pl.Series("json", lines).str.json_decode(form.schema).to_frame().unnest("json")
    rows = pl.int_range(1, pl.len() + 1)
    return form.read(raw.with_columns(file=pl.lit("f.jsonl"), row=rows))


TASK = (
    '{{"instruction": "抽取。", "input": "文", "output": "甲", "split": "{split}", "domain": {domain},'
    ' "task_name_in_eng": "ner, zh", "task_type": {{"major": ["{major}"], "minor": {minor}}}}}'
)


def task(
    split: str = "train", domain: str = '["新闻"]', major: str = "信息抽取", minor: str = "[]"
) -> str:
    return TASK.format(split=split, domain=domain, major=major, minor=minor)


@pytest.mark.parametrize(
    ("item", "metadata"),
    [
        (task(), "task:ner  zh"),
        (task(split="test"), "task:ner  zh, 状态:不是训练集"),
        (task(domain='["金融"]'), "task:ner  zh, 状态:别的领域"),
        (task(major="机器翻译"), "task:ner  zh, 状态:未选任务"),
        (task(major="别的", minor='["命名实体识别"]'), "task:ner  zh"),
        (task(domain="null"), "task:ner  zh"),
    ],
)
def test_what_is_not_chosen_is_marked(item: str, metadata: str) -> None:
    assert items("coig_pc", item)["metadata"].item() == metadata


def test_the_narrow_kind_decides_the_labels() -> None:
    (row,) = items("coig_pc", task(major="信息抽取", minor='["命名实体识别"]')).iter_rows(
        named=True
    )
    assert (row["task_major"], row["task_minor"]) == (["信息抽取"], ["实体抽取"])
    assert (row["instruction"], row["input"], row["output"]) == ("抽取。", "文", "甲")


def test_finance_takes_what_coig_pc_leaves() -> None:
    lines = (task(), task(domain='["金融"]'), task(domain='["保险", "客服"]'))
    left = items("coig_pc", *lines)["metadata"].str.contains("别的领域").to_list()
    taken = items("finance_coig_pc", *lines)["metadata"].str.contains("别的领域").to_list()
    assert left == [not one for one in taken] == [False, True, True]


def test_the_table_of_tasks_knows_only_the_releases_words() -> None:
    assert {major for major, _ in TASKS.values()} <= set(MAJOR)
    assert {minor for _, minor in TASKS.values()} <= set(MINOR)


def test_a_question_of_human_value() -> None:
    made = items(
        "coig_human_value_multi_choice",
        '{"textbox_q_instruction": "选择题", "textbox_q_context": "情境。", "textbox_question": "问？",'
        ' "textbox_answer": "B", "textbox_answer_analysis": "因为乙。"}',
        '{"textbox_q_instruction": "请作答并说明。", "textbox_question": "问？", "textbox_answer": "甲"}',
        '{"instruction": "说说。", "output": "好。"}',
        "{}",
    )
    assert made["input"].to_list()[:2] == ["情境。\n问？", "问？"]
    assert made["output"].to_list() == ["因为乙。\n故本题选B。", "", "好。", ""]
    assert made["instruction"][1] == "请作答并说明。"
    states = ["", "状态:没有选项", "状态:不是选择题"]
    assert made["metadata"].to_list()[:3] == states
    assert made["fault"].to_list() == [None, None, None, "the item has no question"]


def test_who_wrote_an_answer_is_kept() -> None:
    made = items(
        "100poison",
        '{"prompt": "甲？", "answer": "乙。", "answer_source": "expert", "domain_zh": "心理学"}',
        '{"prompt": "甲？", "answer": "丙。", "answer_source": "ChatPLUG"}',
        '{"prompt": "甲？", "answer": "丁。"}',
        '{"prompt": "甲？"}',
    )
    assert made["answer_from"].to_list() == ["expert", "llm", "llm", "llm"]
    assert made["domain"].to_list()[:2] == [["心理学"], []]
    assert made["question"].to_list() == ["甲？"] * 4
    assert made["fault"].to_list() == [None, None, None, "the item has no answer"]


def test_several_answers_to_one_question_are_kept(sample: Sample) -> None:
    kept = sample("100poison").outcome.kept
    assert SOURCES["100poison"].answers is None
    assert kept.filter(pl.col("question").str.starts_with("别人打了我")).height == 2


def test_kept_records_are_clean(sample: Sample) -> None:
    kept = sample("coig_pc").outcome.kept
    (notice,) = kept.filter(pl.col("input").str.contains("停水")).iter_rows(named=True)
    assert notice["input"].endswith("物业电话[手机号]。")
    assert "&nbsp;" not in notice["input"]
    finance = sample("finance_coig_pc").outcome.kept["input"]
    assert "text: <东篱茶业与南山物流签署合作协议。>" in finance.to_list()
