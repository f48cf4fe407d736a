"""wikiHow 中文: how-to articles, with every method and every step.

Three raw shapes are read. An article's web page, whose methods are headed lists of steps,

    <h1>如何泡绿茶</h1> <div id="intro">……</div>
    <div class="section steps"><h3><span class="mw-headline">用玻璃杯</span></h3>
      <ol class="steps_list_2"><li><div class="step"><b class="whb">烧水。</b>……</div></li></ol>
    </div>
    <div class="section" id="tips_section"><h2>小提示</h2><ul><li>……</li></ul></div>

an article as JSON,

    {"title": "如何泡绿茶", "intro": "……", "methods": [{"title": "用玻璃杯", "steps": ["……"]}],
     "tips": ["……"], "warnings": ["……"], "url": "…"}

and a question with its answer in the form of MNBVC's question-and-answer files:

    {"id": 0, "问": "如何泡绿茶", "答": "……", "来源": "wikihow.com", "元数据": {"create_time": "…"}}

whose running number is no key. A title becomes a how-to question (`如何泡绿茶？`); one that is no
how-to is put into a template. The answer is the introduction, each method under a heading with
its steps numbered, tips and warnings: whole, for users of the released records reported answers
that were cut off.

Shape: the page's classes are those of wikiHow's layout as public crawlers read it, MNBVC's names
are those of its published form, the JSON is this project's choice.

This project's choices: the wordings, which sections are kept, and all bounds.

Traps: steps hold picture credits and reference marks; a mirror's answers may be cut off, which
shows as a last step without its end; the site's licence is for non-commercial use.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from selectolax.lexbor import LexborHTMLParser, LexborNode

from cqia.cleaners.boilerplate import Boilerplate
from cqia.cleaners.half_width import HalfWidth
from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.adverts import Adverts, ObfuscatedAdverts
from cqia.filters.length import Length, PromptLength
from cqia.filters.refusals import Refusals
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.shares import HanShare, SymbolShare, UrlShare
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source, fill
from cqia.sources.fields import blank, facts, fault
from cqia.sources.web import Item, address, as_html, each_page, heading

TEMPLATES = (
    "怎样才能{title}？",
    "请一步一步地教我{title}。",
    "我想{title}，应该怎么做？",
    "请写一份{title}的操作指南。",
    "{title}有什么方法？请列出步骤。",
)

ASKS = r"^(?:如何|怎样|怎么|怎|为什么)|[？?]$"
"""A title that asks by itself."""

JUNK = (
    "sup, form, .step_num, .stepanchor, .mwimg, .m-video, .altblock, .ad, .wh_ad, .adunit, "
    ".image_details, .edit"
)
"""What a section holds beside its text; scripts and pictures go when it is rendered."""

STEPS = ".steps"
ENDS = {"tips": "小提示", "warnings": "警告", "thingsyoullneed": "需要准备"}
"""What the ids of the closing sections begin with -> their headings."""

METHOD = pl.Struct({"title": pl.String, "steps": pl.List(pl.String)})
SCHEMA = pl.Struct(
    {
        **dict.fromkeys(("id", "title", "intro", "url", "问", "答", "来源"), pl.String),
        "methods": pl.List(METHOD),
        "tips": pl.List(pl.String),
        "warnings": pl.List(pl.String),
    }
)


def read_articles(raw: pl.DataFrame) -> pl.DataFrame:
    """Articles as JSON, and questions of MNBVC."""
    steps = (
        pl.element()
        .struct.field("steps")
        .list.eval(pl.format("<li>{}</li>", pl.element().str.strip_chars()))
    )
    title = pl.element().struct.field("title").fill_null("")
    head = pl.when(title != "").then(pl.format("<h2>{}</h2>", title)).otherwise(pl.lit(""))
    methods = pl.col("methods").list.eval(pl.format("{}<ol>{}</ol>", head, steps.list.join("")))
    parts = [
        pl.format("<p>{}</p>", pl.when(~blank(pl.col("intro"))).then(as_html(pl.col("intro")))),
        pl.when(pl.col("methods").list.len() > 0).then(methods.list.join("\n")),
        _listed("tips"),
        _listed("warnings"),
    ]
    told = pl.concat_str(parts, separator="\n", ignore_nulls=True)
    return _records(
        raw.select(
            "file",
            "row",
            key=pl.when(pl.col("问").is_null()).then(pl.coalesce("id", "url")),
            url=pl.col("url"),
            title=pl.coalesce("title", "问"),
            text=pl.coalesce(pl.when(told != "").then(told), as_html(pl.col("答"))),
        )
    )


def _listed(name: str) -> pl.Expr:
    items = pl.col(name).list.eval(pl.format("<li>{}</li>", pl.element())).list.join("")
    html = pl.format("<h2>{}</h2><ul>{}</ul>", pl.lit(ENDS[name]), items)
    return pl.when(pl.col(name).list.len() > 0).then(html)


def read_page(raw: pl.DataFrame) -> pl.DataFrame:
    """Articles' web pages."""
    pages = each_page(raw, _article, dict.fromkeys(("url", "title", "text"), pl.String))
    return _records(pages.with_columns(key=pl.col("url")))


def _article(page: LexborHTMLParser) -> Iterator[Item]:
    intro = page.css_first("#intro, .intro, .mf-section-0")
    parts = [_without_junk(intro).inner_html or ""] if intro else []
    seen: set[int] = set()
    for section in map(_without_junk, page.css(STEPS)):
        lists = [one for one in section.css("ol") if one.mem_id not in seen and not _nested(one)]
        seen |= {one.mem_id for one in lists}
        if lists:
            named = section.css_first(".mw-headline, h3, h2")
            parts += [f"<h2>{named.text().strip()}</h2>"] if named and named.text().strip() else []
            parts += [one.html or "" for one in lists]
    for name, title in ENDS.items():
        if found := page.css_first(f"div[id^={name}], div.section.{name}"):
            lists = _without_junk(found).css("ul")
            items = "".join(one.html or "" for one in lists if not _nested(one))
            parts += [f"<h2>{title}</h2>{items}"] if items else []
    text = "\n".join(part for part in parts if part.strip())
    yield {"url": address(page), "title": heading(page), "text": text if seen else None}


def _without_junk(section: LexborNode) -> LexborNode:
    for node in section.css(JUNK):
        node.decompose()
    return section


def _nested(node: LexborNode) -> bool:
    """Whether a list stands inside an item of another."""
    up = node.parent
    while up is not None:
        if up.tag == "li":
            return True
        up = up.parent
    return False


def _records(articles: pl.DataFrame) -> pl.DataFrame:
    title = (
        pl.col("title").str.strip_chars().str.replace(r"\s*[(（]附图片[)）]|\s*-\s*wikiHow.*$", "")
    )
    bare = title.str.strip_chars_end("？?。 ")
    seed = pl.coalesce("key", title, pl.lit(""))
    return articles.select(
        "file",
        "row",
        "key",
        instruction=pl.when(title.str.contains(ASKS))
        .then(pl.format("{}？", bare))
        .otherwise(fill(TEMPLATES, seed, {"title": bare.fill_null("")})),
        output=pl.col("text"),
        metadata=facts({"url": pl.col("url")}),
        fault=fault(
            {
                "the article has no title": blank(title),
                "the article has no steps": blank(pl.col("text")),
            }
        ),
    )


WIKIHOW = Source(
    name="wikihow",
    family="wikihow",
    type="knowledge",
    title="wikiHow 中文",
    origin="https://zh.wikihow.com",
    licence="CC BY-NC-SA 3.0 as the site states",
    forms=(
        Form(kind="json", read=read_articles, schema=SCHEMA),
        Form(kind="html", read=read_page),
    ),
    templates=TEMPLATES,
    labels={"task_major": ["问答"], "task_minor": ["知识问答"], "answer_from": "human"},
    steps=(
        HtmlToText(mode="html", fields=("output",)),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        Boilerplate(fields=("output",)),
        WhiteSpace(),
        MaskPersonalData(),
        PromptLength(low=4, high=120),
        Length(field="output", low=60, high=20_000),
        HanShare(),
        SymbolShare(),
        UrlShare(),
        LineRepetition(),
        NgramRepetition(),
        Refusals(),
        Adverts(),
        ObfuscatedAdverts(),
        Truncation(),
    ),
)
"""A step that mentions a picture stays: the steps are written to be followed without."""
