"""Douban 豆瓣: films, series and books, what they are about, and what people wrote of them.

Raw shapes, told apart by their fields. A film, series or book as JSON or as a row of a table:

    {"id": "1292052", "title": "……", "subtype": "movie", "year": "1994", "genres": ["剧情"],
     "countries": ["美国"], "directors": [{"name": "……"}], "casts": [{"name": "……"}],
     "rating": {"average": 9.7}, "summary": "……"}
    {"id": "2567698", "title": "……", "author": ["……"], "publisher": "……", "summary": "……",
     "author_intro": "……", "rating": {"average": 8.8}}

a review, `{"id": 88, "title": "……", "content": "<p>……</p>", "useful_count": 120, "subject":
{…}}`, a page of a list, `{"title": "……", "subjects": [{…}, …]}` (also under `items` or `data`),
and the web page of a subject (`#info`, `span[property="v:summary"]`).

Records made of them: a synopsis (故事概要) a film or series, worded by its kind; an introduction of
a book and one of its author; a review, asked for with the work and the review's title and sometimes
with its length, its answer opening with `## title`; and one recommendation a list, its answer
rendered from the list's own facts as JSON, as a Markdown list or as a table (`douban_lists.py`). A
film without a synopsis gives an empty answer, which the bound on length turns away.

Shape: API v2's and the lists' names as public crawlers use them; the page's properties are those of
its public markup. No dump of the site itself was at hand.

This project's choices: the wordings, three films or more to a list, when a length is asked for, and
all bounds but the reviews' lengths.

Traps: one film stands in several files, under the same id; synopses end with `©豆瓣` and begin
with full-width blanks; a review may tell the end of the story or be an advert for a cinema;
scores change from day to day; what counts as a documentary or an animation is told by the genres
alone.
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
from cqia.cleaners.stickers import Stickers
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.adverts import Adverts, ObfuscatedAdverts
from cqia.filters.length import Length, PromptLength
from cqia.filters.refusals import Refusals
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.sensitive import CATEGORIES, SensitiveWords
from cqia.filters.shares import UrlShare
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source, fill, pick
from cqia.sources.douban_lists import SUBJECTS, WORDINGS, recommendations
from cqia.sources.fields import blank, column, facts, fault, tally
from cqia.sources.web import Item, address, as_html, each_page, first_text

SYNOPSIS = (
    "请写出{kind}《{title}》的故事概要。",
    "{kind}《{title}》讲了一个什么样的故事？",
    "请介绍一下{kind}《{title}》的剧情。",
    "我想看{kind}《{title}》，请先告诉我它的大致内容。",
    "请为{kind}《{title}》写一段剧情简介。",
    "《{title}》这部{kind}的主要情节是什么？",
    "用一段话概括{kind}《{title}》的内容。",
    "请简要叙述{kind}《{title}》的故事。",
)
BOOK = (
    "《{title}》是一本什么样的书？",
    "请介绍一下《{title}》这本书。",
    "《{title}》主要讲了什么？",
    "请为《{title}》写一段图书介绍。",
)
AUTHOR = (
    "《{title}》的作者{author}是谁？",
    "请介绍一下《{title}》的作者{author}。",
    "{author}是怎样的一位作者？他（她）写过《{title}》。",
    "我刚读完《{title}》，想了解一下作者{author}。",
)
REVIEW = (
    "请为{kind}《{work}》写一篇评论，标题是“{title}”。",
    "以“{title}”为题，写一篇关于{kind}《{work}》的评论。",
    "请写一篇{kind}《{work}》的评论，题目为《{title}》。",
    "假设你刚刚看完{kind}《{work}》，请写下你的感想，标题是“{title}”。",
)
LONG = "{asked}字数在{count}字左右。"

BOOKISH = "书"
LABELS = {
    "电影": "影评",
    "动画电影": "影评",
    "电视剧": "剧评",
    "动画电视剧": "剧评",
    "纪录片": "影评",
}
"""What a work is -> what a review of it is; a book's is 书评."""

NAMED = pl.List(pl.Struct({"name": pl.String}))
SCHEMA = pl.Struct(
    {
        **SUBJECTS,
        **dict.fromkeys(("summary", "intro", "author_intro", "publisher", "content"), pl.String),
        **dict.fromkeys(("useful_count", "useful", "url"), pl.String),
        "author": pl.List(pl.String),
        "subject": pl.Struct(SUBJECTS),
        **dict.fromkeys(("subjects", "items", "data"), pl.List(pl.Struct(SUBJECTS))),
    }
)
"""A film, a book, a review, or a page of a list: a value has some of these."""

SUMMARY = (
    "span.all.hidden",
    'span[property="v:summary"]',
    "#link-report .all .intro",
    "#link-report .intro",
)
"""Where a subject's page keeps its text; the unfolded one, where there are two, comes first."""

WORK = ("key", "title", "kind", "author", "summary", "about", "review", "useful", "url")


def read_values(raw: pl.DataFrame) -> pl.DataFrame:
    """Values of JSON: subjects, reviews and lists."""
    listed = pl.coalesce("subjects", "items", "data")
    lists = raw.filter(listed.list.len() > 0)
    single = raw.filter(listed.list.len().fill_null(0) == 0)
    about = pl.col("subject").struct
    review = pl.col("content").is_not_null()
    work = pl.when(review)
    works = single.select(
        "file",
        "row",
        key=pl.col("id"),
        title=work.then(about.field("title")).otherwise(pl.col("title")),
        kind=work.then(
            _kind(about.field("subtype"), about.field("type"), about.field("genres"), pl.lit(None))
        ).otherwise(_kind(pl.col("subtype"), pl.col("type"), pl.col("genres"), pl.col("author"))),
        author=pl.col("author").list.join("、"),
        summary=pl.coalesce("summary", "intro"),
        about=pl.col("author_intro"),
        heading=work.then("title"),
        review="content",
        useful=pl.coalesce("useful_count", "useful"),
        url="url",
    )
    made = pl.concat([_records(works), recommendations(lists)], how="diagonal")
    return made.sort("file", "row", maintain_order=True)


def read_table(raw: pl.DataFrame) -> pl.DataFrame:
    """Rows of a crawler's table of films or books."""
    author = column(raw, "作者", "author")
    genres = column(raw, "类型", "genres").str.split("/")
    kind = _kind(column(raw, "种类", "subtype"), column(raw, "type"), genres, author)
    return _records(
        raw.select(
            "file",
            "row",
            key=column(raw, "id", "ID", "编号"),
            title=column(raw, "电影名", "片名", "书名", "名称", "title"),
            kind=kind,
            author=author,
            summary=column(raw, "简介", "剧情简介", "内容简介", "summary"),
            about=column(raw, "作者简介", "author_intro"),
            heading=pl.lit(None, pl.String),
            review=pl.lit(None, pl.String),
            useful=pl.lit(None, pl.String),
            url=column(raw, "链接", "url"),
        )
    )


def read_page(raw: pl.DataFrame) -> pl.DataFrame:
    """Subjects' and reviews' web pages."""
    found = each_page(raw, _subject, dict.fromkeys((*WORK, "heading"), pl.String))
    return _records(found)


def _subject(page: LexborHTMLParser) -> Iterator[Item]:
    url = address(page) or ""
    genres = [node.text().strip() for node in page.css('span[property="v:genre"]')]
    info = " ".join((first_text(page, "#info") or "").split())
    book = "book.douban" in url or "出版社" in info
    series = "集数" in info
    found = {"url": url or None, "key": url.rstrip("/").rpartition("/")[2] or None}
    review = page.css_first("div.review-content, #link-report .review-content")
    if review is not None:
        found["heading"] = first_text(page, 'h1 span[property="v:summary"]', "h1")
        work = first_text(page, ".main-hd a[href*=subject]", "header.main-hd a:last-of-type")
        kind = BOOKISH if book else "电影"
        yield {**found, "title": work, "kind": kind, "review": review.inner_html}
        return
    found["title"] = first_text(page, 'h1 span[property="v:itemreviewed"]', "h1")
    found["kind"] = BOOKISH if book else kind_of(genres, series=series)
    text = next((node for name in SUMMARY if (node := page.css_first(name))), None)
    found["summary"] = text.inner_html if text else None
    if book:
        found["author"] = first_text(page, '#info a[href*="author"]', "#info a")
        about = page.css_first(".author-intro .intro, #authorIntro .intro, .indent.author .intro")
        found["about"] = about.inner_html if about else None
    yield found


def kind_of(genres: list[str], *, series: bool) -> str:
    """What a film or series is, by its genres."""
    if "纪录片" in genres:
        return "纪录片"
    if "动画" in genres:
        return "动画电视剧" if series else "动画电影"
    return "电视剧" if series else "电影"


def _kind(subtype: pl.Expr, type_: pl.Expr, genres: pl.Expr, author: pl.Expr) -> pl.Expr:
    """What a work is: 书, or a film or series by its genres."""
    said = pl.coalesce(subtype, type_, pl.lit("")).str.to_lowercase()
    named = genres.list.join(" ").fill_null("")
    series = said.str.contains("tv|series|电视|剧集")
    return (
        pl.when(said.str.contains("book|书") | author.is_not_null())
        .then(pl.lit(BOOKISH))
        .when(named.str.contains("纪录片"))
        .then(pl.lit("纪录片"))
        .when(named.str.contains("动画") & series)
        .then(pl.lit("动画电视剧"))
        .when(named.str.contains("动画"))
        .then(pl.lit("动画电影"))
        .when(series)
        .then(pl.lit("电视剧"))
        .otherwise(pl.lit("电影"))
    )


def _records(works: pl.DataFrame) -> pl.DataFrame:
    """The records of works and reviews: one or two each."""
    works = works.with_columns(
        pl.col("title").str.strip_chars(),
        summary=_text("summary"),
        about=_text("about"),
        review=_text("review"),
        seed=pl.coalesce("key", "title", pl.lit("")),
    )
    book = pl.col("kind") == BOOKISH
    told = pl.col("review").is_not_null()
    by_author = book & ~told & ~blank(pl.col("about")) & ~blank(pl.col("author"))
    parts = pl.concat(
        [
            _made(works.filter(told), "review"),
            _made(works.filter(~told & ~book), "synopsis"),
            _made(works.filter(~told & book), "book"),
            _made(works.filter(by_author), "author"),
        ]
    )
    return parts.sort("file", "row", maintain_order=True)


def _text(name: str) -> pl.Expr:
    """A text as HTML, without the site's mark at its end."""
    bare = pl.col(name).str.replace_all(r"[\s\u3000]*©\s*豆瓣(?:读书)?\s*", "")
    return as_html(bare.str.replace_all(r"(?m)(^|<br\s*/?>)\s*[ \u3000]+", "$1").str.strip_chars())


def _made(works: pl.DataFrame, part: str) -> pl.DataFrame:
    kind, seed = pl.col("kind"), pl.col("seed")
    fields = {name: pl.col(name).fill_null("") for name in ("kind", "title", "author", "work")}
    fields["title"] = (
        pl.when(pl.lit(part == "review"))
        .then(pl.col("heading").fill_null("").str.strip_chars())
        .otherwise(fields["title"])
    )
    works = works.with_columns(work=pl.col("title"))
    wordings = {"review": REVIEW, "synopsis": SYNOPSIS, "book": BOOK, "author": AUTHOR}[part]
    asked = fill(wordings, seed, fields)
    output = {"review": "review", "synopsis": "summary", "book": "summary", "author": "about"}[part]
    text = pl.col(output).fill_null("")
    minor = {
        "review": [kind.replace_strict(LABELS, default="书评", return_dtype=pl.String), kind],
        "synopsis": [pl.lit("故事概要"), kind],
        "book": [pl.lit("图书介绍"), pl.lit(BOOKISH)],
        "author": [pl.lit("作者介绍"), pl.lit(BOOKISH)],
    }[part]
    tests = {"no work with a title here": blank(pl.col("title"))}
    if part == "review":
        count = (text.str.len_chars() / 100).round().cast(pl.Int64) * 100
        longer = pl.format(LONG.replace("{asked}", "{}").replace("{count}", "{}"), asked, count)
        asked = pl.when((pick(3, seed, seed=5) == 0) & (count > 0)).then(longer).otherwise(asked)
        text = pl.format("<h2>{}</h2>{}", fields["title"], text)
        tests["the review has no title"] = blank(pl.col("heading"))
    return works.select(
        "file",
        "row",
        key=pl.when(pl.col("key").is_not_null()).then(pl.format("{}-" + part, "key")),
        instruction=asked,
        output=text,
        task_minor=pl.concat_list(minor),
        metadata=facts({"id": pl.col("key"), "url": pl.col("url")}),
        votes=tally(pl.col("useful")),
        fault=fault(tests),
    )


DOUBAN = Source(
    name="douban",
    family="douban",
    type="social",
    title="豆瓣",
    origin="https://www.douban.com",
    licence="texts by the site's users and publishers; no licence stated",
    forms=(
        Form(kind="json", read=read_values, schema=SCHEMA),
        Form(kind="csv", read=read_table),
        Form(kind="html", read=read_page),
    ),
    templates=(*SYNOPSIS, *BOOK, *AUTHOR, *REVIEW, *WORDINGS),
    labels={"task_major": ["豆瓣"], "answer_from": "human"},
    steps=(
        HtmlToText(mode="html", fields=("output",)),
        RepairUnicode(),
        Simplify(),
        HalfWidth(),
        Boilerplate(fields=("output",)),
        Stickers(),
        WhiteSpace(),
        MaskPersonalData(),
        Length(field="output", low=45, high=12_000),
        PromptLength(low=6, high=300),
        UrlShare(high=0.4),
        LineRepetition(high=0.5),
        NgramRepetition(),
        Refusals(),
        Adverts(),
        ObfuscatedAdverts(),
        Truncation(),
        *(SensitiveWords(category=category) for category in CATEGORIES),
    ),
)
"""No share of Han characters is asked for: a recommendation as JSON has few."""
