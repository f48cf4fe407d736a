"""How much of saved pages' main text is kept, and how much else, beside other extractors.

    pip install trafilatura readability-lxml
    python -m benchmarks.main_text

Needs the pages (`CQIA_DATA`, see docs/open-data.md). Prints Markdown: a row a page, lines found of
the lines wanted, and right lines of the lines kept; then all pages, and megabytes a CPU second.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
from tests.main_text import Score, key, score

from cqia.cleaners.boilerplate import Boilerplate
from cqia.raw.encoding import decode_page
from cqia.text.main_text import main_text
from cqia.text.markup import to_markdown

DATA = Path(os.environ.get("CQIA_DATA", "../shared/data")) / "html_pages"
ROUNDS = 5


def ours(html: str) -> str:
    return to_markdown(main_text(html) or "")


def with_boilerplate(html: str) -> str:
    return str(pl.select(Boilerplate().clean(pl.lit(ours(html)))).item())


def trafilatura(html: str) -> str:
    from trafilatura import extract

    return extract(html) or ""


def readability(html: str) -> str:
    from readability import Document

    return to_markdown(Document(html).summary())


TOOLS: dict[str, Callable[[str], str]] = {
    "cqia": ours,
    "cqia, then Boilerplate": with_boilerplate,
    "trafilatura": trafilatura,
    "readability": readability,
}


def row(*cells: object) -> None:
    print(f"| {' | '.join(map(str, cells))} |")


def shown(found: Score) -> str:
    return f"{found.found}/{found.wanted}, {found.right}/{found.kept}"


def main() -> None:
    keys = key()
    pages = {name: decode_page((DATA / f"{name}.html").read_bytes()) for name in keys}
    row("page", *TOOLS)
    row(*["---"] * (1 + len(TOOLS)))
    total = {name: Score(0, 0, 0, 0) for name in TOOLS}
    for page, html in pages.items():
        found = {name: score(tool(html), keys[page]) for name, tool in TOOLS.items()}
        row(page, *map(shown, found.values()))
        total = {
            name: Score(*(a + b for a, b in zip(total[name], found[name], strict=True)))
            for name in TOOLS
        }
    row("recall", *(f"{one.recall:.3f}" for one in total.values()))
    row("precision", *(f"{one.precision:.3f}" for one in total.values()))
    size = sum(len(html.encode()) for html in pages.values()) * ROUNDS / 1e6
    speed = []
    for tool in TOOLS.values():
        began = time.process_time()
        for _ in range(ROUNDS):
            for html in pages.values():
                tool(html)
        speed.append(f"{size / (time.process_time() - began):.1f}")
    row("MB a CPU second", *speed)


if __name__ == "__main__":
    main()
