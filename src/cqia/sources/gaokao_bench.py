r"""College entrance examination 高考: questions with their answers and explanations.

The raw shape is that of the public collection GAOKAO-Bench, one document a subject and a type of
question; the answers of multiple-choice questions are a list, all others a text:

    {"keywords": "2010-2022_Biology_MCQs", "example": [{"year": "2010", "category": "（新课标）",
     "question": "1．（ 6分）下列……的是（ 　　） \nA．……\nB．……", "answer": ["D"],
     "analysis": "解： A、……\n故选： D。\n", "index": 0, "score": 6}]}

The instruction is a line that says what type of question it is, and the passage where the question
has one; the input is the question with its options; the output the answer and the explanation. The
text comes out of PDF files: lines broken in the middle of a sentence, and spaces between Han
characters, are mended by the recipe.

Shape: read off the collection's own files, all 32 of them.

This project's choices: the wordings, what counts as a passage, and that the output starts with
`答案：` and ends, where the explanation does not say so itself, with `故本题选X。`.

Traps: pictures are gone from the text, and only some questions say that there was one; the same
question stands in papers of several regions; AGIEval's Gaokao part is drawn from the same papers,
so a model trained on these has seen the benchmark: look for it with `[[contamination]]`.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from polars.datatypes import DataTypeClass

from cqia.cleaners.half_width import HalfWidth
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

SUBJECTS = {
    "Biology": "生物",
    "Chemistry": "化学",
    "Chinese": "语文",
    "English": "英语",
    "Geography": "地理",
    "History": "历史",
    "Math": "数学",
    "Physics": "物理",
    "Political": "政治",
}
"""A word of the document's name -> the subject."""

CHOICE = (
    "请完成下面的{subject}{kind}，给出答案并说明理由。",
    "下面是{subject}{kind}，请选出答案并解析。",
    "请回答下面的{subject}{kind}，并写出解题思路。",
    "阅读下面的{subject}{kind}，选择答案，并作出解释。",
)
OTHER = (
    "请完成下面的{subject}{kind}。",
    "下面是{subject}{kind}，请作答。",
    "请解答下面的{subject}{kind}，并给出解析。",
    "请回答下面的{subject}{kind}，说明你的思路。",
)

QUESTION: Mapping[str, DataTypeClass | pl.DataType] = {
    "year": pl.String,
    "question": pl.String,
    "answer": pl.List(pl.String),
    "analysis": pl.String,
    "index": pl.String,
    "score": pl.String,
}
SCHEMA = pl.Struct({"keywords": pl.String, "example": pl.List(pl.Struct(QUESTION))})
"""A document of one subject and one type of question; a text counts as a list of one answer."""

CHOSEN_FROM = "MCQs|English_(?:Cloze_Test|Reading|Fill)|Lang_and_Usage|Modern_Lit"
FILLED_IN = "Fill-in-the-Blank|Dictation|Cloze_Passage"
"""Words of a document's name that tell its type of question; all others are answered in words."""

PASSAGE = r"(?s)^(.{30,}?\n)\s*(\d{1,3}\s*[．.、]\s*[^\d\s].*)$"
"""A text of some length, and a numbered question on a line of its own after it."""
NUMBER = r"^\s*\d{1,3}\s*[．.、]\s*(?:[（(]\s*\d{1,2}\s*分\s*[）)])?\s*"
"""A question's number in the paper, and what it is worth."""
HEADS = (
    r"^(?:\s*(?:解\s*[：:]|[【\[]\s*(?:解\s*答|详\s*解|解\s*析|答\s*案|分\s*析)\s*[】\]]"
    r"|(?:解析|答案)\s*[：:]|答案\s*[A-G]\s*[．.，,]|[：:．，]))+\s*"
)
"""What an answer or an explanation calls itself."""
TAIL = r"\s*【(?:点评|分析|解答|考点)】\s*$"
"""A heading left with nothing under it."""
PICTURE = r"!\[[^\]]*\]\(|\\includegraphics|<img\b"
"""A picture that stands in the question and that a text record cannot carry."""
CONCLUSION = r"故.{0,6}选|应选|答案\s*[为是：:]|[选填]\s*[A-G]"
"""How an explanation says which option is right."""


def read_papers(raw: pl.DataFrame) -> pl.DataFrame:
    """One record a question of the documents."""
    return (
        raw.select("file", "row", "keywords", "example")
        .explode("example", empty_as_null=True, keep_nulls=True)
        .unnest("example")
        .with_columns(
            subject=_subject(),
            kind=_kind(),
            key=pl.concat_str("keywords", "index", separator="-"),
            letters=pl.col("answer").list.join("、"),
            solved=pl.col("answer").list.join("\n").str.replace(HEADS, "").str.strip_chars(),
            why=_explanation(),
        )
        .with_columns(question=_spaced(pl.col("question")), why=_spaced(pl.col("why")))
        .with_columns(passage=pl.col("question").str.extract(PASSAGE, 1))
        .select("file", "row", **_record())
    )


def _subject() -> pl.Expr:
    """The subject by the document's name; null when the name tells none."""
    word = pl.col("keywords").str.extract(f"({'|'.join(SUBJECTS)})")
    return word.replace_strict(SUBJECTS, default=None, return_dtype=pl.String)


def _kind() -> pl.Expr:
    """The type of question: by the document's name, and by how many letters are right."""
    name, answers = pl.col("keywords").fill_null(""), pl.col("answer")
    letters = answers.list.first().str.strip_chars().str.len_chars()
    return (
        pl.when(name.str.contains(CHOSEN_FROM) & (answers.list.len() > 1))
        .then(pl.lit("选择题"))
        .when(name.str.contains(CHOSEN_FROM) & (letters > 1))
        .then(pl.lit("多项选择题"))
        .when(name.str.contains(CHOSEN_FROM))
        .then(pl.lit("单项选择题"))
        .when(name.str.contains(FILLED_IN))
        .then(pl.lit("填空题"))
        .otherwise(pl.lit("简答题"))
    )


def _spaced(text: pl.Expr) -> pl.Expr:
    """English text with single spaces; a wide gap inside a sentence is a blank to fill in."""
    gaps = text.str.replace_all(r"([^\s]) {4,}([a-z,.?!]|I\s)", "$1 ____ $2")
    single = gaps.str.replace_all(r"(\S) {2,}(\S)", "$1 $2").str.replace_all(
        r"(\S) {2,}(\S)", "$1 $2"
    )
    return pl.when(pl.col("subject") == "英语").then(single).otherwise(text)


def _explanation() -> pl.Expr:
    """The explanation without its own heading, ending with the choice if it names none."""
    why = pl.col("analysis").fill_null("").str.replace(HEADS, "").str.replace(TAIL, "")
    why = why.str.strip_chars()
    silent = (why != "") & ~why.str.contains(CONCLUSION)
    letter = pl.col("answer").list.first().str.extract(r"^\s*([A-G]+)\s*$")
    return (
        pl.when(silent & (pl.col("answer").list.len() == 1) & letter.is_not_null())
        .then(pl.format("{}\n故本题选{}。", why, letter))
        .otherwise(why)
    )


def _record() -> dict[str, pl.Expr]:
    choice = pl.col("kind").str.ends_with("选择题")
    names = {"subject": pl.col("subject").fill_null(""), "kind": pl.col("kind")}
    seed = pl.coalesce("key", "question", pl.lit(""))
    line = pl.when(choice).then(fill(CHOICE, seed, names)).otherwise(fill(OTHER, seed, names))
    passage, question, why = pl.col("passage"), pl.col("question"), pl.col("why")
    state = pl.when(question.str.contains(PICTURE)).then(pl.lit("缺图"))
    answer = pl.when(choice).then("letters").otherwise("solved")
    return {
        "key": pl.col("key"),
        "instruction": pl.concat_str(line, passage, separator="\n", ignore_nulls=True),
        "input": pl.when(passage.is_null())
        .then(question.str.replace(NUMBER, ""))
        .otherwise(question.str.extract(PASSAGE, 2)),
        "output": pl.concat_str(
            pl.when(answer != "").then(pl.format("答案：{}", answer)),
            pl.when(why != "").then(pl.format("解析：{}", why)),
            separator="\n",
            ignore_nulls=True,
        ),
        "task_minor": pl.concat_list("kind", pl.lit("中学考试")),
        "domain": pl.concat_list("subject").list.drop_nulls(),
        "metadata": facts({"year": pl.col("year"), "score": pl.col("score"), "状态": state}),
        "fault": fault({"no question here": blank(question)}),
    }


GAOKAO_BENCH = Source(
    name="gaokao_bench",
    family="exam",
    type="exam",
    title="高考试题",
    origin="https://github.com/OpenLMLab/GAOKAO-Bench",
    licence="Apache-2.0 for the collection; the papers' own rights are not stated",
    forms=(Form(kind="json", read=read_papers, schema=SCHEMA),),
    templates=CHOICE + OTHER,
    labels={"task_major": ["试题"], "answer_from": "human"},
    steps=(
        RepairLatex(),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        WhiteSpace(unspace_han=True),
        RejoinLines(),
        MaskPersonalData(),
        Status(),
        NearEmpty(field="output"),
        PromptLength(low=20, high=6_000),
        Length(field="output", low=6, high=6_000),
        MissingContext(field="instruction"),
        MissingContext(field="input"),
        MissingContext(field="output"),
        LineRepetition(),
        NgramRepetition(),
        Truncation(),
    ),
)
"""No share of Han characters is asked for: English papers have few, and formulas have none. No list
of sensitive words either: history and politics papers name wars, drugs and crimes as their matter.
"""
