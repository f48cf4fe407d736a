"""Classical Chinese texts 古典诗文: poems, song lyrics, the Book of Songs and the Analects.

The raw shape is that of the public collection chinese-poetry, an array of poems in traditional or
simplified characters, with field names that vary by book:

    {"title": "靜夜思", "author": "李白", "paragraphs": ["牀前明月光，…", "…"], "id": "…"}
    {"rhythmic": "如梦令", "author": "李清照", "paragraphs": ["…"], "tags": ["宋词三百首"]}
    {"title": "关雎", "chapter": "国风", "section": "周南", "content": ["…"]}
    {"chapter": "学而篇", "paragraphs": ["子曰：“…”", "…"]}

A poem becomes one record with one of three tasks, chosen by a seed and its key: go on from the
first half, write down the whole, or say where a line comes from. A chapter of the Analects becomes
one record a saying. Nothing is asked that the data cannot answer: no appreciation, no dates.

Shape: read off the collection's own files.

This project's choices: the three tasks, their wordings, the halving, and that sayings and poems of
a single line are never asked to be continued.

Traps: characters that a stone or a print has lost stand as `□`; many lyrics share tune and author;
editors' notes stand inside some lines; traditional files hold variants that become one simplified
character, so that two readings of a line can end up the same.
"""

from __future__ import annotations

import polars as pl

from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.lacunae import Lacunae
from cqia.filters.length import Length
from cqia.filters.shares import HanShare
from cqia.sources.base import Form, Source, fill, pick
from cqia.sources.fields import blank, fault

CONTINUE = (
    "请续写下面的古诗文，补全余下的部分：\n{head}",
    "下面是{work}的开头，请接着写完：\n{head}",
    "“{head}”是{work}的前半部分，后半部分是什么？",
    "我只记得{work}的前几句：{head}\n请把后面的内容写出来。",
)
RECITE = (
    "请默写{work}。",
    "请写出{work}的全文。",
    "{work}的原文是什么？",
    "我想读一读{work}，请给出原文。",
)
ORIGIN = (
    "“{line}”出自哪里？请写出原文。",
    "请指出“{line}”这一句的出处，并给出原文。",
    "“{line}”是哪部作品里的句子？全文是什么？",
    "读到一句“{line}”，请问它的出处和原文是什么？",
)

SCHEMA = pl.Struct(
    {
        "id": pl.String,
        "title": pl.String,
        "rhythmic": pl.String,
        "author": pl.String,
        "chapter": pl.String,
        "section": pl.String,
        "paragraphs": pl.List(pl.String),
        "content": pl.List(pl.String),
    }
)
"""The fields of all the collection's books; one book has some of them."""

NOBODY = ("", "不詳", "不详", "佚名", "無名氏", "无名氏")
"""Authors that are none."""

TASK_SEED = 1
"""Keeps the choice of the task apart from the choice of the wording."""


def read_works(raw: pl.DataFrame) -> pl.DataFrame:
    """One record a poem, and one a saying of the Analects."""
    titled = pl.coalesce("title", "rhythmic").is_not_null()
    works = raw.with_columns(
        lines=pl.coalesce("paragraphs", "content").list.drop_nulls(),
        saying=pl.col("chapter").is_not_null() & ~titled,
    )
    poems = works.filter(~pl.col("saying"))
    sayings = (
        works.filter("saying")
        .explode("lines", empty_as_null=True, keep_nulls=True)
        .with_columns(pl.concat_list("lines").list.drop_nulls())
    )
    asked = pl.concat([poems, sayings]).with_columns(text=_lines(), work=_work())
    asked = asked.with_columns(key=pl.coalesce("id", "text", pl.lit("")))
    return _records(asked.with_columns(task=_task())).sort("file", "row", maintain_order=True)


def _lines(start: pl.Expr | int = 0, length: pl.Expr | None = None, *, glue: str = "\n") -> pl.Expr:
    """The lines of a work, or some of them, as one text."""
    return pl.col("lines").list.slice(start, length).list.join(glue)


def _work() -> pl.Expr:
    """How the work is called: with its author, its book, or, for a tune, with its first words.

    Many lyrics share a tune and an author, so the tune alone would not say which one is meant.
    """
    first = pl.col("lines").list.first().str.replace_all(r"\p{Cf}", "")
    opening = first.str.extract(r"^(\p{Han}+)")
    tune = pl.concat_str(pl.coalesce("rhythmic", pl.col("title")), opening, separator="·")
    song = pl.format("《诗经·{}·{}》", pl.col("section"), pl.col("title"))
    saying = pl.format("《论语·{}》", pl.col("chapter"))
    name = pl.format(
        "《{}》", pl.when(pl.col("title").is_null()).then(tune).otherwise(pl.col("title"))
    )
    author = pl.col("author").replace(dict.fromkeys(NOBODY))
    by = pl.concat_str(author, pl.lit("的")).fill_null("")
    return (
        pl.when("saying")
        .then(saying)
        .when(pl.col("section").is_not_null())
        .then(song)
        .otherwise(pl.concat_str(by, name))
    )


def _task() -> pl.Expr:
    """续写, 默写 or 出处; what a work is too short for falls to another task."""
    chosen = pick(3, pl.col("key"), seed=TASK_SEED)
    return (
        pl.when(pl.col("saying") | (chosen == 2))
        .then(pl.lit("出处"))
        .when((chosen == 1) | (pl.col("lines").list.len() < 2))
        .then(pl.lit("默写"))
        .otherwise(pl.lit("续写"))
    )


def _records(works: pl.DataFrame) -> pl.DataFrame:
    half = (pl.col("lines").list.len() + 1) // 2
    longest = pl.col("lines").list.eval(pl.element().str.len_chars()).list.arg_max()
    line = pl.col("lines").list.get(longest, null_on_oob=True)
    said = pl.coalesce(line.str.extract(r"曰：“([^”“]{4,}?[。？！；])"), line)
    sentence = pl.coalesce(said.str.extract(r"^(.{4,}?[。？！；])"), said)
    fields = {
        "work": pl.col("work").fill_null(""),
        "head": _lines(0, half, glue="").fill_null(""),
        "line": sentence.str.strip_chars_end("。；，").fill_null(""),
    }
    task = pl.col("task")
    return works.select(
        "file",
        "row",
        key=pl.col("id"),
        instruction=pl.when(task == "续写")
        .then(fill(CONTINUE, pl.col("key"), fields))
        .when(task == "默写")
        .then(fill(RECITE, pl.col("key"), fields))
        .otherwise(fill(ORIGIN, pl.col("key"), fields)),
        output=pl.when(task == "续写")
        .then(_lines(half))
        .when(task == "默写")
        .then("text")
        .otherwise(pl.format("出自{}。原文如下：\n{}", "work", "text")),
        task_major=pl.concat_list(
            pl.when(task == "续写").then(pl.lit("文本生成")).otherwise(pl.lit("知识问答"))
        ),
        task_minor=pl.concat_list(
            pl.when(task == "续写").then(pl.lit("古诗续写")).otherwise(pl.lit("知识问答"))
        ),
        fault=fault(
            {
                "a work without a text": blank(pl.col("text")),
                "a work without a name": pl.col("work").is_null(),
            }
        ),
    )


CHINESE_POETRY = Source(
    name="chinese_poetry",
    family="chinese_traditional",
    type="nlp",
    title="古典诗文",
    origin="https://github.com/chinese-poetry/chinese-poetry",
    licence="MIT for the collection; the texts are in the public domain",
    forms=(Form(kind="json", read=read_works, schema=SCHEMA),),
    templates=CONTINUE + RECITE + ORIGIN,
    labels={"domain": ["传统文化"], "answer_from": "human"},
    steps=(
        RepairUnicode(),
        Simplify(),
        WhiteSpace(),
        Lacunae(field="instruction"),
        Lacunae(field="output"),
        Length(field="output", low=6, high=4_000),
        HanShare(field="output", low=0.5),
    ),
)
"""No filter of repetition: refrains are part of the Book of Songs."""
