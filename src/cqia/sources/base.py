"""What a source is: where its records come from, how its raw form is read, and its whole recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl
import polars_hash as plh

from cqia.recipe import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One raw form a source comes in.

    `read` turns a frame of raw items into a frame of records. Raw frames always hold `file`
    (String) and `row` (Int64: line, or item number where a format has no lines), and beside them,
    by kind:

    json: the fields of `schema`, decoded, one row a JSON value (a line, or an element of an array,
        or a whole document); fields that are absent are null.
    csv, parquet: the file's columns (csv: all String).
    html: `html` (String), one row a page.
    mediawiki: `title`, `text`, `page` (Int64), one row a page.
    text: `text`, one row a file.

    The frame it returns holds any of the columns of `cqia.record.SCHEMA` except `id` and `source`,
    carries `file` and `row` on, and adds `key` (String: the source's own key of the item; null
    makes the id depend on the content) and, where an item can't be read, `fault` (String: what is
    wrong with it; null for good rows). Rows with a fault go to the bad table. A raw item may become
    several records; none may vanish.
    """

    kind: str
    read: Callable[[pl.DataFrame], pl.DataFrame]
    schema: pl.Struct | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source of records: `raw files -> read -> steps -> kept and dropped`."""

    name: str
    """Also the prefix of its ids, its folder of samples, and its file in the release."""
    family: str
    """The release's config it belongs to."""
    type: str
    """The paper's type: social, knowledge, exam or nlp."""
    title: str
    """Its Chinese name."""
    origin: str
    """Where the raw items come from (a URL, or the name of a public dataset)."""
    licence: str
    """What is known of the rights in its text."""
    forms: tuple[Form, ...]
    """The raw forms it reads, at most one a kind."""
    steps: tuple[Step, ...]
    """Cleaners and filters, in order. Order matters."""
    templates: tuple[str, ...] = ()
    """The wordings an instruction is made with; empty when the page's own question is used."""
    answers: int | None = 1
    """Answers that one question keeps in dedup; None: all."""
    labels: dict[str, object] = field(default_factory=dict)
    """Constant record columns: task_major, task_minor, domain, answer_from, copyright, …"""


def pick(count: int, key: pl.Expr, *, seed: int = 0) -> pl.Expr:
    """A seeded choice of 0..count-1 for each key: the same key and seed always choose the same."""
    digest = plh.concat_str(pl.lit(f"{seed}/"), key).nchash.xxh3_64()
    return (digest % count).cast(pl.Int64)


def fill(
    templates: tuple[str, ...], key: pl.Expr, fields: dict[str, pl.Expr], *, seed: int = 0
) -> pl.Expr:
    """Fill `{name}` in a template chosen by `pick` with the fields' texts."""
    text = pl.lit(pl.Series(list(templates)), dtype=pl.String).gather(
        pick(len(templates), key, seed=seed)
    )
    for name, value in fields.items():
        text = text.str.replace_all("{" + name + "}", value, literal=True)
    return text
