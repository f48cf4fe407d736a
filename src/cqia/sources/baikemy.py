"""Medical encyclopedia 医疗百科: entries on diseases, symptoms, tests, medicines and operations.

Three raw shapes are read. An entry's web page, its sections under `<h2>`:

    <h1>缺铁性贫血</h1> <div class="lemma-main"><p>缺铁性贫血是……</p>
    <h2>病因</h2><p>……</p> <h2>治疗</h2><p>……</p></div>

an entry with its sections as JSON, texts plain or HTML:

    {"id": 12, "name": "缺铁性贫血", "type": "疾病", "department": "血液科", "summary": "……",
     "sections": [{"title": "病因", "content": "……"}], "expert": "……"}

and the flat table of crawlers, as JSON or CSV, with the sections' names as columns:

    {"疾病名称": "缺铁性贫血", "简介": "……", "病因": "……", "治疗": "……", "科室": "血液科"}

An entry becomes either one record of the whole, asked for in one of three manners (introduce it; I
am a patient; a question with a prefix), its answer under headings such as `## 缺铁性贫血的病因`; or
one record a section, its question made from the section's name. Which of the two is a seeded choice
by the entry's key: both at once would make every sentence stand in the dataset twice.

Shape: what the released records show of the entries (names of sections, `## X的病因`) and the
habits of medical encyclopedias; the site's own markup and JSON were not at hand, so the page's
classes are common ones and not known to be this site's.

This project's choices: whole or sections, the wordings, and all bounds.

Traps: entries end in hospital adverts and booking lines; a section may hold nothing but "见治疗";
the same disease stands under two names; dosages and drug names age, and no entry is advice to a
person: the domain label lets such records be held out.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
from polars.datatypes import DataTypeClass
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
from cqia.filters.shares import HanShare, SymbolShare, UrlShare
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source, fill, pick
from cqia.sources.fields import blank, column, facts, fault
from cqia.sources.web import (
    Item,
    Layout,
    address,
    as_html,
    each_page,
    first_text,
    heading,
    sections,
)

INTRODUCE = (
    "请介绍一下{name}。",
    "{name}是怎么回事？请详细说明。",
    "请写一篇介绍{name}的医学科普。",
    "我想全面了解{name}，请分几个方面讲讲。",
    "医学百科里会怎样介绍“{name}”？",
)
PATIENT = (
    "我被诊断为{name}，想了解一下这个病。",
    "医生您好，我是一名{name}患者，请给我讲讲这种病。",
    "家里人得了{name}，我们应该知道些什么？",
    "体检说我可能有{name}，这是什么样的病？",
)
PREFIXED = (
    "请回答下面的医学问题：{name}是什么？",
    "医学知识问答：请说明{name}的基本情况。",
    "你是一位有经验的医生，请向患者解释{name}。",
    "下面是一个健康方面的问题，请作答：什么是{name}？",
)
_ASKED = {
    "病因": "{name}的病因是什么？|什么原因会引起{name}？|为什么会得{name}？",
    "症状": "{name}有哪些症状？|得了{name}会有什么表现？|请描述{name}的临床表现。",
    "检查": "{name}需要做哪些检查？|怀疑是{name}，应该查什么？|请介绍与{name}有关的检查。",
    "诊断": "{name}怎样诊断？|医生根据什么诊断{name}？|请说明{name}的诊断要点。",
    "鉴别诊断": "{name}要和哪些疾病相鉴别？|{name}容易和什么病混淆？|请说明{name}的鉴别诊断。",
    "治疗": "{name}怎么治疗？|得了{name}应该怎么办？|请介绍{name}的治疗方法。",
    "预防": "怎样预防{name}？|{name}可以预防吗？应该怎么做？|请说明{name}的预防措施。",
    "预后": "{name}的预后怎么样？|{name}能治好吗？|请说明{name}的预后。",
}
ASKED = {name: tuple(wordings.split("|")) for name, wordings in _ASKED.items()}
"""A section's name -> the wordings of its question."""
OTHER = (
    "请说明{name}的{section}。",
    "关于{name}的{section}，有哪些要点？",
    "{name}的{section}是怎样的？",
    "请介绍{name}的{section}。",
)
"""The wordings for all other sections."""

SAME = {
    "病因": "发病原因|病因学|致病原因|病因及发病机制|病因病机",
    "症状": "临床表现|症状体征|临床症状|症状表现|常见症状",
    "检查": "辅助检查|实验室检查|检查方法|相关检查",
    "诊断": "诊断标准|诊断依据|诊断要点",
    "鉴别诊断": "鉴别|诊断与鉴别|疾病鉴别",
    "治疗": "治疗方法|治疗方案|治疗原则|治疗措施",
    "预防": "预防措施|预防方法|预防保健",
    "预后": "预后情况|疾病预后",
}
"""A section's name -> what entries also call it."""

NAMES = {
    "疾病": "疾病名称",
    "症状": "症状名称",
    "药品": "药品名称",
    "检查": "检查名称",
    "手术": "手术名称",
}
"""What an entry is about -> the column of a flat table that names it."""

LAYOUT = Layout(
    containers=("div.lemma-main", "div.entry-content", "div.content", "article"),
    junk=(
        "script, style, noscript, nav, header, footer, aside, form, button, sup, .edit-icon, "
        ".catalog, .toc, .related, .share, .breadcrumb, .copyright, .tags, .ad, .doctor, .expert"
    ),
    closing=("参考资料", "参考文献", "相关疾病", "相关词条", "推荐医生", "在线问诊"),
)

SECTION = pl.Struct({"title": pl.String, "content": pl.String})
ENTRY: dict[str, DataTypeClass | pl.DataType] = {
    "id": pl.String,
    "name": pl.String,
    "title": pl.String,
    "type": pl.String,
    "department": pl.String,
    "summary": pl.String,
    "sections": pl.List(SECTION),
    "expert": pl.String,
    "url": pl.String,
}
COLUMNS = (
    *NAMES.values(),
    "名称",
    "科室",
    "简介",
    "概述",
    "专家",
    "链接",
    *SAME,
    *(name for names in SAME.values() for name in names.split("|")),
)
SCHEMA = pl.Struct({**ENTRY, **dict.fromkeys(COLUMNS, pl.String)})
"""An entry with its sections, or a flat row."""


def read_entries(raw: pl.DataFrame) -> pl.DataFrame:
    """Entries as JSON or as rows of a table."""
    flat = [
        pl.struct(title=pl.lit(name), content=column(raw, name, *SAME[name].split("|")))
        for name in SAME
    ]
    own = pl.col("sections") if "sections" in raw.columns else pl.lit(None, pl.List(SECTION))
    kind = pl.coalesce(
        column(raw, "type"),
        *(
            pl.when(column(raw, name).is_not_null()).then(pl.lit(kind))
            for kind, name in NAMES.items()
        ),
    )
    entries = raw.select(
        "file",
        "row",
        url=column(raw, "url", "链接"),
        id=column(raw, "id", "url", "链接"),
        name=column(raw, "name", "title", *NAMES.values(), "名称"),
        kind=kind,
        department=column(raw, "department", "科室"),
        expert=column(raw, "expert", "专家"),
        lead=column(raw, "summary", "简介", "概述"),
        sections=pl.coalesce(own, pl.concat_list(flat)),
    )
    return _records(entries)


def read_page(raw: pl.DataFrame) -> pl.DataFrame:
    """Entries' web pages."""
    text = ("url", "name", "department", "kind", "expert", "lead")
    pages = each_page(raw, _page, {**dict.fromkeys(text, pl.String), "sections": pl.List(SECTION)})
    return _records(pages.with_columns(id=pl.col("url")))


def _page(page: LexborHTMLParser) -> Iterator[Item]:
    trail = first_text(page, ".breadcrumb", ".crumbs", ".position") or ""
    found = {"url": address(page), "name": heading(page)}
    found["expert"] = first_text(page, ".expert", ".doctor", ".reviewer")
    found["department"] = first_text(page, ".department", ".dept")
    found["kind"] = next((kind for kind in NAMES if kind in trail), None)
    cut = sections(page, LAYOUT)
    yield {**found, "lead": cut[0], "sections": cut[1]} if cut else found


def _records(entries: pl.DataFrame) -> pl.DataFrame:
    name = pl.col("name").str.strip_chars()
    there = (pl.col("title") != "") & ~blank(pl.col("content"))
    parts = (
        entries.with_row_index("entry")
        .with_columns(name=name, key=pl.coalesce("id", name, pl.lit("")))
        .explode("sections", empty_as_null=True, keep_nulls=True)
        .with_columns(
            title=_named(pl.col("sections").struct.field("title").fill_null("")),
            content=as_html(pl.col("sections").struct.field("content")),
        )
        .with_columns(number=pl.when(there).then(there.cum_sum().over("entry")))
        .with_columns(count=pl.col("number").max().over("entry").fill_null(0))
        .with_columns(split=(pick(2, pl.col("key"), seed=1) == 1) & (pl.col("count") >= 2))
    )
    whole = _whole(parts.filter(~pl.col("split")))
    single = _single(parts.filter("split", pl.col("number").is_not_null()))
    made = pl.concat([whole, single], how="diagonal").sort("entry", "part", maintain_order=True)
    return made.select(
        "file",
        "row",
        key=pl.when(pl.col("id").is_not_null()).then(
            pl.concat_str("id", "part", separator="-", ignore_nulls=True)
        ),
        instruction="instruction",
        output="output",
        domain=pl.concat_list(pl.lit("医学"), "department").list.drop_nulls(),
        metadata=facts({"entry": pl.col("name"), "type": pl.col("kind"), "url": pl.col("url")}),
        copyright=pl.col("expert"),
        fault=fault(
            {
                "the entry has no name": blank(pl.col("name")),
                "the entry has no text": blank(pl.col("output")),
            }
        ),
    )


def _named(title: pl.Expr) -> pl.Expr:
    """A section's name as the questions know it."""
    bare = title.str.replace_all(r"[\s：:]+|^[一二三四五六七八九十\d]+[、.]", "")
    for name, others in SAME.items():
        bare = bare.str.replace(f"^(?:{others})$", name)
    return bare


def _whole(parts: pl.DataFrame) -> pl.DataFrame:
    """One record an entry: its summary, and its sections under headings."""
    head = pl.format("<h2>{}的{}</h2>\n{}", pl.col("name").fill_null(""), "title", "content")
    section = pl.when(pl.col("number").is_not_null()).then(head)
    entries = parts.group_by("entry", maintain_order=True).agg(
        pl.col("file", "row", "id", "key", "name", "kind", "department", "expert", "url").first(),
        lead=as_html(pl.col("lead").first()).fill_null(""),
        text=section.drop_nulls().str.join("\n"),
    )
    key, fields = pl.col("key"), {"name": pl.col("name").fill_null("")}
    manner = pick(3, key, seed=2)
    return entries.with_columns(
        part=pl.lit(None, pl.String),
        instruction=pl.when((manner == 1) & pl.col("kind").fill_null("疾病").str.contains("疾病"))
        .then(fill(PATIENT, key, fields))
        .when(manner == 2)
        .then(fill(PREFIXED, key, fields))
        .otherwise(fill(INTRODUCE, key, fields)),
        output=pl.concat_str("lead", "text", separator="\n"),
    )


def _single(parts: pl.DataFrame) -> pl.DataFrame:
    """One record a section."""
    fields = {"name": pl.col("name").fill_null(""), "section": pl.col("title")}
    seed = pl.concat_str("key", "title", separator="-")
    asked = fill(OTHER, seed, fields)
    for name, wordings in ASKED.items():
        asked = pl.when(pl.col("title") == name).then(fill(wordings, seed, fields)).otherwise(asked)
    return parts.with_columns(part=pl.col("title"), instruction=asked, output=pl.col("content"))


BAIKEMY = Source(
    name="baikemy",
    family="wiki",
    type="knowledge",
    title="医疗百科",
    origin="https://www.baikemy.com",
    licence="rests with the site and its doctors; no licence stated",
    forms=(
        Form(kind="json", read=read_entries, schema=SCHEMA),
        Form(kind="csv", read=read_entries),
        Form(kind="html", read=read_page),
    ),
    templates=(
        *INTRODUCE,
        *PATIENT,
        *PREFIXED,
        *(one for wordings in ASKED.values() for one in wordings),
        *OTHER,
    ),
    labels={"task_major": ["问答"], "task_minor": ["医药问答"], "answer_from": "human"},
    steps=(
        HtmlToText(mode="html", fields=("output",)),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        Boilerplate(fields=("output",)),
        WhiteSpace(),
        MaskPersonalData(),
        Length(field="output", low=25, high=10_000),
        HanShare(),
        SymbolShare(),
        UrlShare(),
        LineRepetition(),
        NgramRepetition(),
        Adverts(),
        ObfuscatedAdverts(),
        MissingContext(field="output"),
        Truncation(),
    ),
)
"""No list of sensitive words: drugs, organs and injuries are what these entries are about."""
