"""COIG human value 人类价值观: multiple choice on values, with explanations, out of COIG.

Two raw shapes of COIG's `human_value_alignment_instructions` files are read. Multiple choice:

    {"textbox_q_instruction": "选择题", "textbox_q_context": "", "textbox_question": "……A. ……",
     "textbox_answer": "B", "textbox_answer_analysis": "……"}

whose instruction is the item's own line or one of the wordings, input the question, and output the
explanation, which ends `故本题选B。`; and instructions in the common form,

    {"instruction": "……", "input": "", "output": "……"}

which are no multiple choice and are turned away by the filter `Status`: the paper's row holds the
multiple-choice part only.

Shape: field names as public loaders of the files use them; not checked against the files.

This project's choices: the wordings and all bounds.

Traps: the explanations were drafted by a model and then reviewed; a question may have more than one
defensible answer, and the letter is what reviewers agreed on; values differ between regions and
years, so look at the records before you train on them.
"""

from __future__ import annotations

import polars as pl

from cqia.cleaners.half_width import HalfWidth
from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.context import MissingContext
from cqia.filters.length import Length, PromptLength
from cqia.filters.refusals import Refusals
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.shares import HanShare
from cqia.filters.status import Status
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source, fill
from cqia.sources.coig_exam import MANY, ONE
from cqia.sources.fields import blank, facts, fault
from cqia.sources.questions import right, solved

TEMPLATES = (
    "请回答下面的选择题，并说明理由。",
    "请选出你认为最恰当的一项，并解释原因。",
    "阅读下面的情境，选择合适的做法，并给出解释。",
    "下面是一道关于价值判断的选择题，请作答并说明你的看法。",
)
END = "故本题选{}。"

SCHEMA = pl.Struct(
    {
        **dict.fromkeys((*ONE, "instruction", "input", "output"), pl.String),
        **dict.fromkeys(MANY, pl.List(pl.String)),
    }
)


def read_choices(raw: pl.DataFrame) -> pl.DataFrame:
    """One record an item."""
    context, answer, why = (pl.col(name).list.join("\n").fill_null("") for name in MANY)
    question = pl.concat_str(
        pl.when(~blank(context)).then(context),
        "textbox_question",
        separator="\n",
        ignore_nulls=True,
    ).str.strip_chars()
    letters = right(answer)
    plain = blank(pl.col("textbox_question")) & ~blank(pl.col("instruction"))
    asked = pl.col("textbox_q_instruction").fill_null("").str.strip_chars()
    state = (
        pl.when(plain).then(pl.lit("不是选择题")).when(letters.is_null()).then(pl.lit("没有选项"))
    )
    own = pl.when(asked.str.len_chars() >= 6).then(asked)
    wording = pl.coalesce(own, fill(TEMPLATES, pl.coalesce(question, pl.lit("")), {}))
    return raw.select(
        "file",
        "row",
        key=pl.lit(None, pl.String),
        instruction=pl.when(plain).then("instruction").otherwise(wording),
        input=pl.when(plain).then(pl.col("input").fill_null("")).otherwise(question),
        output=pl.when(plain)
        .then(pl.col("output").fill_null(""))
        .otherwise(solved(letters, why, END)),
        metadata=facts({"状态": state}),
        fault=fault({"the item has no question": ~plain & blank(pl.col("textbox_question"))}),
    )


COIG_HUMAN_VALUE = Source(
    name="coig_human_value_multi_choice",
    family="human_value",
    type="nlp",
    title="COIG 人类价值观",
    origin="https://huggingface.co/datasets/BAAI/COIG",
    licence="Apache-2.0 as the dataset states",
    forms=(Form(kind="json", read=read_choices, schema=SCHEMA),),
    templates=TEMPLATES,
    labels={
        "task_major": ["问答"],
        "task_minor": ["选择题"],
        "domain": ["人类价值观"],
        "answer_from": "llm",
        "human_verified": True,
    },
    steps=(
        Status(),
        HtmlToText(),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        WhiteSpace(),
        MaskPersonalData(),
        PromptLength(low=20, high=1_500),
        Length(field="output", low=20, high=2_000),
        HanShare(low=0.5),
        MissingContext(field="input"),
        Refusals(),
        LineRepetition(),
        NgramRepetition(),
        Truncation(),
    ),
)
"""No list of sensitive words: what is right and wrong is what the questions are about."""
