"""cqia sources: the catalogue."""

from __future__ import annotations

import click
import polars as pl

from cqia.cli import show
from cqia.errors import unknown


@click.command(epilog="Example:  cqia sources zhihu")
@click.argument("name", required=False)
@show.format_option
def command(name: str | None, format_: str) -> None:
    """List the sources, or show the whole recipe of the source NAME."""
    from cqia import paper
    from cqia.filters.base import Filter
    from cqia.recipe import keys
    from cqia.sources.catalogue import CATALOGUE, SOURCES, page
    from cqia.sources.generic import READERS

    if name is None:
        rows = [
            {
                "source": one.name,
                "title": one.title,
                "type": one.type,
                "family": one.family,
                "reads": ", ".join(form.kind for form in one.forms),
                "paper": paper.quantity(one.name),
                "origin": one.origin,
                "licence": one.licence,
            }
            for one in CATALOGUE
        ]
        show.table(pl.DataFrame(rows), format_)
        if format_ == "table":
            theirs = sum(row["paper"] is not None for row in rows)
            show.line(f"{theirs} sources of the paper, {len(rows) - theirs} more")
            readers = ", ".join(READERS)
            show.line(f"your own: a [[source]] in a TOML with reader = one of {readers}")
        return
    if name not in SOURCES:
        raise unknown("source", name, SOURCES)
    source = SOURCES[name]
    if format_ == "table":
        show.line(page(source))
        show.line("")
    steps = [
        {"step": key, "kind": "filter" if isinstance(step, Filter) else "cleaner", "as": repr(step)}
        for key, step in zip(keys(source.steps), source.steps, strict=True)
    ]
    show.table(pl.DataFrame(steps), format_, title=f"{source.title} {source.origin}")
    if source.templates and format_ == "table":
        show.line("templates:")
        for template in source.templates:
            show.line(f"  {template}")
