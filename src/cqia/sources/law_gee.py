"""Law graduate entrance examination 法硕: questions with the reasoning that leads to the answer.

Three raw shapes are read: one question a value of JSON or a row of a table,

    {"year": "2015", "class": "非法学", "type": "单项选择题", "question": "……",
     "options": ["……", "……"], "answer": "C", "analysis": "……"}

where options are a list, or columns A, B, C, D; and a paper as one Markdown file, cut as the papers
of `kaoyan` are. The instruction names the examination and the kind of question, the input is the
question with its options, the output the reasoning, which ends `本题应选C`. Questions that are
answered in words (简答题, 论述题, 法条分析题, 分析题) have their reference answer as output.

Shape: what the released records show (year, 法学 or 非法学, the kinds, the closing sentence); how
the authors had the papers is not published, so the shapes are this project's reading of the matter.

This project's choices: the wordings, the column names that tables are read by, and all bounds.

Traps: the law changes: an answer right in its year may be wrong today, and the year is in the
metadata for that reason; a reference answer is a list of points with marks (2分); telephone numbers
and names in cases are invented by the examiners, and masked all the same.
"""

from __future__ import annotations

import polars as pl

from cqia.cleaners.half_width import HalfWidth
from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.rejoin_lines import RejoinLines
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.context import MissingContext
from cqia.filters.emptiness import NearEmpty
from cqia.filters.length import Length, PromptLength
from cqia.filters.refusals import Refusals
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.shares import HanShare
from cqia.filters.status import Status
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source, fill
from cqia.sources.fields import blank, column, facts, fault
from cqia.sources.kaoyan import cut
from cqia.sources.questions import LETTERS, kind, lines, right, solved

CHOICE = (
    "请回答下面这道法律硕士考研的{kind}，并说明理由。",
    "下面是一道法硕入学考试的{kind}，请选出答案并进行分析。",
    "请分析下面的法学{kind}，给出正确选项。",
    "这是法律硕士（{class}）考试中的一道{kind}，请作答并解析。",
)
OTHER = (
    "请回答下面这道法律硕士考研的{kind}。",
    "下面是一道法硕入学考试的{kind}，请作答。",
    "请完成这道法学{kind}，要点要全面。",
    "这是法律硕士（{class}）考试中的一道{kind}，请给出答案。",
)
END = "本题应选{}。"

TEXT = ("id", "year", "class", "type", "question", "answer", "analysis")
SCHEMA = pl.Struct(
    {
        **dict.fromkeys((*TEXT, "年份", "类别", "题型", "题目", "答案", "解析"), pl.String),
        **dict.fromkeys(LETTERS, pl.String),
        "options": pl.List(pl.String),
    }
)


def read_questions(raw: pl.DataFrame) -> pl.DataFrame:
    """One record a question of JSON or of a table."""
    own = pl.col("options") if raw.schema.get("options") == pl.List(pl.String) else pl.lit(None)
    lettered = pl.concat_list(column(raw, letter, f"选项{letter}") for letter in LETTERS)
    return _records(
        raw.select(
            "file",
            "row",
            key=column(raw, "id", "编号"),
            year=column(raw, "year", "年份"),
            law=column(raw, "class", "类别"),
            type=column(raw, "type", "题型"),
            question=column(raw, "question", "题目"),
            options=pl.coalesce(own, lettered),
            answer=column(raw, "answer", "答案"),
            analysis=column(raw, "analysis", "解析"),
        )
    )


def read_papers(raw: pl.DataFrame) -> pl.DataFrame:
    """One record a question of Markdown papers."""
    law = pl.col("title").str.extract(r"(非法学|法学)")
    return _records(cut(raw).with_columns(law=law))


def _records(asked: pl.DataFrame) -> pl.DataFrame:
    answer = pl.col("answer").fill_null("").str.strip_chars()
    letters = right(answer)
    options = lines(pl.col("options")).replace({"": None})
    question = pl.col("question").str.strip_chars()
    choice = letters.is_not_null() & options.is_not_null()
    seed = pl.coalesce("key", question, pl.lit(""))
    law = pl.col("law").fill_null("法学")
    named = {"kind": kind(pl.col("type"), letters), "class": law}
    why = solved(letters, pl.col("analysis"), END)
    only = pl.format(END, letters)
    words = pl.concat_str(answer, why, separator="\n").str.strip_chars()
    beyond = letters.str.tail(1) > pl.lit(pl.Series(list(LETTERS))).gather(
        (pl.col("options").list.drop_nulls().list.len().cast(pl.Int64) - 1).clip(0, 7)
    )
    state = pl.when(choice & beyond).then(pl.lit("答案不在选项中"))
    return asked.select(
        "file",
        "row",
        "key",
        instruction=pl.when(choice)
        .then(fill(CHOICE, seed, named))
        .otherwise(fill(OTHER, seed, named)),
        input=pl.concat_str(question, options, separator="\n", ignore_nulls=True),
        output=pl.when(choice & (why != "")).then(why).when(choice).then(only).otherwise(words),
        task_minor=pl.concat_list(named["kind"], pl.lit("法律考研")),
        metadata=facts({"year": pl.col("year"), "类别": pl.col("law"), "状态": state}),
        fault=fault(
            {
                "no question here": blank(question),
                "the question has neither answer nor explanation": (answer == "") & (why == ""),
            }
        ),
    )


LAW_GEE = Source(
    name="law_gee",
    family="exam",
    type="exam",
    title="法硕",
    origin="papers of the law masters' entrance examination, from the web",
    licence="not stated",
    forms=(
        Form(kind="json", read=read_questions, schema=SCHEMA),
        Form(kind="csv", read=read_questions),
        Form(kind="text", read=read_papers),
    ),
    templates=CHOICE + OTHER,
    labels={"task_major": ["试题"], "domain": ["法律"], "answer_from": "human"},
    steps=(
        Status(),
        HtmlToText(),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        WhiteSpace(unspace_han=True),
        RejoinLines(),
        MaskPersonalData(),
        NearEmpty(field="output"),
        PromptLength(low=20, high=4_000),
        Length(field="output", low=15, high=6_000),
        HanShare(),
        MissingContext(field="input"),
        MissingContext(field="output"),
        Refusals(),
        LineRepetition(),
        NgramRepetition(),
        Truncation(),
    ),
)
"""No list of sensitive words: crimes are what the questions are about."""
