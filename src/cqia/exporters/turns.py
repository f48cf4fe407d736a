"""A record as a conversation: its earlier turns, then the prompt and the answer."""

from __future__ import annotations

import polars as pl


def prompt() -> pl.Expr:
    """Instruction and input as one text, the input on a new line where there is one."""
    own = pl.when(pl.col("input") != "").then("input")
    return pl.concat_str("instruction", own, separator="\n", ignore_nulls=True)


def conversation(
    records: pl.DataFrame, *, who: str, what: str, user: str, assistant: str, system: str = ""
) -> pl.Series:
    """The turns as a list of structs `{who, what}`.

    Args:
        records: columns of `cqia.record.SCHEMA`.
        who: key of the speaker.
        what: key of the text.
        user: the speaker who asks.
        assistant: the speaker who answers.
        system: the speaker of the system text, which comes first; "": it is left out.
    """

    def turn(speaker: str, text: pl.Expr) -> pl.Expr:
        return pl.struct(pl.lit(speaker).alias(who), text.fill_null("").alias(what))

    last = pl.concat_list(turn(user, prompt()), turn(assistant, pl.col("output")))
    lists = [last]
    if records.select((pl.col("history").list.len() > 0).any()).item():
        field = pl.element().struct.field
        pairs = pl.concat_list(turn(user, field("instruction")), turn(assistant, field("output")))
        lists.insert(0, pl.col("history").list.eval(pairs).list.eval(pl.element().explode()))
    if system and records.select((pl.col("system") != "").any()).item():
        first = pl.concat_list(turn(system, pl.col("system")))
        none = pl.lit([], dtype=pl.List(pl.Struct({who: pl.String, what: pl.String})))
        lists.insert(0, pl.when(pl.col("system") != "").then(first).otherwise(none))
    return records.select(pl.concat_list(lists).alias("turns")).to_series()
