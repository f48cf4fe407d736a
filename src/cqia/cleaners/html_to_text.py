"""HTML to Markdown text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.text.guarded import amend, tally
from cqia.text.markup import GUARD, is_html, settled, to_markdown


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlToText(Cleaner):
    """Renders HTML as Markdown: paragraphs, lists, headings, tables, quotes, code and formulas.

    Formulas (Zhihu's pictures and spans, MathJax, KaTeX) become `$…$` or `$$…$$`, bold stays bold,
    links keep their text, pictures, scripts, styles and hidden elements go. A text without `<` and
    `&` passes through untouched.
    """

    mode: Literal["detect", "html"] = "detect"
    """html: the field is known to be HTML, and every text with a tag or an entity is parsed.
    Entities are decoded once, so `&lt;b&gt;` becomes `<b>`, and cleaning a second time would take
    that for a tag: clean once.
    detect: only texts that are HTML are parsed (`cqia.text.markup.is_html`), so `vector<int>`,
    `a < b` and a mention of `<div>` stay; entities left over in other texts are decoded. Cleaning
    twice changes nothing."""

    def clean(self, text: pl.Expr) -> pl.Expr:
        return amend(text, GUARD, to_markdown if self.mode == "html" else settled)

    def counts(self, text: pl.Expr) -> pl.Expr:
        """`html`: 1 when the text was parsed as HTML."""
        parsed = is_html if self.mode == "detect" else bool
        return tally(text, GUARD, ("html",), lambda one: (int(parsed(one)),))
