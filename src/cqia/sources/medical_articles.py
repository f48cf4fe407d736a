"""Medical articles 医疗文章: doctors answer one question in a short article.

Two sites, three raw shapes. An article's web page, with the doctor's credit beside the text:

    <h1>宝宝发烧到多少度需要吃退烧药？</h1>
    <div class="doctor">李某某 主治医师 某某医院 儿科</div>
    <div class="article-content"><p>……</p></div>

an article as a crawler saves it, JSON or CSV, texts plain or HTML:

    {"url": "…", "title": "……？", "content": "……", "doctor": "李某某", "doctor_title": "主治医师",
     "hospital": "某某医院", "department": "儿科", "date": "2021-03-04"}

The title is the instruction where it is a question, and is put into a template otherwise. Who wrote
the article goes into `copyright`, as in the release: `作者：李某某，主治医师，某某医院`.

Shape: what the released records show (title questions, the credit in `copyright`) and the habits of
such sites; the markup of 51zyzy.com and baobao.baidu.com was not at hand, so the page's classes are
common ones and not known to be theirs.

This project's choices: the wordings, the words that make a title a question, and all bounds.

Traps: hospitals advertise in the last paragraph, with telephone numbers and booking lines; one
article is sold to several sites under different titles; an article without a named doctor is often
an advert in full.
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
from cqia.filters.length import Length, PromptLength
from cqia.filters.refusals import Refusals
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.shares import HanShare, SymbolShare, UrlShare
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source, fill
from cqia.sources.fields import blank, column, facts, fault
from cqia.sources.web import Item, Layout, address, as_html, body, each_page, first_text, heading

TEMPLATES = (
    "请从医生的角度讲讲：{title}。",
    "我想了解“{title}”，请给些专业的建议。",
    "请写一篇科普文章，题目是《{title}》。",
    "关于{title}，需要知道哪些知识？",
    "请为普通读者说明：{title}。",
)

QUESTION = (
    r"[？?]$|吗$|呢$|怎么办$|怎么回事$|为什么|如何|怎样|怎么|什么|多少|几|哪|能不能|是否|可不可以"
)
"""Words that make a title a question."""

LAYOUT = Layout(
    containers=("div.article-content", "div.article-body", "div.content", "article"),
    junk=(
        "script, style, noscript, nav, header, footer, aside, form, button, .share, .related, "
        ".ad, .doctor, .author, .doc-info, .copyright, .tags, .comment, .recommend"
    ),
    closing=("相关文章", "相关问题", "推荐阅读", "推荐医生", "参考文献"),
)

TEXT = ("url", "title", "content", "doctor", "doctor_title", "hospital", "department", "date")
SCHEMA = pl.Struct(
    dict.fromkeys((*TEXT, "id", "author", "标题", "正文", "医生", "医院"), pl.String)
)
"""An article as crawlers save it."""


def read_articles(raw: pl.DataFrame) -> pl.DataFrame:
    """Articles as JSON or as rows of a table."""
    credit = [
        column(raw, "doctor", "author", "医生", "作者"),
        column(raw, "doctor_title", "职称"),
        column(raw, "hospital", "医院"),
    ]
    told = [pl.when(~blank(one)).then(one.str.strip_chars()) for one in credit]
    return _records(
        raw.select(
            "file",
            "row",
            key=column(raw, "id", "url", "链接"),
            url=column(raw, "url", "链接"),
            title=column(raw, "title", "标题"),
            content=as_html(column(raw, "content", "正文", "内容")),
            credit=pl.concat_str(told, separator="，", ignore_nulls=True),
            department=column(raw, "department", "科室"),
            date=column(raw, "date", "日期", "发布时间"),
        )
    )


def read_page(raw: pl.DataFrame) -> pl.DataFrame:
    """Articles' web pages."""
    fields = ("url", "title", "content", "credit", "department", "date")
    pages = each_page(raw, _page, dict.fromkeys(fields, pl.String))
    return _records(pages.with_columns(key=pl.col("url")))


def _page(page: LexborHTMLParser) -> Iterator[Item]:
    found = {"url": address(page), "title": heading(page)}
    found["credit"] = first_text(page, ".doctor", ".doc-info", ".author")
    found["department"] = first_text(page, ".department", ".dept")
    found["date"] = first_text(page, "time", ".date", ".publish-time")
    yield {**found, "content": body(page, LAYOUT)}


def _records(articles: pl.DataFrame) -> pl.DataFrame:
    title = pl.col("title").str.strip_chars()
    bare = title.str.strip_chars_end("。！? ")
    credit = pl.col("credit").str.replace(r"^作者[:：]\s*", "").str.strip_chars()
    seed = pl.coalesce("key", title, pl.lit(""))
    return articles.select(
        "file",
        "row",
        "key",
        instruction=pl.when(title.str.contains(QUESTION))
        .then(title)
        .otherwise(fill(TEMPLATES, seed, {"title": bare.fill_null("")})),
        output=pl.col("content"),
        domain=pl.concat_list(pl.lit("医学"), "department").list.drop_nulls(),
        metadata=facts({"url": pl.col("url")}),
        copyright=pl.when(credit != "").then(pl.format("作者：{}", credit)),
        date=pl.col("date").str.extract(r"(\d{4}-\d{1,2}-\d{1,2})").str.to_date(strict=False),
        fault=fault(
            {
                "the article has no title": blank(title),
                "the article has no text": blank(pl.col("content")),
            }
        ),
    )


MEDICAL_ARTICLES = Source(
    name="medical_articles",
    family="wiki",
    type="knowledge",
    title="医疗文章",
    origin="https://www.51zyzy.com; https://baobao.baidu.com",
    licence="rests with the doctors and the sites; no licence stated",
    forms=(
        Form(kind="json", read=read_articles, schema=SCHEMA),
        Form(kind="csv", read=read_articles),
        Form(kind="html", read=read_page),
    ),
    templates=TEMPLATES,
    labels={"task_major": ["问答"], "task_minor": ["医药问答"], "answer_from": "human"},
    steps=(
        HtmlToText(mode="html", fields=("output",)),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        Boilerplate(fields=("output",)),
        WhiteSpace(),
        MaskPersonalData(),
        PromptLength(low=5, high=100),
        Length(field="output", low=80, high=6_000),
        HanShare(),
        SymbolShare(),
        UrlShare(),
        LineRepetition(),
        NgramRepetition(),
        Refusals(),
        Adverts(),
        ObfuscatedAdverts(),
        MissingContext(field="output"),
        Truncation(),
    ),
)
