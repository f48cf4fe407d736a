"""Reading web pages: what the sources that come as HTML share.

A source says where its pages keep things (a `Layout`) and writes one function from a parsed page to
the fields of its items; `each_page` calls it for every page of a frame. The texts it picks remain
HTML: turning them into Markdown is the cleaner's work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from polars.datatypes import DataTypeClass
from selectolax.lexbor import LexborHTMLParser, LexborNode

Item = Mapping[str, Any]
"""What was found of one item on a page; absent fields are null."""

SITE = re.compile(r"(?<!\s)\s*+(?:_|\||-{1,2}|—{1,2})")
"""What parts a page's title from the site's name in a window title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where a site's pages keep their text. All are CSS selectors, but for `closing`."""

    containers: tuple[str, ...]
    """Where the text stands; the first that the page has is read."""
    blocks: str = "h2, h3, h4, p, ul, ol, dl, table, pre, blockquote"
    """What the text consists of; the outermost match is taken whole."""
    junk: str = "script, style, noscript, nav, header, footer, aside, form, button"
    """What the container holds beside the text."""
    closing: tuple[str, ...] = ()
    """How headings begin whose sections are no part of the text."""


def each_page(
    raw: pl.DataFrame,
    items: Callable[[LexborHTMLParser], Iterable[Item]],
    schema: Mapping[str, pl.DataType | DataTypeClass],
) -> pl.DataFrame:
    """The items of every page, in the pages' order.

    Args:
        raw: columns file, row, html, and, where an archive tells it, url.
        items: finds a page's items; it may change the tree.
        schema: the items' fields.

    Returns:
        file, row and the fields. A page without an item is one row of nulls, so that none vanishes.
        An item without a `url` has the archive's.
    """
    found: list[Item] = []
    places: list[int] = []
    for place, html in enumerate(raw["html"]):
        items_here = list(items(LexborHTMLParser(html or ""))) or [{}]
        found += items_here
        places += [place] * len(items_here)
    columns = {name: [item.get(name) for item in found] for name in schema}
    made = pl.DataFrame(columns, schema=dict(schema))
    where = raw.select("file", "row", *(["url"] if "url" in raw.columns else []))[places]
    if "url" in where.columns and "url" in schema:
        made = made.with_columns(url=pl.coalesce(made["url"], where["url"]))
    return pl.concat([where.drop("url", strict=False), made], how="horizontal")


def address(tree: LexborHTMLParser) -> str | None:
    """The page's canonical URL."""
    for selector, name in (
        ('link[rel="canonical"]', "href"),
        ('meta[property="og:url"]', "content"),
    ):
        if (node := tree.css_first(selector)) and (url := node.attributes.get(name)):
            return url.strip()
    return None


def heading(tree: LexborHTMLParser) -> str | None:
    """The first heading's text, or the window title up to the site's name."""
    if found := tree.css_first("h1"):
        return " ".join(found.text().split())
    window = tree.css_first("title")
    return SITE.split(window.text().strip())[0] if window else None


def first_text(tree: LexborHTMLParser | LexborNode, *selectors: str) -> str | None:
    """The text of the first match of the first selector that has one, white space folded."""
    for selector in selectors:
        if found := tree.css_first(selector):
            return " ".join(found.text().split())
    return None


def body(tree: LexborHTMLParser | LexborNode, layout: Layout) -> str | None:
    """The HTML of a page's text in the page's order; None: the page has no such container."""
    container = _container(tree, layout)
    if container is None:
        return None
    blocks = _outermost(container, layout.blocks)
    if not blocks:
        return container.inner_html
    return "\n".join(node.html or "" for node in _text(blocks, layout))


def sections(
    tree: LexborHTMLParser | LexborNode, layout: Layout
) -> tuple[str, list[dict[str, str]]] | None:
    """The HTML above the first `<h2>`, and the sections under each: `title` and `content` (HTML).

    None: the page has no such container.
    """
    container = _container(tree, layout)
    if container is None:
        return None
    lead: list[str] = []
    found: list[tuple[str, list[str]]] = []
    for node in _text(_outermost(container, layout.blocks), layout):
        if node.tag == "h2":
            found.append((" ".join(node.text().split()), []))
        else:
            (found[-1][1] if found else lead).append(node.html or "")
    told = [{"title": title, "content": "\n".join(html)} for title, html in found]
    return "\n".join(lead), told


def as_html(text: pl.Expr) -> pl.Expr:
    """HTML of a field that one dump holds as HTML and another as plain text.

    Where it holds no tag its angle brackets are escaped and its line ends kept.
    """
    plain = text
    for sign, entity in (("<", "&lt;"), (">", "&gt;"), ("\n", "<br>")):
        plain = plain.str.replace_all(sign, entity, literal=True)
    return pl.when(text.str.contains(TAG)).then(text).otherwise(plain)


TAG = r"(?i)</(?:p|div|span|a|b|strong|h[1-6]|ul|ol|li|table|td|em|section)>|<(?:br|p|img)\b[^<>]*>"


def _container(tree: LexborHTMLParser | LexborNode, layout: Layout) -> LexborNode | None:
    """The first container that the page has, its junk removed."""
    for name in layout.containers:
        if found := tree.css_first(name):
            for node in found.css(layout.junk):
                node.decompose()
            return found
    return None


def _text(blocks: list[LexborNode], layout: Layout) -> Iterator[LexborNode]:
    """The blocks but for the sections that close the text."""
    closing = False
    for node in blocks:
        if layout.closing and node.tag in ("h2", "h3", "h4"):
            closing = node.text().strip().startswith(layout.closing)
        if not closing:
            yield node


def _outermost(container: LexborNode, blocks: str) -> list[LexborNode]:
    """The container's blocks that stand in no other block, in the page's order."""
    taken: set[int] = set()
    found = []
    for node in container.css(blocks):
        parent = node.parent
        while parent is not None and parent.mem_id not in taken:
            parent = parent.parent
        if parent is None:
            taken.add(node.mem_id)
            found.append(node)
    return found
