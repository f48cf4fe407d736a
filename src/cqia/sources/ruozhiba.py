"""Ruozhiba 弱智吧: a board on Baidu Tieba whose posts hide a trap in an innocent question.

Three raw shapes are read. The thread list of the client API, as crawlers save it, one page a value
(`{"thread_list": [...]}`) or one thread a line:

    {"id": 7012345678, "title": "蓝牙耳机坏了，去医院挂牙科还是耳科？", "reply_num": 88,
     "agree": {"agree_num": 431}, "create_time": 1600000000, "is_top": 0}

the board's own web page (`li.j_thread_list`, often inside an HTML comment in `<code>`); and
question-and-answer files of the kind that annotators write (`question`, `human_answer`).

The title is the instruction; replies are never used, because they joke along. The answer is empty
until the answer stage drafts it, unless a person has written one (`answer_from` human). The web
page does not show the upvotes: they are null there.

Shape: the JSON names are those of Tieba's client API as public crawlers save it, the page's markup
was read off a saved board page, the third shape is that of public question sets made from it.

This project's choices: the bounds of length, and that a pinned thread is a notice.

Traps: many titles are statements, jokes without a question, or lean on a picture; pinned notices
sit among the threads; the same joke is posted again in other words; public question sets overlap
each other by thousands, so a model trained on one has seen the other; and whoever drafts the
answers lends the records their style: the author is kept in `answer_from`.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
import polars as pl
from polars.datatypes import DataTypeClass
from selectolax.lexbor import LexborHTMLParser, LexborNode

from cqia.cleaners.half_width import HalfWidth
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.stickers import Stickers
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.adverts import Adverts, ObfuscatedAdverts
from cqia.filters.context import MissingContext
from cqia.filters.length import Length
from cqia.filters.questions import Question
from cqia.filters.sensitive import CATEGORIES, SensitiveWords
from cqia.filters.status import Status
from cqia.sources.base import Form, Source
from cqia.sources.fields import blank, day, facts, fault, integer
from cqia.text.between import insides

THREAD: Mapping[str, DataTypeClass | pl.DataType] = {
    "id": pl.String,
    "tid": pl.String,
    "title": pl.String,
    "reply_num": pl.String,
    "agree": pl.Struct({"agree_num": pl.String}),
    "agree_num": pl.String,
    "create_time": pl.String,
    "is_top": pl.String,
}
"""What is read of one thread."""

SCHEMA = pl.Struct(
    {**THREAD, "thread_list": pl.List(pl.Struct(THREAD)), "question": pl.String}
    | {"human_answer": pl.String, "added_date": pl.String}
)
"""A page of threads, a bare thread, or a question with its answer."""

PINNED = ("1", "true")


def read_threads(raw: pl.DataFrame) -> pl.DataFrame:
    """Thread lists, bare threads, and questions with a person's answer."""
    bare = pl.struct(*THREAD)
    threads = (
        raw.with_columns(thread=pl.coalesce("thread_list", pl.concat_list(bare)))
        .explode("thread", empty_as_null=True, keep_nulls=True)
        .drop(*THREAD, "thread_list")
        .unnest("thread")
    )
    return _records(threads)


def read_board(raw: pl.DataFrame) -> pl.DataFrame:
    """The threads of a board's web page."""
    rows = []
    for file, row, html in raw.select("file", "row", "html").iter_rows():
        threads = [_thread(node) for node in _thread_nodes(html or "")]
        rows += [{"file": file, "row": row, **thread} for thread in threads or [{}]]
    schema = {"file": pl.String, "row": pl.Int64, **dict(SCHEMA.to_schema())}
    return _records(pl.DataFrame(rows, schema=schema))


def _thread_nodes(html: str) -> list[LexborNode]:
    # The page as served hides its list in a comment, which a script unwraps in the browser.
    hidden = [text for text in insides(html, "<!--", "-->") if "j_thread_list" in text]
    nodes = LexborHTMLParser("".join(hidden)).css("li.j_thread_list") if hidden else []
    return nodes or LexborHTMLParser(html).css("li.j_thread_list")


def _thread(node: LexborNode) -> dict[str, str | None]:
    """One `<li>` in the names of the API."""
    try:
        field = orjson.loads(node.attributes.get("data-field") or "{}")
    except orjson.JSONDecodeError:
        field = {}
    link = node.css_first("a.j_th_tit")
    replies = node.css_first("span.threadlist_rep_num")
    return {
        "id": str(field.get("id") or node.attributes.get("data-tid") or "") or None,
        "title": (link.attributes.get("title") or link.text()) if link else None,
        "reply_num": str(field.get("reply_num") or (replies.text() if replies else "")).strip(),
        "is_top": "1" if field.get("is_top") else "0",
    }


def _records(threads: pl.DataFrame) -> pl.DataFrame:
    tid = pl.coalesce("id", "tid").replace({"0": None})
    title = pl.coalesce("title", "question").str.strip_chars()
    pinned = pl.col("is_top").is_in(PINNED)
    answered = ~blank(pl.col("human_answer"))
    return threads.select(
        "file",
        "row",
        key=tid,
        instruction=title,
        output=pl.col("human_answer").fill_null(""),
        metadata=facts(
            {"tid": tid, "状态": pl.when(pinned.fill_null(False)).then(pl.lit("置顶"))},
        ),
        answer_from=pl.when(answered).then(pl.lit("human")).otherwise(pl.lit("llm")),
        votes=integer(pl.coalesce(pl.col("agree").struct.field("agree_num"), "agree_num")),
        comments=integer(pl.col("reply_num")),
        date=pl.coalesce(
            day(pl.col("create_time")), pl.col("added_date").str.to_date("%Y-%m-%d", strict=False)
        ),
        fault=fault({"no thread with a title here": blank(title)}),
    )


RUOZHIBA = Source(
    name="ruozhiba",
    family="ruozhiba",
    type="social",
    title="弱智吧",
    origin="https://tieba.baidu.com/f?kw=弱智",
    licence="posts by the board's users; no licence stated",
    forms=(
        Form(kind="json", read=read_threads, schema=SCHEMA),
        Form(kind="html", read=read_board),
    ),
    labels={"task_major": ["问答"], "task_minor": ["逻辑问答", "隐喻理解"]},
    steps=(
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        Stickers(),
        WhiteSpace(),
        MaskPersonalData(),
        Status(),
        Question(field="instruction"),
        Length(field="instruction", low=5, high=200),
        MissingContext(field="instruction"),
        Adverts(field="instruction"),
        ObfuscatedAdverts(field="instruction"),
        *(SensitiveWords(category=category, field="instruction") for category in CATEGORIES),
    ),
)
"""No filter looks at the answer: most records have none yet."""
