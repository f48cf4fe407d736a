"""Encyclopedia of China 中国大百科全书: signed entries, from their definition to their sections.

Two raw shapes are read. An entry's web page,

    <h1>都江堰</h1> <div class="author">撰写：……</div>
    <div class="entry-body"><p>……</p> <h2>沿革</h2><p>……</p> <h2>扩展阅读</h2><p>……</p></div>

and an entry as a crawler saves it, its text plain or HTML:

    {"id": "…", "title": "都江堰", "content": "<p>……</p>", "author": "……", "classify": "水利",
     "url": "…"}

The title is put into one of the templates; definition and sections are the answer, under headings
of the second level. Captions of figures and references to other entries go; the entry's author is
kept in `copyright`. Entries that only point to another one are marked and turned away by the
filter `Status`.

Shape: what the released records show and the habits of the site's pages; its markup and its API
were not at hand, so classes and field names are common ones and not known to be the site's.

This project's choices: the wordings, the headings that end an entry, and all bounds.

Traps: the foreign name and the pinyin stand between title and definition; long entries lean on
figures (`见图1`); entries of the printed editions carry the state of knowledge of their year.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from selectolax.lexbor import LexborHTMLParser

from cqia.cleaners.boilerplate import Boilerplate
from cqia.cleaners.half_width import HalfWidth
from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.context import MissingContext
from cqia.filters.length import Length
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.shares import HanShare, SymbolShare, UrlShare
from cqia.filters.status import Status
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source, fill
from cqia.sources.fields import blank, column, facts, fault
from cqia.sources.web import Item, Layout, address, as_html, body, each_page, first_text, heading

TEMPLATES = (
    "请介绍一下{title}。",
    "什么是{title}？",
    "请按百科全书的体例介绍“{title}”。",
    "我想了解{title}，请详细讲讲。",
    "请撰写“{title}”这一词条。",
    "{title}的基本情况是怎样的？",
    "请分条目说明{title}。",
    "百科全书里的“{title}”是怎么写的？",
)

LAYOUT = Layout(
    containers=("div.entry-body", "div.item-content", "div.content", "article"),
    junk=(
        "script, style, noscript, nav, header, footer, aside, form, button, sup, figure, "
        "figcaption, .figure, .caption, .catalog, .toc, .author, .related, .share, .copyright"
    ),
    closing=("扩展阅读", "参考书目", "参考文献", "相关条目", "相关词条", "撰写者"),
)

FIGURE = r"[（(](?:见|如)图\s*\d*[^（()）]{0,8}[)）]"
"""A pointer to a figure."""
CAPTION = r"(^|<br>|<p>)\s*图\s*\d+[\s:：][^<]{0,60}(?:</p>|<br>|$)"
"""A figure's caption on a line of its own."""
SEE = r"[（(]\s*见[^（()）\d]{1,20}[)）]"
"""A pointer to another entry."""
ONLY = r"^(?:<[^>]+>|\s)*见[“《]?[^。<]{1,20}[”》]?[。]?(?:<[^>]+>|\s)*$"
"""An entry that says nothing but where to look."""

TEXT = ("id", "title", "name", "content", "author", "classify", "category", "url")
SCHEMA = pl.Struct(dict.fromkeys(TEXT, pl.String))


def read_entries(raw: pl.DataFrame) -> pl.DataFrame:
    """Entries as crawlers save them."""
    return _records(
        raw.select(
            "file",
            "row",
            key=column(raw, "id", "url"),
            url=column(raw, "url"),
            title=column(raw, "title", "name"),
            content=as_html(column(raw, "content")),
            author=column(raw, "author"),
            field=column(raw, "classify", "category"),
        )
    )


def read_page(raw: pl.DataFrame) -> pl.DataFrame:
    """Entries' web pages."""
    names = ("url", "title", "content", "author", "field")
    pages = each_page(raw, _page, dict.fromkeys(names, pl.String))
    return _records(pages.with_columns(key=pl.col("url")))


def _page(page: LexborHTMLParser) -> Iterator[Item]:
    found = {"url": address(page), "title": heading(page)}
    found["author"] = first_text(page, ".author", ".writer")
    trail = first_text(page, ".classify", ".breadcrumb") or ""
    found["field"] = trail.rpartition(">")[2].strip() or None
    yield {**found, "content": body(page, LAYOUT)}


def _records(entries: pl.DataFrame) -> pl.DataFrame:
    title = (
        pl.col("title").str.replace(r"\s*[（(]?[A-Za-zÀ-ÿ][\w\s,.'-]*[)）]?$", "").str.strip_chars()
    )
    name = pl.when(blank(title)).then(pl.col("title").str.strip_chars()).otherwise(title)
    content = (
        pl.col("content")
        .str.replace_all(FIGURE, "")
        .str.replace_all(SEE, "")
        .str.replace_all(CAPTION, "$1")
    )
    author = (
        pl.col("author")
        .str.replace(r"^(?:撰写|作者|撰稿)(?:人|者)?\s*[:：]\s*", "")
        .str.strip_chars()
    )
    state = pl.when(pl.col("content").str.contains(ONLY)).then(pl.lit("只指向别的条目"))
    return entries.select(
        "file",
        "row",
        "key",
        instruction=fill(
            TEMPLATES, pl.coalesce("key", "title", pl.lit("")), {"title": name.fill_null("")}
        ),
        output=content,
        domain=pl.concat_list("field").list.drop_nulls(),
        metadata=facts({"url": pl.col("url"), "状态": state}),
        copyright=pl.when(author != "").then(pl.format("作者：{}", author)),
        fault=fault(
            {
                "the entry has no title": blank(pl.col("title")),
                "the entry has no text": blank(pl.col("content")),
            }
        ),
    )


ZGBK = Source(
    name="zgbk",
    family="wiki",
    type="knowledge",
    title="中国大百科全书",
    origin="https://www.zgbk.com",
    licence="rests with the publisher; no licence stated",
    forms=(
        Form(kind="json", read=read_entries, schema=SCHEMA),
        Form(kind="html", read=read_page),
    ),
    templates=TEMPLATES,
    labels={"task_major": ["问答"], "task_minor": ["百科问答"], "answer_from": "human"},
    steps=(
        Status(),
        HtmlToText(mode="html", fields=("output",)),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        Boilerplate(fields=("output",)),
        WhiteSpace(),
        MaskPersonalData(),
        Length(field="output", low=60, high=15_000),
        UrlShare(),
        HanShare(),
        SymbolShare(),
        LineRepetition(),
        NgramRepetition(),
        MissingContext(field="output"),
        Truncation(),
    ),
)
"""No list of sensitive words: an encyclopedia has entries on wars, diseases and crimes."""
