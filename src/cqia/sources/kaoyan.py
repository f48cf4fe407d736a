r"""Graduate entrance examinations 考研: papers in Markdown with LaTeX, and their worked solutions.

Two raw shapes are read. A paper as one Markdown file, its year and subject in the first heading:

    # 2019 年全国硕士研究生招生考试 数学（一）
    ## 一、选择题
    1. 当 $x \to 0$ 时，……（4分）
    A. 1
    B. 2
    【答案】C
    【解析】……

and one question a value of JSON, its options as a list or in the question's text:

    {"year": 2019, "subject": "数学一", "type": "选择题", "score": 4, "question": "……",
     "options": ["1", "2"], "answer": "C", "analysis": "……"}

The instruction is a line that names subject and kind; the input the question with its options; the
output the worked solution, `故本题选C。` at the end of a choice question's. Year and score are kept
in the metadata.

Shape: what the released records show (LaTeX in more than half, year and score, solutions); how the
authors had the papers is not published, so both shapes are this project's reading of the matter.

This project's choices: the wordings, the marks that cut a paper (`paper` in `questions.py`), and
all bounds.

Traps: LaTeX that went through a JSON writer that knows no raw strings has lost backslashes (`\frac`
is a form feed and `rac`): the recipe repairs it; a paper's steps numbered like its questions can be
taken for questions; figures are missing; official answers and a teacher's solution differ in form.
"""

from __future__ import annotations

import polars as pl

from cqia.cleaners.half_width import HalfWidth
from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
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
from cqia.sources.questions import kind, lines, paper, right, solved

TEMPLATES = (
    "请解答下面这道{subject}考研{kind}，写出解题过程。",
    "下面是一道{subject}考研真题（{kind}），请给出答案和解析。",
    "请完成这道研究生入学考试的{subject}{kind}。",
    "这是{subject}考研试卷中的一道{kind}，请详细作答。",
)
END = "故本题选{}。"

PICTURE = r"!\[[^\]]*\]\(|\\includegraphics|<img\b|如(?:下|右|左)?图(?:所示)?|见(?:下|右)?图"
"""A figure that the text lacks."""

TEXT = ("id", "year", "subject", "type", "score", "question", "answer", "analysis", "solution")
SCHEMA = pl.Struct({**dict.fromkeys(TEXT, pl.String), "options": pl.List(pl.String)})


def read_questions(raw: pl.DataFrame) -> pl.DataFrame:
    """One record a question of JSON."""
    return records(raw.with_columns(key=pl.col("id"), analysis=pl.coalesce("analysis", "solution")))


def read_papers(raw: pl.DataFrame) -> pl.DataFrame:
    """One record a question of Markdown papers."""
    return records(cut(raw))


def cut(raw: pl.DataFrame) -> pl.DataFrame:
    """The questions of papers (column `text`): a row each, or one of nulls where there is none."""
    question = {name: pl.String for name in ("number", "kind", "score", "question", "answer")}
    asked = pl.Struct({**question, "options": pl.List(pl.String), "analysis": pl.String})
    found: list[list[dict[str, object] | None]] = [
        [*paper(text or "")] or [None] for text in raw["text"]
    ]
    title = pl.col("text").str.extract(r"(?m)^#\s+(.+)$")
    year = title.str.extract(r"((?:19|20)\d\d)")
    subject = title.str.extract(
        r"(数学\s*[（(]?[一二三123]?[)）]?|英语\s*[（(]?[一二]?[)）]?|政治|[\p{Han}]{2,8}学)$"
    )
    return (
        raw.select(
            "file",
            "row",
            year=year,
            subject=subject.str.replace_all(r"[\s()（）]", ""),
            title=title,
            asked=pl.Series(found, dtype=pl.List(asked)),
        )
        .explode("asked", empty_as_null=True, keep_nulls=True)
        .unnest("asked")
        .rename({"kind": "type"})
        .with_columns(
            key=pl.concat_str("year", pl.coalesce("subject", "title"), "number", separator="-")
        )
    )


def records(asked: pl.DataFrame) -> pl.DataFrame:
    """Records of questions: the columns of SCHEMA but for `id` and `solution`, and `key`."""
    answer = pl.col("answer").fill_null("").str.strip_chars()
    letters = right(answer)
    options = lines(pl.col("options")).replace({"": None})
    question = pl.col("question").str.strip_chars()
    named = {"subject": pl.col("subject").fill_null(""), "kind": pl.col("is")}
    seed = pl.coalesce("key", question, pl.lit(""))
    why = solved(letters, pl.col("analysis"), END)
    state = pl.when(question.str.contains(PICTURE)).then(pl.lit("缺图"))
    return asked.with_columns(
        **{"is": kind(pl.col("type"), letters, "分析题").replace({"分析题": "简答题"})}
    ).select(
        "file",
        "row",
        "key",
        instruction=fill(TEMPLATES, seed, named),
        input=pl.concat_str(question, options, separator="\n", ignore_nulls=True),
        output=pl.concat_str(
            pl.when(answer != "").then(pl.format("答案：{}", pl.coalesce(letters, answer))),
            pl.when(why != "").then(why),
            separator="\n",
            ignore_nulls=True,
        ),
        task_minor=pl.concat_list("is", pl.lit("考研")),
        domain=pl.concat_list("subject").list.drop_nulls(),
        metadata=facts({"year": pl.col("year"), "score": pl.col("score"), "状态": state}),
        fault=fault(
            {
                "no question here": blank(question),
                "the question has neither answer nor solution": (answer == "") & (why == ""),
            }
        ),
    )


KAOYAN = Source(
    name="kaoyan",
    family="exam",
    type="exam",
    title="考研",
    origin="papers of the national graduate entrance examination, from the web",
    licence="not stated",
    forms=(
        Form(kind="json", read=read_questions, schema=SCHEMA),
        Form(kind="text", read=read_papers),
    ),
    templates=TEMPLATES,
    labels={"task_major": ["试题"], "answer_from": "human"},
    steps=(
        Status(),
        HtmlToText(),
        RepairLatex(),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        WhiteSpace(),
        MaskPersonalData(),
        NearEmpty(field="output"),
        PromptLength(low=20, high=4_000),
        Length(field="output", low=20, high=6_000),
        MissingContext(field="input"),
        MissingContext(field="output"),
        LineRepetition(),
        NgramRepetition(),
        Truncation(),
    ),
)
"""No share of Han characters is asked for: formulas have none."""
