"""Pages of a site that no source is written for: the main text, or the parts that a TOML names.

In a mapping, what stands for a field of a page is a CSS selector:

    [[source]]
    name = "journal"
    reader = "html"
    files = ["pages/*.html"]
    map = { title = "h1.headline", output = "div.content", metadata = "span.date" }

Without one for the output, the main text is found (`cqia.text.main_text`), and the title is what
the page gives for it.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from cqia.errors import UserError
from cqia.sources.web import SITE, heading
from cqia.text.main_text import main_text
from cqia.text.markup import to_markdown

WRITTEN = ("instruction", "input", "output")
"""Fields that are rendered as Markdown; the others are one line of text."""


def parts(raw: pl.DataFrame, map: Mapping[str, str]) -> pl.DataFrame:
    """The named parts of every page, with `title` and `output` whether named or not.

    Args:
        raw: file, row and html.
        map: record column -> CSS selector; the first match counts.

    Returns:
        file, row and a text column a part; null where the page has none.

    Raises:
        UserError: something is no selector.
    """
    names = dict.fromkeys(("title", "output", *map))
    rows = [_parts(html or "", map) for html in raw["html"]]
    found = {name: pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in names}
    return raw.select("file", "row").with_columns(**found)


def _parts(html: str, map: Mapping[str, str]) -> dict[str, str | None]:
    page = LexborHTMLParser(html)
    found: dict[str, str | None] = {}
    for name, selector in map.items():
        try:
            node = page.css_first(selector)
        except SelectolaxError:
            raise UserError(f"{selector!r} is no CSS selector", mend=f"mend map.{name}") from None
        if node is not None:
            text = to_markdown(node.html or "") if name in WRITTEN else node.text(separator=" ")
            found[name] = text if name in WRITTEN else " ".join(text.split())
    if "title" not in map:
        found["title"] = title(page)
    if "output" not in map:
        found["output"] = to_markdown(main_text(html) or "") or None
    return found


def title(page: LexborHTMLParser) -> str | None:
    """A page's title: the heading that the window's title begins with, else its first part."""
    window = page.css_first("title")
    said = " ".join(window.text().split()) if window else ""
    for node in page.css("h1, h2, h3, h4, h5"):
        text = " ".join(node.text().split())
        if len(text) > 3 and said.startswith(text):
            return text
    return SITE.split(said)[0] or heading(page)
