"""Encyclopedia entries 百科文章: web pages that explain one subject under one title.

Two families of layout are read, which most Chinese encyclopedias share: the entry page with a
summary and headed paragraphs, and the plain article page of a content management system:

    <h1>灯塔</h1> <div class="lemma-summary">灯塔是……</div>
    <h2 class="para-title">历史</h2> <div class="para">最早的灯塔……<sup>[1]</sup></div>

    <h1>为什么铁会生锈？</h1> <div class="article-content"><p>……</p></div>

The reader picks the title and the blocks of the entry; info boxes, references, edit and citation
marks, navigation and related entries stay behind. The blocks remain HTML: turning them into
Markdown is the cleaner's work. A title that is a question is the instruction as it stands; any
other title is put into one of the templates, chosen by a seed and the page's key. A page's key is
its canonical URL.

This project's choices: the wordings, the names of layout classes, and the headings that end the
entry proper. What is not covered: entries spread over several pages.
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
from cqia.filters.adverts import Adverts, ObfuscatedAdverts
from cqia.filters.context import MissingContext
from cqia.filters.length import Length
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.sensitive import CATEGORIES, SensitiveWords
from cqia.filters.shares import HanShare, SymbolShare, UrlShare
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source, fill
from cqia.sources.fields import blank, facts, fault
from cqia.sources.web import Item, Layout, address, body, each_page, heading

TEMPLATES = (
    "请介绍一下{title}。",
    "请写一篇关于“{title}”的百科词条。",
    "我想了解{title}，请给我讲讲。",
    "百科全书会怎样介绍“{title}”？",
    "请用条理清楚的文字说明“{title}”。",
    "{title}是什么？请详细说明。",
    "请向一位初学者介绍{title}的基本知识。",
    "关于“{title}”，有哪些值得知道的内容？",
    "请概述{title}，并分几个方面展开。",
    "能不能科普一下{title}？",
)

LAYOUT = Layout(
    containers=(
        "div.main-content",
        "div.article-content",
        "div.entry-content",
        "div.mw-parser-output",
        "article",
    ),
    blocks=".lemma-summary, .para, h2, h3, h4, p, ul, ol, dl, table, pre, blockquote",
    junk=(
        "script, style, noscript, nav, header, footer, aside, form, button, sup, .sup--normal, "
        ".edit-icon, .edit-lemma, .mw-editsection, .title-prefix, .infobox, .basic-info, "
        ".lemma-reference, .reference-list, .references, .catalog, .toc, .related, .related-lemma, "
        ".share, .breadcrumb, .copyright, .tags, .pager, .album, .ad"
    ),
    closing=(
        "参考资料",
        "参考文献",
        "参考来源",
        "注释",
        "外部链接",
        "相关词条",
        "相关阅读",
        "延伸阅读",
    ),
)
"""Where the entry stands, what it consists of, and what else the page holds."""

EDIT_MARK = r"\[\s*编辑(?:本段)?\s*\]|【编辑】"
CITATION = r"([\p{Han}。，、；：！？”）》])\[\d{1,3}(?:[-,，–]\d{1,3})*\]"
"""Only after Han text, so that an index such as `a[1]` in code stays."""

QUESTION = r"[？?]$|^(?:为什么|为何|怎样|如何|什么是)"


def read_entries(raw: pl.DataFrame) -> pl.DataFrame:
    """One record a page."""
    entries = each_page(raw, _entry, {"url": pl.String, "title": pl.String, "body": pl.String})
    title, url = pl.col("title"), pl.col("url")
    asked = fill(TEMPLATES, pl.coalesce(url, title, pl.lit("")), {"title": title.fill_null("")})
    return entries.select(
        "file",
        "row",
        key=url,
        instruction=pl.when(title.str.contains(QUESTION)).then(title).otherwise(asked),
        output=pl.col("body").str.replace_all(EDIT_MARK, "").str.replace_all(CITATION, "$1"),
        metadata=facts({"url": url}),
        fault=fault(
            {
                "the page has no title": blank(title),
                "the page has no entry: no element that entries stand in": pl.col("body").is_null(),
            }
        ),
    )


def _entry(page: LexborHTMLParser) -> Iterator[Item]:
    yield {"url": address(page), "title": heading(page), "body": body(page, LAYOUT)}


ENCYCLOPEDIA = Source(
    name="encyclopedia",
    family="wiki",
    type="knowledge",
    title="百科文章",
    origin="saved pages of encyclopedias and popular-science sites",
    licence="rests with each site",
    forms=(Form(kind="html", read=read_entries),),
    templates=TEMPLATES,
    labels={"task_major": ["问答"], "task_minor": ["百科问答"], "answer_from": "human"},
    steps=(
        HtmlToText(mode="html", fields=("output",)),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        Boilerplate(fields=("output",)),
        WhiteSpace(),
        MaskPersonalData(),
        Length(field="output", low=100, high=10_000),
        UrlShare(),
        HanShare(),
        SymbolShare(),
        LineRepetition(),
        NgramRepetition(),
        Adverts(),
        ObfuscatedAdverts(),
        MissingContext(field="output"),
        Truncation(),
        *(SensitiveWords(category=category) for category in CATEGORIES),
    ),
)
