"""Logical reasoning 逻辑推理: puzzles with open answers, and questions with options.

Three raw shapes are read: an open puzzle, a question of the LogiQA kind, as JSON,

    {"question": "……", "answer": "……", "analysis": "……"}
    {"context": "……", "query": "……", "options": ["……", "……"], "label": 2}

(in AGIEval's dress: `passage`, `question`, `options`, and `label` as a letter), and a collection as
one Markdown file, cut as the papers of `kaoyan` are. A puzzle is the instruction as it stands, and
its answer with the explanation the output. A question with options is put under a line that asks
for the reasoning; its output ends `故本题选C。`; without an explanation it is the option and the
letter.

Shape: LogiQA's and AGIEval's fields are theirs; what collection of puzzles the authors used is not
published, so that shape is this project's choice.

This project's choices: the wordings, and all bounds.

Traps: LogiQA has no explanations, so its answers teach the letter and no reasoning; it is a
benchmark (AGIEval's logiqa-zh is its test set): look for it with `[[contamination]]`; puzzles on
the web are told in dozens of versions with other names in them.
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
from cqia.filters.echo import SameAsInstruction
from cqia.filters.emptiness import NearEmpty
from cqia.filters.length import Length, PromptLength
from cqia.filters.refusals import Refusals
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.shares import HanShare
from cqia.filters.status import Status
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source, fill
from cqia.sources.fields import blank, facts, fault, integer
from cqia.sources.kaoyan import cut
from cqia.sources.questions import LETTERS, lines, right, solved

TEMPLATES = (
    "请根据下面的材料进行逻辑推理，选出正确的答案，并说明理由。",
    "下面是一道逻辑推理题，请选择正确的选项。",
    "请阅读下面的逻辑题，给出答案和推理过程。",
    "请用逻辑分析的方法解答这道题。",
)
END = "故本题选{}。"

TEXT = ("id", "question", "answer", "analysis", "explanation", "context", "passage", "query")
SCHEMA = pl.Struct({**dict.fromkeys((*TEXT, "label"), pl.String), "options": pl.List(pl.String)})

PICTURE = r"!\[[^\]]*\]\(|<img\b|如(?:下|右|左)?图所示"


def read_puzzles(raw: pl.DataFrame) -> pl.DataFrame:
    """One record a value of JSON."""
    number = integer(pl.col("label"))
    letter = pl.when(number.is_between(0, len(LETTERS) - 1)).then(
        pl.lit(pl.Series(list(LETTERS))).gather(number.clip(0, len(LETTERS) - 1))
    )
    return _records(
        raw.select(
            "file",
            "row",
            key=pl.col("id"),
            passage=pl.coalesce("context", "passage"),
            question=pl.coalesce("query", "question"),
            options="options",
            answer=pl.coalesce("answer", letter, "label"),
            analysis=pl.coalesce("analysis", "explanation"),
        )
    )


def read_papers(raw: pl.DataFrame) -> pl.DataFrame:
    """One record a puzzle of Markdown collections."""
    found = cut(raw)
    bare = pl.concat_str(pl.col("title"), pl.col("number"), separator="-")
    return _records(found.with_columns(key=bare, passage=pl.lit(None, pl.String)))


def _records(asked: pl.DataFrame) -> pl.DataFrame:
    answer = pl.col("answer").fill_null("").str.strip_chars()
    letters = right(answer)
    options = lines(pl.col("options")).replace({"": None})
    question = pl.col("question").str.strip_chars()
    told = pl.concat_str(
        pl.when(~blank(pl.col("passage"))).then(pl.col("passage").str.strip_chars()),
        question,
        options,
        separator="\n",
        ignore_nulls=True,
    )
    choice = letters.is_not_null() & options.is_not_null()
    place = letters.str.head(1).replace_strict(
        {letter: number for number, letter in enumerate(LETTERS)},
        default=None,
        return_dtype=pl.Int64,
    )
    chosen = pl.col("options").list.get(place, null_on_oob=True)
    why = solved(letters, pl.col("analysis"), END)
    bare = pl.format("{}\n" + END, chosen.str.replace(r"^[(（]?[A-H][)）.．、:：]\s*", ""), letters)
    words = pl.concat_str(
        answer, pl.when(why != answer).then(why), separator="\n", ignore_nulls=True
    )
    state = (
        pl.when(told.str.contains(PICTURE))
        .then(pl.lit("缺图"))
        .when(choice & chosen.is_null())
        .then(pl.lit("答案不在选项中"))
    )
    return asked.select(
        "file",
        "row",
        "key",
        instruction=pl.when(choice)
        .then(fill(TEMPLATES, pl.coalesce("key", question, pl.lit("")), {}))
        .otherwise(told),
        input=pl.when(choice).then(told).otherwise(pl.lit("")),
        output=pl.when(choice & (why != ""))
        .then(why)
        .when(choice)
        .then(bare)
        .otherwise(words.str.strip_chars()),
        metadata=facts({"状态": state}),
        fault=fault(
            {
                "no question here": blank(question),
                "the question has neither answer nor explanation": (answer == "") & (why == ""),
            }
        ),
    )


LOGI_QA = Source(
    name="logi_qa",
    family="logi_qa",
    type="exam",
    title="逻辑推理",
    origin="puzzles and civil-service questions, from the web",
    licence="not stated",
    forms=(
        Form(kind="json", read=read_puzzles, schema=SCHEMA),
        Form(kind="text", read=read_papers),
    ),
    templates=TEMPLATES,
    labels={"task_major": ["问答"], "task_minor": ["逻辑推理"], "answer_from": "human"},
    steps=(
        Status(),
        HtmlToText(),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        WhiteSpace(),
        MaskPersonalData(),
        NearEmpty(field="output"),
        PromptLength(low=15, high=3_000),
        Length(field="output", low=10, high=4_000),
        HanShare(),
        MissingContext(field="instruction"),
        MissingContext(field="input"),
        SameAsInstruction(),
        Refusals(),
        Adverts(),
        LineRepetition(),
        NgramRepetition(),
        Truncation(),
    ),
)
