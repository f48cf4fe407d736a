"""MediaWiki's markup to Markdown text."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.text.guarded import amend
from cqia.text.wikitext import GUARD, to_markdown


@dataclass(frozen=True, slots=True, kw_only=True)
class WikitextToText(Cleaner):
    """Renders wikitext as Markdown: headings, lists, tables, bold, formulas and code.

    Links keep their text; templates, references, pictures, categories and comments go. For texts
    that are known to be wikitext: Markdown read as wikitext would lose its marks, so clean once.
    """

    def clean(self, text: pl.Expr) -> pl.Expr:
        return amend(text, GUARD, to_markdown)
