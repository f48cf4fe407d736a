"""MBA encyclopedia MBA百科: a MediaWiki on management, economics and finance.

Two raw shapes are read: the wiki's XML export, whose pages hold wikitext,

    <page><title>边际成本</title><revision><text>'''边际成本'''是……
    == 计算 == …… [[Category:经济学]]</text></revision></page>

and an article's web page of MediaWiki's layout (`#firstHeading`, `div.mw-parser-output` or
`#bodyContent`). The title is put into one of the templates, the article with its sections is the
answer; references, see-also lists and navigation go; the categories are the domain. Redirects and
pages outside the article space are marked and turned away by the filter `Status`.

Shape: MediaWiki's own export format and page layout, which the wiki at wiki.mbalib.com runs on; no
dump of it was at hand.

This project's choices: the wordings, the headings that end an article, and all bounds.

Traps: templates are not expanded, so what only a template prints is missing; many articles are
copied from textbooks, with their figures left out; case studies name companies and their figures of
years ago; the largest source of the paper, so a mixture by size is mostly economics.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from polars.datatypes import DataTypeClass
from selectolax.lexbor import LexborHTMLParser

from cqia.cleaners.boilerplate import Boilerplate
from cqia.cleaners.half_width import HalfWidth
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.adverts import Adverts, ObfuscatedAdverts
from cqia.filters.context import MissingContext
from cqia.filters.length import Length
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.shares import HanShare, SymbolShare, UrlShare
from cqia.filters.status import Status
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source, fill
from cqia.sources.fields import blank, facts, fault
from cqia.sources.web import Item, Layout, address, body, each_page, first_text
from cqia.text.guarded import amend
from cqia.text.markup import GUARD as HTML
from cqia.text.markup import to_markdown as from_html
from cqia.text.wikitext import GUARD as WIKITEXT
from cqia.text.wikitext import categories
from cqia.text.wikitext import to_markdown as from_wikitext

TEMPLATES = (
    "什么是{title}？",
    "请介绍一下{title}。",
    "请解释{title}这个概念。",
    "我在学习管理学和经济学，请讲讲{title}。",
    "请写一篇关于“{title}”的词条。",
    "{title}是什么意思？请详细说明。",
    "请从定义、内容等方面介绍{title}。",
    "如何理解{title}？",
)

CLOSING = "参考文献|参考资料|参考书目|相关条目|相关链接|外部链接|延伸阅读|注释"
LAYOUT = Layout(
    containers=("div.mw-parser-output", "#mw-content-text", "#bodyContent"),
    junk=(
        "script, style, noscript, nav, header, footer, aside, form, button, sup.reference, "
        ".mw-editsection, .editsection, .toc, #toc, .navbox, .thumb, .printfooter, .catlinks, .ad"
    ),
    closing=tuple(CLOSING.split("|")),
)

REDIRECT = r"(?i)^\s*#\s*(?:REDIRECT|重定向)"
SPACES = (
    "Template|Category|File|Image|Help|User|Talk|MediaWiki|Special",
    "模板|分类|文件|图像|帮助|用户|讨论|特殊",
)
SPACE = rf"(?i)^(?:{'|'.join(SPACES)})(?:[ _]?talk)?[:：]"
"""Pages outside the article space."""
TAIL = rf"(?ms)^## *(?:{CLOSING})\s*$.*\z"
"""The sections that close an article, down to its end."""


def read_export(raw: pl.DataFrame) -> pl.DataFrame:
    """Pages of an XML export."""
    named = [categories(text or "") for text in raw["text"]]
    return _records(
        raw.select(
            "file",
            "row",
            key=pl.when(pl.col("page").is_not_null()).then(pl.col("page").cast(pl.String)),
            title=pl.col("title").str.strip_chars(),
            url=pl.lit(None, pl.String),
            redirect=pl.col("text").str.contains(REDIRECT),
            text=amend(pl.col("text"), WIKITEXT, from_wikitext),
            named=pl.Series(named, dtype=pl.List(pl.String)),
        )
    )


def read_page(raw: pl.DataFrame) -> pl.DataFrame:
    """Articles' web pages."""
    fields: dict[str, pl.DataType | DataTypeClass] = {
        "url": pl.String,
        "title": pl.String,
        "text": pl.String,
        "named": pl.List(pl.String),
    }
    pages = each_page(raw, _article, fields)
    return _records(
        pages.with_columns(
            pl.lit(False).alias("redirect"),
            key=pl.col("url"),
            text=amend(pl.col("text"), HTML, from_html),
        )
    )


def _article(page: LexborHTMLParser) -> Iterator[Item]:
    title = first_text(page, "#firstHeading", "h1")
    named = [node.text().strip() for node in page.css(".catlinks li a")]
    text = body(page, LAYOUT)
    yield {"url": address(page), "title": title, "text": text, "named": named}


def _records(articles: pl.DataFrame) -> pl.DataFrame:
    title = pl.col("title").fill_null("")
    state = (
        pl.when(pl.col("redirect"))
        .then(pl.lit("重定向"))
        .when(title.str.contains(SPACE))
        .then(pl.lit("非条目"))
        .when(title.str.contains("消歧义"))
        .then(pl.lit("消歧义"))
    )
    return articles.select(
        "file",
        "row",
        "key",
        instruction=fill(TEMPLATES, pl.coalesce("key", title), {"title": title}),
        output=pl.col("text").str.replace(TAIL, "").str.strip_chars(),
        domain=pl.coalesce("named", pl.lit([], pl.List(pl.String))),
        metadata=facts({"url": pl.col("url"), "状态": state}),
        fault=fault(
            {
                "the page has no title": blank(pl.col("title")),
                "the page has no text": blank(pl.col("text"))
                & ~pl.col("redirect").fill_null(False),
            }
        ),
    )


MBA_BAIKE = Source(
    name="mba_baike",
    family="finance",
    type="knowledge",
    title="MBA百科",
    origin="https://wiki.mbalib.com",
    licence="see the wiki's terms; no licence stated here",
    forms=(
        Form(kind="mediawiki", read=read_export),
        Form(kind="html", read=read_page),
    ),
    templates=TEMPLATES,
    labels={"task_major": ["问答"], "task_minor": ["百科问答"], "answer_from": "human"},
    steps=(
        Status(),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        Boilerplate(fields=("output",)),
        WhiteSpace(),
        MaskPersonalData(),
        Length(field="output", low=60, high=20_000),
        UrlShare(),
        HanShare(),
        SymbolShare(),
        LineRepetition(),
        NgramRepetition(),
        Adverts(),
        ObfuscatedAdverts(),
        MissingContext(field="output"),
        Truncation(),
    ),
)
"""Markup becomes Markdown in the reader, for it is wikitext in one form and HTML in the other."""
