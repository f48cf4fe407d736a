r"""Middle-school and college entrance examinations 中考 高考: COIG's exam_instructions.jsonl.

    {"subject": "历史", "textbox_q_instruction": "请回答下面的选择题。",
     "textbox_q_context": "材料一……", "textbox_question": "……\nA．……\nB．……",
     "textbox_answer": "B", "textbox_answer_analysis": "……"}

The instruction is the item's own line on the type of question, or one of the wordings where it has
none, and the passage under it; the input is the question with its options; the output the answer
and the explanation, `故本题选B。` at its end where it does not say so itself.

Shape: field names as public loaders of the file use them; a missing explanation is an empty list
there, read here as none. The texts come out of PDF files.

This project's choices: the wordings, all bounds, and that English papers go (the paper's record
source has history, politics, Chinese, biology and geography).

Traps: a third of the release's rows carry no-break and ideographic spaces; pictures are gone and
only some questions say so; an answer may be the letters alone, without an explanation; the same
questions stand in GAOKAO-Bench and AGIEval, so look for them with `[[contamination]]`.
"""

from __future__ import annotations

import polars as pl

from cqia.cleaners.half_width import HalfWidth
from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.rejoin_lines import RejoinLines
from cqia.cleaners.repair_latex import RepairLatex
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.context import MissingContext
from cqia.filters.emptiness import NearEmpty
from cqia.filters.length import Length, PromptLength
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.status import Status
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source, fill
from cqia.sources.fields import blank, facts, fault
from cqia.sources.questions import kind, right, solved

TEMPLATES = (
    "请完成下面的{subject}{kind}，给出答案并说明理由。",
    "下面是一道{subject}{kind}，请作答并解析。",
    "请回答下面的{subject}{kind}，写出你的思路。",
    "阅读下面的{subject}{kind}，给出答案，并作出解释。",
)
END = "故本题选{}。"

ONE = ("subject", "textbox_q_instruction", "textbox_question")
MANY = ("textbox_q_context", "textbox_answer", "textbox_answer_analysis")
"""Fields that are a text, or a list of texts, which is empty where there is none."""
SCHEMA = pl.Struct({**dict.fromkeys(ONE, pl.String), **dict.fromkeys(MANY, pl.List(pl.String))})

OTHER = ("英语", "English")
"""Subjects whose papers are not in Chinese."""
PICTURE = r"!\[[^\]]*\]\(|<img\b|\[(?:图片|image)\]"


def read_questions(raw: pl.DataFrame) -> pl.DataFrame:
    """One record a question."""
    passage, answer, why = (pl.col(name).list.join("\n").fill_null("") for name in MANY)
    answer = answer.str.strip_chars()
    question = pl.col("textbox_question").str.strip_chars()
    asked = pl.col("textbox_q_instruction").fill_null("").str.strip_chars()
    letters = right(answer)
    named = {"subject": pl.col("subject").fill_null(""), "kind": pl.col("is")}
    seed = pl.coalesce(question, pl.lit(""))
    state = (
        pl.when(pl.col("subject").is_in(OTHER))
        .then(pl.lit("外语试题"))
        .when(pl.concat_str(question, passage, ignore_nulls=True).str.contains(PICTURE))
        .then(pl.lit("缺图"))
    )
    explained = solved(letters, why, END)
    return raw.with_columns(**{"is": kind(asked, letters)}).select(
        "file",
        "row",
        key=pl.lit(None, pl.String),
        instruction=pl.concat_str(
            pl.when(asked != "").then(asked).otherwise(fill(TEMPLATES, seed, named)),
            pl.when(~blank(passage)).then(passage),
            separator="\n",
            ignore_nulls=True,
        ),
        input=question,
        output=pl.concat_str(
            pl.when(answer != "").then(pl.format("答案：{}", pl.coalesce(letters, answer))),
            pl.when(explained != "").then(pl.format("解析：{}", explained)),
            separator="\n",
            ignore_nulls=True,
        ),
        task_minor=pl.concat_list("is", pl.lit("中学考试")),
        domain=pl.concat_list("subject").list.drop_nulls(),
        metadata=facts({"状态": state}),
        fault=fault(
            {
                "the item has no question": blank(question),
                "the item has neither answer nor explanation": (answer == "") & blank(why),
            }
        ),
    )


COIG_EXAM = Source(
    name="coig_exam",
    family="exam",
    type="exam",
    title="中考 高考",
    origin="https://huggingface.co/datasets/BAAI/COIG",
    licence="Apache-2.0 as the dataset states; the papers' own rights are not stated",
    forms=(Form(kind="json", read=read_questions, schema=SCHEMA),),
    templates=TEMPLATES,
    labels={"task_major": ["试题"], "answer_from": "human"},
    steps=(
        Status(),
        HtmlToText(),
        RepairLatex(),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        WhiteSpace(unspace_han=True),
        RejoinLines(),
        MaskPersonalData(),
        NearEmpty(field="output"),
        PromptLength(low=20, high=6_000),
        Length(field="output", low=20, high=6_000),
        MissingContext(field="instruction"),
        MissingContext(field="input"),
        MissingContext(field="output"),
        LineRepetition(),
        NgramRepetition(),
        Truncation(),
    ),
)
"""No list of sensitive words: history and politics papers name wars and crimes as their matter."""
