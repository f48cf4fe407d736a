# ruff: noqa: E501
"""Whole readers, cleaners, filters and parsers as functions of one text, for the growth of their time."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
import polars as pl

from cqia.auditing.audit import audit
from cqia.benchmarks.belle_eval import read_score
from cqia.benchmarks.refusal import behaves
from cqia.cleaners.base import Cleaner
from cqia.filters.base import Filter
from cqia.judges.catalogue import JUDGES
from cqia.judges.pairwise import PAIRWISE
from cqia.llm.endpoint import Answer, Endpoint
from cqia.sources.base import Form, Source
from cqia.sources.catalogue import CATALOGUE
from cqia.sources.generic import generic
from cqia.tables import escape, escape_latex, plain
from cqia.text.choices import find, official
from cqia.text.main_text import main_text
from fuzz.attacks import GENERAL, Attack
from fuzz.draw import PIECES
from fuzz.forms import ENDINGS, LAYOUTS, _headers
from fuzz.ground import batches, curated, folder, placed
from fuzz.growth import Reads
from fuzz.raws import SCHEMA
from fuzz.steps import UNITS, cleaned, record, rules

PAIRS = (("<b>", "</b>"), ("[", "]"), ("[[", "]]"), ("{{", "}}"), ("{|", "|}"), ("(", ")"), ("`", "`a"),
         ("“", "”"), ("<!--", "-->"), ("甲\n", "乙\n"), ("1. ", "2. "), ("<p>", "甲"), ("A", "B"))  # fmt: skip


def many() -> list[Attack]:
    """Attacks on what reads any text."""
    units = [one for one in dict.fromkeys((*GENERAL, *PIECES)) if one]
    found = [Attack("", one) for one in units] + [Attack("", *pair) for pair in PAIRS]
    return found + [Attack("甲", one, "", "乙") for one in units[:40]]


def few() -> list[Attack]:
    """Attacks on what reads, cleans and measures whole records, which takes longer each time."""
    return [Attack("", one) for one in GENERAL] + [Attack("", *pair) for pair in PAIRS]


def _cleaned(unit: Cleaner, text: str) -> object:
    return cleaned(unit, [text])


def _measured(rule: Filter, text: str) -> object:
    from fuzz.draw import Draw

    given = record(Draw(b""), 1).with_columns(
        pl.lit(text).alias(name) for name in ("instruction", "input", "output", "question")
    )
    return given.select(rule.measure())


def _leaf(kind: Any, text: str) -> Any:  # noqa: ANN401
    """A value of a schema whose every text is this one."""
    if isinstance(kind, pl.Struct):
        return {field.name: _leaf(field.dtype, text) for field in kind.fields}
    if isinstance(kind, pl.List):
        return [_leaf(kind.inner, text)]
    return text if kind == pl.String else 1


def _read(source: Source, form: Form, text: str) -> object:
    """One item whose texts are all this one, read without the recipe."""
    if form.kind == "json":
        body = orjson.dumps(_leaf(form.schema, text))
    elif form.kind == "csv":
        held = io.StringIO()
        names = _headers(source.name)[-1]
        csv.writer(held).writerows([names, [text] * len(names)])
        body = held.getvalue().encode("utf-8", "ignore")
    else:
        body = text.encode("utf-8", "ignore")
    file = placed(f"growth.{ENDINGS[form.kind]}", body)
    return curated(source, form, file, steps=False)


def _raw(kind: str, name: str, text: str) -> object:
    return batches(placed(name, text.encode("utf-8", "ignore")), kind, SCHEMA)


def _audited(text: str) -> object:
    file = placed("growth.jsonl", orjson.dumps({"instruction": "问", "output": text}))
    return audit([file], folder=folder() / "growth", fix=True)


def _answered(text: str) -> object:
    model = Endpoint(name="x", url="http://127.0.0.1:1/v1")
    body = text.encode("utf-8", "ignore")
    return model.read(body), model._refusal(Answer(500, text[:9], body))


OPTIONS = ("甲乙丙丁", "一", "A")


def parsers() -> dict[str, Reads]:
    """What reads replies, and what makes a text fit to be shown."""
    found: dict[str, Reads] = {
        f"judge {one.name}": one.read for one in (*JUDGES.values(), PAIRWISE)
    }
    return {
        **found,
        "choices": lambda text: (find(text, OPTIONS), official(text, OPTIONS)),
        "belle score": read_score,
        "refusal": behaves,
        "endpoint": _answered,
        "main text": main_text,
        "plain, escape, latex": lambda text: (plain(text), escape(text), escape_latex(text)),
    }


def steps() -> dict[str, Reads]:
    """Cleaners and filters."""
    found: dict[str, Reads] = {
        repr(unit).partition("(fields")[0]: partial(_cleaned, unit) for unit in UNITS
    }
    return found | {one.key: partial(_measured, one) for one in rules()}


def readers() -> dict[str, Callable[[str], object]]:
    """Raw forms, every source's forms, the generic ones, and the audit."""
    kinds = {
        "json": "x.jsonl",
        "csv": "x.csv",
        "html": "x.html",
        "mediawiki": "x.xml",
        "text": "x.txt",
    }
    found: dict[str, Reads] = {
        f"raw {kind}": partial(_raw, kind, name) for kind, name in kinds.items()
    }
    found["raw json values"] = partial(_raw, "json", "x.json")
    found["raw warc"] = partial(_raw, "html", "x.warc")
    generics = [generic(name="fuzz", layout=layout) for layout in LAYOUTS.values()]
    for source in (*CATALOGUE, *generics):
        for form in source.forms:
            name = f"{source.name} {form.kind}" if source.name != "fuzz" else f"generic {form.kind}"
            found.setdefault(name, partial(_read, source, form))
    return found | {"audit --fix": _audited}
