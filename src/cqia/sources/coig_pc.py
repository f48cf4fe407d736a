"""COIG-PC-core: about a thousand Chinese NLP tasks in one form, and a choice among them.

    {"instruction": "……", "input": "……", "output": "……", "split": "train",
     "task_name_in_eng": "entity_extraction",
     "task_type": {"major": ["信息抽取"], "minor": ["实体抽取"]},
     "domain": ["新闻"], "other": "……", "filename": "00012-001-….json"}

The task's text stays in `input`. The paper's authors chose some 200 of the tasks by hand and
sampled among them. Here a table says which kinds of tasks are taken and what the release calls
them; items of other kinds, and of other splits than `train`, are marked and turned away by the
filter `Status`. Sampling is the business of `assemble`: the task's name is in the metadata
(`task:…`), and a take with `stratify = "task"` and a `temperature` keeps a few huge tasks from
drowning the rest.

Shape: the fields are those of the dataset's card; which tasks the authors took is not published.

This project's choices: the table of kinds, that only the training split is read, and all bounds.

Traps: a task of a few hundred thousand rows stands beside one of fifty; outputs of classification
tasks are one word, and some are a bare number whose meaning stands in the instruction; the same
sentence serves several tasks; the dataset's gate asks for non-commercial use.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.adverts import Adverts
from cqia.filters.echo import SameAsInstruction
from cqia.filters.emptiness import NearEmpty
from cqia.filters.length import Length, PromptLength
from cqia.filters.refusals import Refusals
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.shares import HanShare
from cqia.filters.status import Status
from cqia.recipe import Step
from cqia.sources.base import Form, Source
from cqia.sources.fields import blank, facts, fault

TASKS = {
    "命名实体识别": ("信息抽取", "实体抽取"),
    "实体识别": ("信息抽取", "实体抽取"),
    "实体抽取": ("信息抽取", "实体抽取"),
    "信息抽取": ("信息抽取", "信息抽取"),
    "关系抽取": ("信息抽取", "信息抽取"),
    "关键词抽取": ("信息抽取", "信息抽取"),
    "事件抽取": ("信息抽取", "信息抽取"),
    "论元抽取": ("信息抽取", "论元抽取"),
    "论元角色分类": ("信息抽取", "论元角色分类"),
    "事件类型分类": ("信息抽取", "事件类型分类"),
    "信息检索": ("信息抽取", "信息检索"),
    "文本分类": ("分类", "分类"),
    "情感分析": ("分类", "分类"),
    "情感分类": ("分类", "分类"),
    "主题分类": ("分类", "分类"),
    "分类": ("分类", "分类"),
    "意图识别": ("意图检测", "意图检测"),
    "意图检测": ("意图检测", "意图检测"),
    "语义分析": ("语义分析", "语义分析"),
    "语义相关性": ("语义分析", "语义相关性"),
    "文本相似度": ("语义分析", "语义相关性"),
    "语义匹配": ("语义分析", "语义相关性"),
    "词分割": ("语义分析", "词分割"),
    "分词": ("语义分析", "词分割"),
    "自然语言推理": ("自然语言推理", "语义相关性"),
    "摘要": ("摘要", "摘要"),
    "文本摘要": ("摘要", "摘要"),
    "标题生成": ("摘要", "标题生成"),
    "文本风格迁移": ("文本风格迁移", "语义分析"),
    "阅读理解": ("问答", "问答"),
    "机器阅读理解": ("问答", "问答"),
    "问答": ("问答", "问答"),
    "知识问答": ("知识问答", "知识问答"),
    "合同": ("信息抽取", "合同"),
}
"""A kind of task that is taken -> the release's major and minor label. The narrow kind is looked up
first, then the broad one. Translation, generation without a source, mathematics and code are not
taken: the paper counts them among other sources or not at all."""

TEXT = ("instruction", "input", "output", "split", "task_name_in_eng", "filename", "other")
SCHEMA = pl.Struct(
    {
        **dict.fromkeys(TEXT, pl.String),
        "task_type": pl.Struct({"major": pl.List(pl.String), "minor": pl.List(pl.String)}),
        "domain": pl.List(pl.String),
    }
)

FINANCE = r"金融|财经|证券|银行|保险|股票|基金|经济"
"""Domains that belong to the source `finance_coig_pc`."""


def reader(*, finance: bool) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """A reader of the dataset: of its finance tasks, or of all the others."""

    def read(raw: pl.DataFrame) -> pl.DataFrame:
        broad, narrow = (pl.col("task_type").struct.field(name) for name in ("major", "minor"))
        kinds = pl.concat_list(narrow.fill_null([]), broad.fill_null([])).list.eval(
            pl.element().filter(pl.element().is_in(list(TASKS)))
        )
        kind = kinds.list.first()
        places = pl.coalesce("domain", pl.lit([], pl.List(pl.String)))
        money = places.list.join(" ").str.contains(FINANCE)
        state = (
            pl.when(pl.col("split").fill_null("train") != "train")
            .then(pl.lit("不是训练集"))
            .when(money != finance)
            .then(pl.lit("别的领域"))
            .when(kind.is_null())
            .then(pl.lit("未选任务"))
        )
        major, minor = (
            kind.replace_strict(
                {name: labels[place] for name, labels in TASKS.items()},
                default=None,
                return_dtype=pl.String,
            )
            for place in (0, 1)
        )
        return raw.select(
            "file",
            "row",
            key=pl.lit(None, pl.String),
            instruction=pl.col("instruction").str.strip_chars(),
            input=pl.col("input").fill_null(""),
            output=pl.col("output").fill_null(""),
            task_major=pl.concat_list(major).list.drop_nulls(),
            task_minor=pl.concat_list(minor).list.drop_nulls(),
            domain=places,
            metadata=facts(
                {
                    "task": pl.col("task_name_in_eng").str.replace_all(",", " "),
                    "file": pl.col("filename"),
                    "状态": state,
                }
            ),
            fault=fault({"the item has no instruction": blank(pl.col("instruction"))}),
        )

    return read


STEPS: tuple[Step, ...] = (
    Status(),
    HtmlToText(),
    RepairUnicode(),
    Simplify(),
    WhiteSpace(),
    MaskPersonalData(),
    NearEmpty(field="output"),
    PromptLength(low=10, high=3_000),
    Length(field="output", low=1, high=2_000),
    HanShare(field="instruction", low=0.3),
    SameAsInstruction(),
    Refusals(),
    Adverts(),
    LineRepetition(),
    NgramRepetition(),
)
"""The recipe of both sources. No bound on short outputs: a class is one word. No test for truncated
outputs: labels and entities end without a mark."""

COIG_PC = Source(
    name="coig_pc",
    family="coig_pc",
    type="nlp",
    title="COIG-PC-core",
    origin="https://huggingface.co/datasets/BAAI/COIG-PC-core",
    licence="each task has its own; the dataset's gate asks for non-commercial use",
    forms=(Form(kind="json", read=reader(finance=False), schema=SCHEMA),),
    answers=None,
    labels={"answer_from": "human", "human_verified": True},
    steps=STEPS,
)
"""All answers to one instruction are kept: the instruction names the task, the input differs."""
