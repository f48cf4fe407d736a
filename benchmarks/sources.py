"""Records a CPU second of every source, and how near the HTML sources come to the bare parser.

    python -m benchmarks.sources [SOURCE...]

Each source's samples, repeated, go through its reader and its whole recipe in one process, from
parsed raw items to kept records; files are read before. Samples of HTML pages stand in a frame that
makes them about as heavy as saved pages are (the median of `html_pages`, see docs/open-data.md:
62 KB, 29 % of it scripts and styles, 466 elements). The bare parser is lexbor's parse of the same
pages and `.text()` of the tree, timed side by side in turns, the best of several rounds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
from selectolax.lexbor import LexborHTMLParser

from cqia.cleaners.html_to_text import HtmlToText
from cqia.raw.plan import plan, read
from cqia.recipe import apply
from cqia.sources.base import Form, Source
from cqia.sources.catalogue import SOURCES
from cqia.stages.curate import records_of

SAMPLES = Path(__file__).parents[1] / "samples"
ITEMS = 2_000
PAGES = 400
ROUNDS = 5


def best(*works: Callable[[], object]) -> list[float]:
    """The least CPU seconds of each, in several rounds of turns."""
    least = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for place, work in enumerate(works):
            began = time.process_time()
            work()
            least[place] = min(least[place], time.process_time() - began)
    return least


def frame(number: int) -> tuple[str, str]:
    """What stands before and behind a page's own content: menus, scripts, teasers, a footer."""
    script = "".join(f'var a{n}={{"k{n}":{n * number},"s":"示例{n}"}};' for n in range(170))
    style = "".join(f".c{n}{{margin:{n}px;color:#{n:03d}}}" for n in range(120))
    menu = "".join(
        f'<li class="menu-item"><a href="https://www.example.org/c/{n}/">频道{n}</a></li>\n'
        for n in range(60)
    )
    teasers = "".join(
        f'<div class="teaser teaser-{n} clearfix" data-id="{n:08d}" data-track="list,{n},side">'
        f'<a class="teaser-link" href="https://www.example.org/article/2019/{n:09d}.html?from=side"'
        f' target="_blank" title="另一篇文章的标题，第{n}号"><img class="lazy" alt="另一篇的标题"'
        f' src="/static/blank.gif" data-src="https://img.example.org/2019/{n:012d}_320x180.jpg">'
        f'<span class="teaser-title ellipsis">另一篇文章的标题，第{n}号</span></a></div>\n'
        for n in range(60)
    )
    foot = "".join(f'<a href="/f/{n}" rel="nofollow">关于{n}</a>' for n in range(40))
    before = f"<script>{script}</script><style>{style}</style><nav><ul>{menu}</ul></nav>"
    after = f"<aside>{teasers}</aside><footer><p>{foot}</p></footer><script>{script}</script>"
    return before, after


def framed(html: str, number: int) -> str:
    """A sample page in the frame."""
    before, after = frame(number)
    at = html.find("<body")
    start = html.find(">", at) + 1 if at >= 0 else 0
    end = html.rfind("</body>")
    end = end if end >= start else len(html)
    return f"{html[:start]}{before}{html[start:end]}{after}{html[end:]}"


def batches(source: Source) -> list[tuple[Form, pl.DataFrame]]:
    """The source's samples as parsed items, repeated, by form."""
    forms = {form.kind: form for form in source.forms}
    found: dict[str, list[pl.DataFrame]] = {}
    files = sorted(str(path) for path in (SAMPLES / source.name).iterdir())
    for task in plan(files, forms):
        for batch in read(task, forms[task.pieces[0].kind].schema):
            found.setdefault(task.pieces[0].kind, []).append(batch.items)
    result = []
    for kind, frames in found.items():
        items = pl.concat(frames, how="diagonal_relaxed")
        times = (PAGES if kind == "html" else ITEMS) // len(items) + 1
        many = pl.concat([items] * times).with_columns(row=pl.int_range(pl.len()) + 1)
        if kind == "html":
            pages = [framed(html, n) for n, html in enumerate(many["html"])]
            many = many.with_columns(html=pl.Series(pages))
        result.append((forms[kind], many))
    return result


def whole(source: Source, form: Form, items: pl.DataFrame) -> int:
    """Items to kept and dropped records; returns how many were read."""
    from cqia.raw.faults import Batch, bad_rows

    records, _ = records_of(Batch(items, bad_rows([])), source, form)
    apply(records, source.steps)
    return len(records)


def page_speed(source: Source, form: Form, items: pl.DataFrame) -> tuple[float, float, float]:
    """Megabytes of HTML, seconds of the reader with the rendering, seconds of the bare parser."""
    pages = items["html"].to_list()
    render = next((step for step in source.steps if isinstance(step, HtmlToText)), None)

    def ours() -> None:
        made = form.read(items)
        if render:
            fields = [name for name in render.fields if name in made.columns]
            made.select(render.clean(pl.col(name)) for name in fields)

    def bare() -> None:
        for page in pages:
            LexborHTMLParser(page).text()

    seconds, parser = best(ours, bare)
    return sum(len(page.encode()) for page in pages) / 1e6, seconds, parser


def main(names: list[str]) -> None:
    print("| source | form | records a CPU second | HTML MB/s | bare parser MB/s | share |")
    print("|---|---|---:|---:|---:|---:|")
    for name in names or list(SOURCES):
        source = SOURCES[name]
        for form, items in batches(source):
            count = whole(source, form, items)
            (seconds,) = best(partial(whole, source, form, items))
            row = f"| {name} | {form.kind} | {count / seconds:,.0f} |"
            if form.kind == "html":
                size, ours, bare = page_speed(source, form, items)
                row += f" {size / ours:.0f} | {size / bare:.0f} | {bare / ours:.2f} |"
            else:
                row += " | | |"
            print(row, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
