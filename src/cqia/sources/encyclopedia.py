"""Encyclopedia articles 百科文章: pages that explain one subject under one title.

Four families of layout are read: the entry page with a summary and headed paragraphs, the plain
article of a content management system (as on 10why.net, nongyie.com and gkket.com), MediaWiki's,
and DokuWiki's (as on eetree.cn), which explains one concept a section:

    <h1>灯塔</h1> <div class="lemma-summary">灯塔是……</div>
    <h2 class="para-title">历史</h2> <div class="para">最早的灯塔……<sup>[1]</sup></div>

    <div class="crumbs">首页 &gt; 物理</div> <h1>为什么铁会生锈？</h1>
    <div class="article-content"><p>……</p></div>

    <div class="dokuwiki"><div class="page"><h1>运算放大器</h1><div class="level1"><p>……</p></div>
    <h2>虚短</h2><div class="level2"><p>……</p></div></div></div>

and articles as crawlers save them, JSON or CSV, texts plain or HTML:

    {"url": "…", "title": "……", "content": "……", "category": "农业"}

The reader picks the title and the blocks of the entry; info boxes, references, edit and citation
marks, navigation and related entries stay behind. A title that is a question is the instruction as
it stands; any other title is put into one of the templates, chosen by a seed and the page's key. A
DokuWiki page of two or more sections gives one record a section, asked for by page and section. A
page's key is its canonical URL; its category, where the page tells one, is the domain.

Shape: the layouts are those of the common systems these sites run on; no dump of the four sites was
at hand, so their own class names may differ and are easily added to `LAYOUT`.

This project's choices: the wordings, the names of layout classes, the headings that end the entry
proper, and the length of a section that gets a record of its own.

Traps: entries spread over several pages come as several records; agricultural articles end in
telephone numbers of seed sellers; the same "why" is explained on several sites in the same words.
"""

from __future__ import annotations

import re
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
from cqia.sources.fields import blank, column, facts, fault
from cqia.sources.web import (
    Item,
    Layout,
    address,
    as_html,
    body,
    each_page,
    first_text,
    heading,
    sections,
)

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

DOKUWIKI = "div.dokuwiki div.page, div#dokuwiki__content div.page"
"""Where DokuWiki keeps a page."""

PART = (
    "在{title}中，{section}是什么意思？",
    "请解释{title}里的“{section}”。",
    "关于{title}：{section}应该怎么理解？",
    "学习{title}时会遇到“{section}”，请说明一下。",
)

LAYOUT = Layout(
    containers=(
        DOKUWIKI,
        "div.news-content",
        "div.content-body",
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


TRAIL = (".breadcrumb", ".crumbs", ".position", ".path", ".bread")
"""Where a page says in which category it stands."""

TEXT = ("id", "url", "title", "content", "category", "标题", "正文", "分类", "链接")
SCHEMA = pl.Struct(dict.fromkeys(TEXT, pl.String))
PAGE = ("url", "title", "section", "body", "category")


def read_entries(raw: pl.DataFrame) -> pl.DataFrame:
    """Pages: one record each, or one a section of a DokuWiki page."""
    pages = each_page(raw, _entries, dict.fromkeys(PAGE, pl.String))
    return _records(pages.with_columns(key=pl.col("url")))


def read_articles(raw: pl.DataFrame) -> pl.DataFrame:
    """Articles as crawlers save them."""
    return _records(
        raw.select(
            "file",
            "row",
            key=column(raw, "id", "url", "链接"),
            url=column(raw, "url", "链接"),
            title=column(raw, "title", "标题").str.strip_chars(),
            section=pl.lit(None, pl.String),
            body=as_html(column(raw, "content", "正文")),
            category=column(raw, "category", "分类"),
        )
    )


def _entries(page: LexborHTMLParser) -> Iterator[Item]:
    trail = [one.strip() for one in re.split("[>»/]", first_text(page, *TRAIL) or "")]
    title = heading(page)
    steps = [one for one in trail if one and one not in (title, "首页", "正文")]
    found = {"url": address(page), "title": title, "category": steps[-1] if steps else None}
    wiki = page.css_first(DOKUWIKI)
    parts = sections(page, LAYOUT) if wiki else None
    told = [part for part in parts[1] if len(part["content"]) > LONG] if parts else []
    if len(told) < 2:
        yield {**found, "body": body(page, LAYOUT)}
        return
    for part in told:
        yield {**found, "section": part["title"], "body": part["content"]}


LONG = 50
"""Characters of HTML from which a section gets a record of its own; this project's choice."""


def _records(entries: pl.DataFrame) -> pl.DataFrame:
    title, section = pl.col("title"), pl.col("section")
    seed = pl.concat_str(
        pl.coalesce("key", title, pl.lit("")), section, separator="#", ignore_nulls=True
    )
    asked = fill(TEMPLATES, seed, {"title": title.fill_null("")})
    part = fill(PART, seed, {"title": title.fill_null(""), "section": section.fill_null("")})
    question = pl.coalesce(section, title)
    return entries.select(
        "file",
        "row",
        key=pl.when(pl.col("key").is_not_null()).then(seed),
        instruction=pl.when(question.str.contains(QUESTION))
        .then(question)
        .when(section.is_not_null())
        .then(part)
        .otherwise(asked),
        output=pl.col("body").str.replace_all(EDIT_MARK, "").str.replace_all(CITATION, "$1"),
        domain=pl.concat_list("category").list.drop_nulls(),
        metadata=facts({"url": pl.col("url")}),
        fault=fault(
            {
                "the page has no title": blank(title),
                "the page has no entry: no element that entries stand in": pl.col("body").is_null(),
            }
        ),
    )


ENCYCLOPEDIA = Source(
    name="encyclopedia",
    family="wiki",
    type="knowledge",
    title="百科文章",
    origin="10why.net; www.eetree.cn; nongyie.com; gkket.com, and other encyclopedias' pages",
    licence="rests with each site",
    forms=(
        Form(kind="html", read=read_entries),
        Form(kind="json", read=read_articles, schema=SCHEMA),
        Form(kind="csv", read=read_articles),
    ),
    templates=TEMPLATES + PART,
    labels={"task_major": ["问答"], "task_minor": ["百科问答"], "answer_from": "human"},
    steps=(
        HtmlToText(mode="html", fields=("output",)),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        Boilerplate(fields=("output",)),
        WhiteSpace(),
        MaskPersonalData(),
        Length(field="output", low=60, high=10_000),
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
