"""Traditional-culture quiz 传统文化: multiple choice with explanations.

Two raw shapes are read: a question a value of JSON, and a row of a table with a column an option,

    {"question": "……", "options": ["……", "……"], "answer": "B", "explanation": "……"}
    题目,A,B,C,D,答案,解析

The instruction is a line that asks for the choice and its reason; the input is the question with
its options; the output the explanation, which ends `故本题选B。`.

Shape: what the released records show; where the authors took the questions from is not published,
so both shapes are this project's choice.

This project's choices: the wordings, the column names that tables are read by, and that an
explanation which names another letter than the answer turns the question away.

Traps: quiz sites repeat one another, errors included; a letter that is no option, or that the
explanation contradicts, is common where options were shuffled after the explanation was written.
"""

from __future__ import annotations

import polars as pl

from cqia.cleaners.half_width import HalfWidth
from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.adverts import Adverts
from cqia.filters.context import MissingContext
from cqia.filters.length import Length, PromptLength
from cqia.filters.refusals import Refusals
from cqia.filters.shares import HanShare
from cqia.filters.status import Status
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source, fill
from cqia.sources.fields import blank, column, facts, fault
from cqia.sources.questions import LETTERS, lines, right, solved

TEMPLATES = (
    "请回答下面这道中国传统文化选择题，并说明理由。",
    "下面是一道关于传统文化的选择题，请选出正确答案并解释。",
    "请从给出的选项中选出正确的一项，并讲讲相关的传统文化知识。",
    "这道题考查传统文化常识，请作答并给出解析。",
    "请完成下面的国学常识题，写出答案和解析。",
)
END = "故本题选{}。"

TEXT = ("id", "question", "answer", "explanation", "analysis", "题目", "答案", "解析")
SCHEMA = pl.Struct(
    {
        **dict.fromkeys((*TEXT, *LETTERS), pl.String),
        "options": pl.List(pl.String),
    }
)


def read_questions(raw: pl.DataFrame) -> pl.DataFrame:
    """One record a question."""
    own = pl.col("options") if raw.schema.get("options") == pl.List(pl.String) else pl.lit(None)
    lettered = pl.concat_list(column(raw, letter, f"选项{letter}") for letter in LETTERS)
    asked = raw.select(
        "file",
        "row",
        key=column(raw, "id", "编号"),
        question=column(raw, "question", "题目").str.strip_chars(),
        options=pl.coalesce(own, lettered).list.drop_nulls(),
        answer=column(raw, "answer", "答案"),
        why=column(raw, "explanation", "analysis", "解析"),
    )
    return _records(asked.with_columns(letters=right(pl.col("answer"))))


def _records(asked: pl.DataFrame) -> pl.DataFrame:
    letters, question = pl.col("letters"), pl.col("question")
    last = pl.lit(pl.Series(list(LETTERS))).gather(
        (pl.col("options").list.len().cast(pl.Int64) - 1).clip(0, len(LETTERS) - 1)
    )
    told = pl.col("why").str.extract(
        r"(?:故|应|本题|答案)(?:本题|应)?[选为是]\s*([A-H]+)\s*[。.]?\s*$"
    )
    state = (
        pl.when(letters.str.tail(1) > last)
        .then(pl.lit("答案不在选项中"))
        .when(told != letters)
        .then(pl.lit("解析与答案不符"))
    )
    return asked.select(
        "file",
        "row",
        "key",
        instruction=fill(TEMPLATES, pl.coalesce("key", question, pl.lit("")), {}),
        input=pl.concat_str(question, lines(pl.col("options")), separator="\n"),
        output=solved(letters, pl.col("why"), END),
        metadata=facts({"状态": state}),
        fault=fault(
            {
                "no question here": blank(question),
                "the question has no options": pl.col("options").list.len().fill_null(0) < 2,
                "the answer is no letter": letters.is_null(),
            }
        ),
    )


TRAD_MULTI_CHOICE = Source(
    name="trad_multi_choice",
    family="chinese_traditional",
    type="exam",
    title="传统文化",
    origin="quizzes on traditional culture, from the web",
    licence="not stated",
    forms=(
        Form(kind="json", read=read_questions, schema=SCHEMA),
        Form(kind="csv", read=read_questions),
    ),
    templates=TEMPLATES,
    labels={
        "task_major": ["试题"],
        "task_minor": ["选择题"],
        "domain": ["传统文化"],
        "answer_from": "human",
    },
    steps=(
        Status(),
        HtmlToText(),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        WhiteSpace(),
        MaskPersonalData(),
        PromptLength(low=20, high=800),
        Length(field="output", low=15, high=1_500),
        HanShare(low=0.5),
        MissingContext(field="input"),
        Refusals(),
        Adverts(),
        Truncation(),
    ),
)
