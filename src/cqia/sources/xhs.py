r"""Xiaohongshu 小红书: notes of a site where people show and recommend things.

Four raw shapes are read. A note's web page, whose script holds its state; its bare `undefined` is
no JSON and is read as null, but only outside of strings:

    <script>window.__INITIAL_STATE__={"note": {"noteDetailMap": {"64a…": {"note": {"noteId": "64a…",
     "title": "……", "desc": "……[话题]#", "type": "normal", "time": 1688000000000,
     "interactInfo": {"likedCount": "1.5万", "commentCount": "88"}, "tagList": [{"name": "……"}],
     "user": undefined}}}}}</script>

the API's feed (`{"data": {"items": [{"id": "…", "note_card": {…}}]}}`, in snake case); and the
lines or tables of crawlers:

    {"note_id": "64a…", "type": "normal", "title": "……", "desc": "……", "time": 1688000000000,
     "liked_count": "1.5万", "comment_count": "88", "tag_list": "露营,周末"}

The title is put into one of three kinds of instruction (write a post in the site's style; you are
a blogger; in a blogger's voice), the note's text is the answer. Topics lose the site's mark
(`#露营[话题]#` is `#露营`), stickers (`[偷笑R]`) go, emoji stay. Videos are marked and turned
away by the filter `Status`.

Shape: the page's and the feed's names are those that public crawlers of the site read; the lines
are those of MediaCrawler's output. No dump of the site itself was at hand.

This project's choices: the wordings and all bounds but the shortest note (the release's is 282
characters).

Traps: give-away adverts and shopping notes make up much of the site, in words broken up to fool its
own filter (`品、牌`); a note without a title has its first line as one; counts are shown rounded
(`1.5万`); the text of a video note describes pictures that nobody sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
import polars as pl
from selectolax.lexbor import LexborHTMLParser

from cqia.cleaners.half_width import HalfWidth
from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.stickers import Stickers
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.adverts import Adverts, ObfuscatedAdverts
from cqia.filters.length import Length, PromptLength
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.sensitive import CATEGORIES, SensitiveWords
from cqia.filters.shares import HanShare, UrlShare
from cqia.filters.status import Status
from cqia.sources.base import Form, Source, fill
from cqia.sources.fields import blank, column, day, facts, fault, tally
from cqia.sources.web import Item, each_page

TEMPLATES = (
    "请以“{title}”为题写一篇小红书风格的笔记。",
    "用小红书的风格写一篇帖子，标题是：{title}",
    "帮我写一篇小红书文案，主题是“{title}”，语气活泼一些，可以用表情符号。",
    "你是一位小红书博主，请以“{title}”为标题写一篇笔记。",
    "假设你是小红书上的生活博主，标题已经想好了：“{title}”，请写出正文。",
    "你在小红书上有很多粉丝，请写一篇题为《{title}》的分享。",
    "请用小红书博主的口吻，以“{title}”为题分享你的体验。",
    "模仿小红书博主的语气，围绕“{title}”写一篇笔记。",
)

NOTE = ("note_id", "title", "desc", "type", "time", "liked_count", "comment_count", "tag_list")
SCHEMA = pl.Struct(
    {
        **dict.fromkeys(NOTE, pl.String),
        "data": pl.Struct(
            {
                "items": pl.List(
                    pl.Struct(
                        {
                            "id": pl.String,
                            "note_card": pl.Struct(
                                {
                                    **dict.fromkeys(("title", "desc", "type", "time"), pl.String),
                                    "interact_info": pl.Struct(
                                        dict.fromkeys(("liked_count", "comment_count"), pl.String)
                                    ),
                                    "tag_list": pl.List(pl.Struct({"name": pl.String})),
                                }
                            ),
                        }
                    )
                )
            }
        ),
    }
)
"""A crawler's line, or a page of the feed."""

STATE = re.compile(r"window\.__INITIAL_STATE__\s*=\s*")
LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|\bundefined\b')
"""A string, or an `undefined` outside of strings."""


def read_notes(raw: pl.DataFrame) -> pl.DataFrame:
    """Lines of crawlers and pages of the feed."""
    card = pl.col("item").struct.field("note_card")
    shown = card.struct.field("interact_info")
    tags = card.struct.field("tag_list").list.eval(pl.element().struct.field("name"))
    of_feed = {
        "note_id": pl.col("item").struct.field("id"),
        **{name: card.struct.field(name) for name in ("title", "desc", "type", "time")},
        "liked_count": shown.struct.field("liked_count"),
        "comment_count": shown.struct.field("comment_count"),
        "tag_list": tags.list.join(","),
    }
    items = raw.with_columns(item=pl.col("data").struct.field("items")).explode(
        "item", empty_as_null=True, keep_nulls=True
    )
    return _records(
        items.select(
            "file", "row", **{name: pl.coalesce(name, found) for name, found in of_feed.items()}
        )
    )


def read_table(raw: pl.DataFrame) -> pl.DataFrame:
    """Rows of a crawler's table."""
    return _records(raw.select("file", "row", **{name: column(raw, name) for name in NOTE}))


def read_page(raw: pl.DataFrame) -> pl.DataFrame:
    """Notes' web pages."""
    return _records(each_page(raw, _notes, dict.fromkeys(NOTE, pl.String)))


def _notes(page: LexborHTMLParser) -> Iterator[Item]:
    """The notes that a page's state holds, in the crawlers' names."""
    for script in page.css("script"):
        text = script.text()
        if found := STATE.search(text):
            details = _at(_at(_state(text[found.end() :]), "note"), "noteDetailMap")
            for one in details.values():
                note = _at(one, "note")
                shown = _at(note, "interactInfo")
                tags = [_text(_at({"": tag}, "").get("name")) for tag in note.get("tagList") or []]
                yield {
                    "note_id": _text(note.get("noteId")),
                    **{name: _text(note.get(name)) for name in ("title", "desc", "type", "time")},
                    "liked_count": _text(shown.get("likedCount")),
                    "comment_count": _text(shown.get("commentCount")),
                    "tag_list": ",".join(tag for tag in tags if tag),
                }


def _state(text: str) -> object:
    """The object that a script's text begins with; empty where it can't be read."""
    plain = LITERAL.sub(lambda one: "null" if one[0] == "undefined" else one[0], text)
    try:
        return orjson.loads(plain.rstrip().rstrip(";"))
    except orjson.JSONDecodeError:
        return {}


def _at(table: object, name: str) -> dict[str, Any]:
    """The object under a name; empty where there is none."""
    found = table.get(name) if isinstance(table, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    return None if value is None or isinstance(value, dict | list) else str(value)


def _records(notes: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("desc").str.replace_all(r"#([^#\s\[]+)\[话题\]#", "#$1 ").str.strip_chars()
    first = text.str.extract(r"^([^\n]{2,40})")
    title = pl.coalesce(pl.when(~blank(pl.col("title"))).then("title"), first).str.strip_chars()
    tags = pl.when(~blank(pl.col("tag_list"))).then(pl.format("[{}]", "tag_list"))
    state = pl.when(pl.col("type") == "video").then(pl.lit("视频"))
    return notes.select(
        "file",
        "row",
        key=pl.col("note_id"),
        instruction=fill(
            TEMPLATES,
            pl.coalesce("note_id", title, pl.lit("")),
            {"title": title.fill_null("").str.strip_chars_end("。！!～~ ")},
        ),
        output=text,
        metadata=facts({"note_id": pl.col("note_id"), "tag": tags, "状态": state}),
        votes=tally(pl.col("liked_count")),
        comments=tally(pl.col("comment_count")),
        date=day(pl.col("time").str.slice(0, 10)),
        fault=fault(
            {
                "no note here": blank(pl.col("title")) & blank(pl.col("desc")),
                "the note has no text": blank(pl.col("desc")),
            }
        ),
    )


XHS = Source(
    name="xhs",
    family="xhs",
    type="social",
    title="小红书",
    origin="https://www.xiaohongshu.com",
    licence="notes by the site's users; no licence stated",
    forms=(
        Form(kind="json", read=read_notes, schema=SCHEMA),
        Form(kind="csv", read=read_table),
        Form(kind="html", read=read_page),
    ),
    templates=TEMPLATES,
    labels={
        "task_major": ["文本生成"],
        "task_minor": ["小红书风格文本"],
        "answer_from": "human",
    },
    steps=(
        HtmlToText(),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        Stickers(),
        WhiteSpace(),
        MaskPersonalData(),
        Status(),
        Length(field="output", low=280, high=3_200),
        PromptLength(low=10, high=150),
        HanShare(low=0.3),
        UrlShare(),
        LineRepetition(),
        NgramRepetition(),
        Adverts(),
        ObfuscatedAdverts(),
        *(SensitiveWords(category=category) for category in CATEGORIES),
    ),
)
"""No bound on symbols: emoji are the site's style. No test for truncated texts: notes end with
topics and emoji."""
