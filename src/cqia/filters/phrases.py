"""Phrase lists, and how a text is matched against them.

A list is a text file in `words/`: one phrase a line, `#` opens a comment, and a number after the
phrase is its weight (1 without one). Lists are in simplified characters; ASCII case is ignored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import polars as pl

from cqia.errors import unknown
from cqia.text.buffers import batched
from cqia.text.prefixes import Pairs, may_hold, pairs


def shelf() -> list[str]:
    """The names of the lists that come with the package."""
    folder = files("cqia.filters") / "words"
    return sorted(one.name.removesuffix(".txt") for one in folder.iterdir())


@cache
def phrases(name: str) -> Mapping[str, int]:
    """The list of that name: phrase -> weight."""
    if name not in shelf():
        raise unknown("word list", name, shelf())
    text = (files("cqia.filters") / "words" / f"{name}.txt").read_text(encoding="utf-8")
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    weights = {}
    for line in filter(None, lines):
        phrase, _, weight = line.rpartition(" ")
        heavy = bool(phrase) and weight.isdecimal()
        weights[(phrase.strip() if heavy else line).lower()] = int(weight) if heavy else 1
    return MappingProxyType(weights)


@cache
def _pairs(listed: tuple[str, ...]) -> Pairs:
    return pairs(listed)


def weight(text: pl.Expr, weights: Mapping[str, int], allow: Iterable[str] = ()) -> pl.Expr:
    """The sum of the weights of the distinct phrases in a text; null stays null.

    Matching is leftmost-longest over the listed and the allowed phrases together, so an allowed
    phrase consumes its characters and a listed one inside it isn't seen.
    """
    listed = sorted(weights)
    allowed = set(allow)
    patterns = sorted({*listed, *allowed}, key=lambda phrase: (-len(phrase), phrase))
    values = {phrase: value for phrase, value in weights.items() if phrase not in allowed}

    def sums(batch: pl.Series) -> pl.Series:
        totals = pl.Series(batch.name, [0], dtype=pl.Int64).new_from_index(0, len(batch))
        rows = may_hold(batch, _pairs(tuple(listed))).arg_true()
        if rows.is_empty():
            return totals
        found = batch.gather(rows).str.extract_many(
            patterns, ascii_case_insensitive=True, leftmost=True
        )
        if not found.list.len().sum():
            return totals
        each = (
            pl.DataFrame({"row": rows, "phrase": found})
            .explode("phrase")
            .with_columns(pl.col("phrase").str.to_lowercase())
        )
        score = (
            each.unique()
            .with_columns(value=pl.col("phrase").replace_strict(values, default=0))
            .group_by("row")
            .agg(pl.col("value").sum())
        )
        return totals.scatter(score["row"], score["value"])

    return pl.when(text.is_not_null()).then(batched(text, sums, pl.Int64))
