"""Zhihu 知乎: questions that people asked, and the answers that readers voted up.

Two raw shapes are read. The answers of the site's API v4, one page a value or one answer a line:

    {"paging": {…}, "data": [{"type": "answer", "id": 31, "question": {"id": 7, "title": "…",
     "detail": "<p>…</p>"}, "content": "<p>…</p>", "voteup_count": 812, "comment_count": 40,
     "created_time": 1600000000, "is_collapsed": false, "answer_type": "normal"}]}

and the question's web page, which carries the same facts in camel case as JSON
(`<script id="js-initialData">`: `initialState.entities`).

The question's title is the instruction, about half the time with the question's description under
it; the answer is HTML and becomes Markdown. Half the time is a seeded choice by the answer's id.
Items that the site marks as no free, whole answer (collapsed, paid, an article or a video) carry
the mark in their metadata.

Shape: the field names are those of the public answers API v4 and of the page's `js-initialData`, as
public crawlers show them; no dump of the site itself was at hand to check them against.

This project's choices: 50 votes, and which of the site's marks turn an answer away. 280 characters
and at most three answers a question are what the release shows.

Traps: a page saved without logging in cuts answers short, and only some carry the mark for it;
formulas are pictures whose `alt` holds the LaTeX; answers open with 谢邀 and close with "follow me"
lines; the same answer turns up in several crawls with other vote counts; answers of commercial
"paid columns" end where the paying part begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import polars as pl
from polars.datatypes import DataTypeClass
from selectolax.lexbor import LexborHTMLParser

from cqia.cleaners.boilerplate import Boilerplate
from cqia.cleaners.half_width import HalfWidth
from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.stickers import Stickers
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.adverts import Adverts, ObfuscatedAdverts
from cqia.filters.context import MissingContext
from cqia.filters.echo import SameAsInstruction
from cqia.filters.length import Length, PromptLength
from cqia.filters.refusals import Refusals
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.sensitive import CATEGORIES, SensitiveWords
from cqia.filters.shares import HanShare, SymbolShare, UrlShare
from cqia.filters.signals import Votes
from cqia.filters.status import Status
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source, pick
from cqia.sources.fields import blank, day, facts, fault, integer

ANSWER: Mapping[str, DataTypeClass | pl.DataType] = {
    "id": pl.String,
    "type": pl.String,
    "answer_type": pl.String,
    "is_collapsed": pl.String,
    "question": pl.Struct(
        {
            "id": pl.String,
            "title": pl.String,
            "detail": pl.String,
            "topics": pl.List(pl.Struct({"name": pl.String})),
        }
    ),
    "content": pl.String,
    "voteup_count": pl.String,
    "comment_count": pl.String,
    "created_time": pl.String,
}
"""What is read of one answer."""

SCHEMA = pl.Struct({**ANSWER, "data": pl.List(pl.Struct(ANSWER))})
"""A page of answers, or a bare answer."""


def read_answers(raw: pl.DataFrame) -> pl.DataFrame:
    """Pages of answers and bare answers as the API gives them."""
    bare = pl.struct(*ANSWER)
    answers = (
        raw.select("file", "row", answer=pl.coalesce("data", pl.concat_list(bare)))
        .explode("answer", empty_as_null=True, keep_nulls=True)
        .unnest("answer")
    )
    return _records(answers)


def read_page(raw: pl.DataFrame) -> pl.DataFrame:
    """The answers a question's web page carries as JSON."""
    rows = []
    for file, row, html in raw.select("file", "row", "html").iter_rows():
        answers = list(_page_answers(html or ""))
        rows += [{"file": file, "row": row, **answer} for answer in answers or [{}]]
    return _records(pl.DataFrame(rows, schema={"file": pl.String, "row": pl.Int64, **ANSWER}))


def _page_answers(html: str) -> Iterator[dict[str, Any]]:
    """The page's answers in the names of the API."""
    script = LexborHTMLParser(html).css_first("script#js-initialData")
    try:
        state = orjson.loads(script.text()) if script else {}
    except orjson.JSONDecodeError:
        state = {}
    entities = _at(_at(state, "initialState"), "entities")
    questions = _at(entities, "questions")
    for number in _at(entities, "answers"):
        answer = _at(_at(entities, "answers"), number)
        asked = _at(answer, "question")
        asked = {**asked, **_at(questions, str(asked.get("id")))}
        names = [topic.get("name") for topic in asked.get("topics") or []]
        yield {
            "id": _text(answer.get("id")),
            "type": answer.get("type"),
            "answer_type": answer.get("answerType"),
            "is_collapsed": _text(answer.get("isCollapsed")),
            "question": {
                "id": _text(asked.get("id")),
                "title": asked.get("title"),
                "detail": asked.get("detail"),
                "topics": [{"name": name} for name in names],
            },
            "content": answer.get("content"),
            "voteup_count": _text(answer.get("voteupCount")),
            "comment_count": _text(answer.get("commentCount")),
            "created_time": _text(answer.get("createdTime")),
        }


def _at(table: object, name: str) -> dict[str, Any]:
    """The object under a name; empty where there is none."""
    found = table.get(name) if isinstance(table, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    """A JSON scalar as the API's reader sees it."""
    return None if value is None else str(value).lower()


def _records(answers: pl.DataFrame) -> pl.DataFrame:
    aid = pl.col("id")
    qid, title, detail, topics = (
        pl.col("question").struct.field(name) for name in ("id", "title", "detail", "topics")
    )
    tags = topics.list.eval(pl.element().struct.field("name")).list.join(", ")
    state = (
        pl.when(pl.col("type") != "answer")
        .then(pl.col("type"))
        .when(pl.col("is_collapsed") == "true")
        .then(pl.lit("收起"))
        .when(pl.col("answer_type") == "paid")
        .then(pl.lit("付费"))
    )
    return answers.select(
        "file",
        "row",
        key=aid,
        instruction=_ask(title, detail, pl.coalesce(aid, title)),
        output=pl.col("content"),
        metadata=facts(
            {"qid": qid, "aid": aid, "tag": pl.format("[{}]", tags), "状态": state},
        ),
        question=qid,
        votes=integer(pl.col("voteup_count")),
        comments=integer(pl.col("comment_count")),
        date=day(pl.col("created_time")),
        fault=fault(
            {
                "no answer with a question here": blank(title),
                "the answer has no content": pl.col("content").is_null(),
            }
        ),
    )


def _ask(title: pl.Expr, detail: pl.Expr, key: pl.Expr) -> pl.Expr:
    """The title, half the time with the description under it, as HTML.

    The title is plain text and the description HTML, so the title's own `<` is escaped first.
    """
    for mark, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        title = title.str.replace_all(mark, entity, literal=True)
    longer = (pick(2, key) == 1) & ~blank(detail)
    return (
        pl.when(longer)
        .then(pl.format("{}<br>{}", title, detail.str.strip_prefix("<p>")))
        .otherwise(title)
    )


ZHIHU = Source(
    name="zhihu",
    family="zhihu",
    type="social",
    title="知乎",
    origin="https://www.zhihu.com",
    licence="answers by the site's users; no licence stated",
    forms=(
        Form(kind="json", read=read_answers, schema=SCHEMA),
        Form(kind="html", read=read_page),
    ),
    answers=3,
    labels={"task_major": ["问答"], "task_minor": ["知乎问答"], "answer_from": "human"},
    steps=(
        HtmlToText(mode="html", fields=("instruction", "output")),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        Boilerplate(fields=("output",)),
        Stickers(),
        WhiteSpace(),
        MaskPersonalData(),
        Status(),
        Votes(low=50),
        Length(field="output", low=280, high=8_000),
        PromptLength(low=5, high=1_000),
        HanShare(),
        SymbolShare(),
        UrlShare(),
        LineRepetition(),
        NgramRepetition(),
        SameAsInstruction(),
        Refusals(),
        Adverts(),
        ObfuscatedAdverts(),
        MissingContext(field="instruction"),
        MissingContext(field="output"),
        Truncation(),
        *(SensitiveWords(category=category) for category in CATEGORIES),
    ),
)
