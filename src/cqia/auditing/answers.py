"""Rules over a question and its answer: the filters of this package, asked of a finished dataset.

Nothing is dropped by them: a finding says what a filter would have turned away, with its measure.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.filters.adverts import Adverts, ObfuscatedAdverts
from cqia.filters.base import Filter, within
from cqia.filters.context import PICTURE, TABLE, MissingContext
from cqia.filters.echo import SameAsInstruction
from cqia.filters.phrases import phrases
from cqia.filters.refusals import REFUSAL, Refusals
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.sensitive import CATEGORIES, SensitiveWords
from cqia.filters.truncation import Truncation


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRule:
    """A filter, and where the text shows what it found."""

    kind: str
    severity: str
    about: str
    step: Filter
    field: str = "output"
    """The text that is shown; the finding's path is always the answer's."""
    pattern: str = ""
    """Rust regex of what is shown; empty: the text's end for `tail`, else its start."""
    words: tuple[str, ...] = ()
    """Phrases one of which is shown."""
    tail: bool = False
    worded: bool = False
    """Whether runs of signs are left out of what is measured: a table's rules and a drawing's frame
    repeat rightly."""
    unless: str = ""
    """A kind that says more: where it is found, this one isn't told."""


_SIGNS = r"[^\p{L}\p{N}\n]{4,}"

_ANY_LINE = 1_000_000
"""Longer than a line: what only lacks a sentence mark is `no_end_mark`."""

ANSWER_RULES: tuple[AnswerRule, ...] = (
    AnswerRule(
        kind="refusal",
        severity="warning",
        about="the answer refuses, or speaks of itself as a model",
        step=Refusals(),
        pattern=REFUSAL,
    ),
    AnswerRule(
        kind="advert",
        severity="warning",
        about="advert or give-away",
        step=Adverts(),
        words=tuple(phrases("adverts")),
    ),
    AnswerRule(
        kind="disguised_advert",
        severity="warning",
        about="advert words broken up or written with look-alikes",
        step=ObfuscatedAdverts(),
    ),
    AnswerRule(
        kind="truncated",
        severity="warning",
        about="the answer ends with a comma, a colon, an open bracket or an open code block",
        step=Truncation(short=_ANY_LINE),
        tail=True,
    ),
    AnswerRule(
        kind="no_end_mark",
        severity="note",
        about="the answer's last line ends in the middle of words; often only carelessness",
        step=Truncation(),
        tail=True,
        unless="truncated",
    ),
    AnswerRule(
        kind="echo",
        severity="error",
        about="the answer is the question over again",
        step=SameAsInstruction(),
    ),
    AnswerRule(
        kind="missing_context",
        severity="warning",
        about="the question leans on a picture, table or recording that is not there",
        step=MissingContext(),
        field="instruction",
        pattern=f"{PICTURE}|{TABLE}",
    ),
    AnswerRule(
        kind="repeated_lines",
        severity="warning",
        about="lines repeat in the answer",
        step=LineRepetition(),
        worded=True,
    ),
    AnswerRule(
        kind="repeated_ngrams",
        severity="warning",
        about="the answer loops",
        step=NgramRepetition(),
        worded=True,
    ),
    *(
        AnswerRule(
            kind=f"sensitive.{category}",
            severity="note",
            about=f"words of {category} in the answer; often harmless where they stand",
            step=SensitiveWords(category=category),
            words=tuple(phrases(category)),
        )
        for category in CATEGORIES
    ),
)

HITS = pl.Schema({"row": pl.UInt32(), "kind": pl.String(), "value": pl.Float64(), "at": pl.Int64()})
"""row: of the exchange; value: the filter's measure; at: first character of what is shown."""


def answer_hits(exchanges: pl.DataFrame, rules: tuple[AnswerRule, ...]) -> pl.DataFrame:
    """What the rules find.

    Args:
        exchanges: the columns instruction, input and output.
        rules: which of ANSWER_RULES.
    """
    given = exchanges.with_columns(
        instruction=pl.concat_str("instruction", "input", separator="\n")
    )
    worded = given.with_columns(pl.col("output").str.replace_all(_SIGNS, " "))
    found = [HITS.to_frame()]
    for rule in rules:
        frame = exchanges if rule.kind == "echo" else worded if rule.worded else given
        low, high = rule.step.low, rule.step.high
        value = frame.select(rule.step.measure().cast(pl.Float64)).to_series()
        rows = (~pl.select(within(pl.lit(value), low, high)).to_series()).arg_true()
        if rows.is_empty():
            continue
        text = given[rule.field].gather(rows)
        hit = pl.DataFrame({"row": rows, "value": value.gather(rows), "at": _place(rule, text)})
        found.append(hit.with_columns(kind=pl.lit(rule.kind)).select(*HITS).cast(HITS))
    every = pl.concat(found)
    for rule in rules:
        if rule.unless:
            better = every.filter(kind=rule.unless)["row"].implode()
            every = every.filter((pl.col("kind") != rule.kind) | ~pl.col("row").is_in(better))
    return every


def _place(rule: AnswerRule, text: pl.Series) -> pl.Series:
    """The first character of what a finding shows."""
    if rule.tail:
        return text.str.len_chars().cast(pl.Int64)
    if rule.pattern:
        before = text.str.extract(f"(?s)^(.*?)(?:{rule.pattern})")
        return before.fill_null("").str.len_chars().cast(pl.Int64)
    lower = text.str.to_lowercase().to_list()
    first = [min((one.find(w) for w in rule.words if w in one), default=0) for one in lower]
    return pl.Series("at", first, dtype=pl.Int64)
