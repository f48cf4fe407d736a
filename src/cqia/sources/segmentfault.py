"""SegmentFault 思否: programming questions, and the answers that readers voted up.

Three raw shapes are read. A question's web page:

    <h1>……</h1> <article class="article fmt"><p>……</p><pre><code>…</code></pre></article>
    <a class="tag">python</a>
    <div class="answer-item" data-id="9"><span class="vote">12</span>
      <div class="fmt"><p>……</p></div></div>

a question with its answers as JSON, texts as HTML or as Markdown:

    {"id": 7, "title": "……", "originalText": "……", "tags": [{"name": "python"}],
     "answers": [{"id": 9, "originalText": "……", "votes": 12, "accepted": true}]}

and the flat lines of crawlers, one answer each:

    {"question_id": 7, "title": "……", "body": "<p>……</p>", "answer_id": 9, "answer": "<p>……</p>",
     "votes": 12, "tags": ["python"]}

The title and the question's body are the instruction, one answer the output; both become Markdown
with fenced code. Each answer is a record of its own; dedup keeps the best one of a question.

Shape: the page's structure and the field names follow public crawlers of the site; no dump of the
site itself was at hand, so class names are looked for in several spellings. What a field named
`originalText` holds is Markdown, what one named `parsedText`, `body` or `content` holds is HTML.

This project's choices: one answer a question, and all bounds but five votes and 55 characters,
which the release shows.

Traps: code that looks like HTML is the matter here and must survive: `<div>` in a fence, `a && b`,
`List<String>`; a picture of code says nothing; "已解决" and "同问" are answers on the site; code is
pasted with line numbers; answers point to links that are dead.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from selectolax.lexbor import LexborHTMLParser, LexborNode

from cqia.cleaners.boilerplate import Boilerplate
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.adverts import Adverts, ObfuscatedAdverts
from cqia.filters.context import MissingContext
from cqia.filters.echo import SameAsInstruction
from cqia.filters.length import Length, PromptLength
from cqia.filters.refusals import Refusals
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.shares import UrlShare
from cqia.filters.signals import Votes
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source
from cqia.sources.fields import blank, day, facts, fault, tally
from cqia.sources.web import Item, address, each_page, first_text, heading
from cqia.text.guarded import amend
from cqia.text.markup import GUARD, to_markdown

BODY = "article.article, .question-body, .question__content, .question .fmt"
"""Where a page keeps the question."""
ANSWER = ".answer-item, .answer, .widget-answers__item, li.answers-item, [id^='answer-']"
"""An answer on a page."""
TAG = ".tag, .tag-item, .article-tag a, a.tagPopup"

ANSWERED = pl.Struct(
    dict.fromkeys(
        ("id", "originalText", "parsedText", "content", "votes", "rank", "created", "accepted"),
        pl.String,
    )
)
TEXT = ("id", "title", "originalText", "parsedText", "body", "content", "created", "url")
FLAT = ("question_id", "answer_id", "answer", "votes")
NAMED = pl.Struct({"name": pl.String})
SCHEMA = pl.Struct(
    {
        **dict.fromkeys((*TEXT, *FLAT), pl.String),
        "tags": pl.List(NAMED),
        "answers": pl.List(ANSWERED),
    }
)
"""A question with its answers, or a flat line."""

PAGE = ("qid", "title", "asked", "tags", "aid", "answer", "votes", "created")


def read_questions(raw: pl.DataFrame) -> pl.DataFrame:
    """Questions with their answers, and flat lines."""
    told = pl.col("answers").list.len().fill_null(0) > 0
    bare = pl.struct(
        id="answer_id",
        originalText=pl.lit(None, pl.String),
        parsedText="answer",
        content=pl.lit(None, pl.String),
        votes="votes",
        rank=pl.lit(None, pl.String),
        created="created",
        accepted=pl.lit(None, pl.String),
    )
    answers = raw.with_columns(
        one=pl.when(told).then("answers").otherwise(pl.concat_list(bare))
    ).explode("one", empty_as_null=True, keep_nulls=True)
    answer = pl.col("one").struct
    tags = pl.col("tags").list.eval(pl.element().struct.field("name")).list.join(", ")
    return _records(
        answers.select(
            "file",
            "row",
            qid=pl.coalesce("question_id", "id"),
            title="title",
            asked=_markdown("originalText", pl.coalesce("parsedText", "body", "content")),
            tags=tags,
            aid=answer.field("id"),
            answer=_markdown(
                answer.field("originalText"),
                pl.coalesce(answer.field("parsedText"), answer.field("content")),
            ),
            votes=pl.coalesce(answer.field("votes"), answer.field("rank")),
            created=answer.field("created"),
        )
    )


def _markdown(original: pl.Expr | str, parsed: pl.Expr) -> pl.Expr:
    """The Markdown that a field holds, else the Markdown of the HTML that another holds."""
    original = pl.col(original) if isinstance(original, str) else original
    return pl.coalesce(original, amend(parsed, GUARD, to_markdown))


def read_page(raw: pl.DataFrame) -> pl.DataFrame:
    """Questions' web pages."""
    found = each_page(raw, _answers, dict.fromkeys(PAGE, pl.String))
    texts = [amend(pl.col(name), GUARD, to_markdown).alias(name) for name in ("asked", "answer")]
    return _records(found.with_columns(texts))


def _answers(page: LexborHTMLParser) -> Iterator[Item]:
    """A page's answers, in the names of `PAGE`; a question without one is an item too."""
    found = page.css(ANSWER)
    answers = [node for node in found if not _within(node, {one.mem_id for one in found})]
    shared = {"qid": (address(page) or "").rstrip("/").rpartition("/")[2] or None}
    shared["title"] = heading(page)
    shared["tags"] = ", ".join(dict.fromkeys(node.text().strip() for node in page.css(TAG)))
    body = page.css_first(BODY)
    shared["asked"] = body.inner_html if body else None
    for node in answers:
        text = node.css_first(".fmt, .answer-content, .content") or node
        yield {
            **shared,
            "aid": node.attributes.get("data-id") or (node.attributes.get("id") or "")[7:] or None,
            "answer": text.inner_html,
            "votes": first_text(node, ".vote", ".votes", ".count", ".vote-count"),
        }
    if not answers:
        yield shared


def _within(node: LexborNode, others: set[int]) -> bool:
    """Whether a node stands inside one of others."""
    up = node.parent
    while up is not None:
        if up.mem_id in others:
            return True
        up = up.parent
    return False


def _records(answers: pl.DataFrame) -> pl.DataFrame:
    qid, aid, title = pl.col("qid"), pl.col("aid"), pl.col("title").str.strip_chars()
    names = pl.when(~blank(pl.col("tags"))).then(pl.col("tags"))
    return answers.select(
        "file",
        "row",
        key=pl.when(aid.is_not_null()).then(pl.concat_str(qid, aid, separator="-")),
        instruction=pl.when(blank(pl.col("asked")))
        .then(title)
        .otherwise(pl.format("{}\n\n{}", title, pl.col("asked").str.strip_chars())),
        output=pl.col("answer"),
        domain=names.str.split(", "),
        metadata=facts({"qid": qid, "aid": aid, "tag": pl.format("[{}]", names)}),
        question=qid,
        votes=tally(pl.col("votes")),
        date=day(pl.col("created").str.slice(0, 10)),
        fault=fault(
            {
                "the item has no title": blank(title),
                "the question has no answer": blank(pl.col("answer")),
            }
        ),
    )


SEGMENTFAULT = Source(
    name="segmentfault",
    family="segmentfault",
    type="social",
    title="SegmentFault",
    origin="https://segmentfault.com",
    licence="answers by the site's users; no licence stated",
    forms=(
        Form(kind="json", read=read_questions, schema=SCHEMA),
        Form(kind="html", read=read_page),
    ),
    labels={"task_major": ["问答"], "task_minor": ["代码问答"], "answer_from": "human"},
    steps=(
        RepairUnicode(),
        Simplify(),
        Boilerplate(fields=("output",)),
        WhiteSpace(),
        MaskPersonalData(),
        Votes(low=5),
        Length(field="output", low=55, high=24_000),
        PromptLength(low=8, high=8_000),
        UrlShare(high=0.4),
        LineRepetition(high=0.5),
        NgramRepetition(),
        SameAsInstruction(),
        Refusals(),
        Adverts(),
        ObfuscatedAdverts(),
        MissingContext(field="instruction"),
        Truncation(),
    ),
)
"""HTML becomes Markdown in the reader, where it is known which texts are HTML: a recipe's cleaner
would take the tags in Markdown's code for tags. No half-width letters either: code may mean the
full-width ones."""
