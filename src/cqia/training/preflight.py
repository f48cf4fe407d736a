"""What training would do with each record, looked at before a step is taken.

Every record is written in tokens as the trainer will have it, and judged: too long, no answer, no
prompt, marks of the template in its text. What is dropped is counted by source and rule; what is
kept trains at least one token, or that is an error, because a run in which nothing is learnt ends
with a loss of 0.0 and looks well. No record is ever cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cqia.errors import UserError
from cqia.training.chat import Chat, Conversation, Rendered, conversation
from cqia.workers import Progress

BATCH = 500
"""Records that are written in tokens at a time."""
RULES = ("EmptyPrompt", "EmptyAnswer", "SpecialTokens", "TooLong")
"""Why a record is dropped, in this order.

EmptyPrompt, EmptyAnswer: so many characters besides white space. SpecialTokens: so many of the
template's own marks in its texts, which the tokenizer would obey. TooLong: so many tokens.
"""
ROWS: dict[str, pl.DataType] = {
    "id": pl.String(),
    "source": pl.String(),
    "kept": pl.Boolean(),
    "rule": pl.String(),
    "value": pl.Int64(),
    "low": pl.Int64(),
    "high": pl.Int64(),
    "prompt_tokens": pl.Int64(),
    "answer_tokens": pl.Int64(),
    "tokens": pl.Int64(),
    "served": pl.Boolean(),
    "repeats_prompt": pl.Boolean(),
}
"""A row a record: rule, value and bounds where it is dropped. answer_tokens: those that are learnt.
served: a server would make the same tokens of its prompt. repeats_prompt: an earlier record asks
the same."""

Ids = npt.NDArray[np.int32]
Trained = npt.NDArray[np.bool_]


class Checked(NamedTuple):
    """A row a record (`ROWS`), and the tokens of the kept ones in the same order."""

    rows: pl.DataFrame
    ids: list[Ids]
    trained: list[Trained]


def check(
    records: pl.DataFrame,
    chat: Chat,
    *,
    max_tokens: int,
    over_long: str = "drop",
    progress: Progress | None = None,
) -> Checked:
    """Look at records, and `refuse` those that must not be trained on."""
    looked = look(records, chat, max_tokens=max_tokens, progress=progress)
    refuse(looked.rows, chat, over_long=over_long)
    return looked


def look(
    records: pl.DataFrame, chat: Chat, *, max_tokens: int, progress: Progress | None = None
) -> Checked:
    """Write records in tokens and judge each.

    Args:
        records: columns id, source, instruction, output; input, system and history where there are.
        chat: whose template and tokens.
        max_tokens: the longest that is kept.
        progress: told as it goes on.

    Raises:
        UserError: there are no records, or the template refuses one.
    """
    _columns(records)
    rows: list[dict[str, object]] = []
    ids: list[Ids] = []
    trained: list[Trained] = []
    asked: dict[str, str] = {}
    for part in records.iter_slices(BATCH):
        batch = part.to_dicts()
        turns = [_turns(one) for one in batch]
        faults = [_fault(one, chat) for one in turns]
        sound = [one for one, fault in zip(turns, faults, strict=True) if not fault]
        rendered = iter(chat.render(sound))
        for record, turn, fault in zip(batch, turns, faults, strict=True):
            row = _row(record, turn, asked)
            if not fault:
                made = next(rendered)
                row |= _measured(made)
                fault = _too_long(len(made.ids), max_tokens)
                if not fault:
                    ids.append(made.ids)
                    trained.append(made.trained)
            rows.append(row | (fault or {"kept": True}))
        if progress:
            progress(len(rows), len(records), "preflight")
    return Checked(pl.DataFrame(rows, schema=ROWS), ids, trained)


def summary(rows: pl.DataFrame) -> pl.DataFrame:
    """A row a source: records by fate, their lengths in tokens, and what is worth a look.

    Lengths are of all records that have a prompt and an answer, those that are too long included.
    truncated is 0 because no record is ever cut; zero_loss is 0 because it would be an error.
    """
    kept = pl.col("kept")
    dropped = [(pl.col("rule") == rule).sum().alias(rule) for rule in RULES]
    lengths = [
        value.alias(f"{what}_{name}")
        for what in ("prompt", "answer")
        for column in (pl.col(f"{what}_tokens"),)
        for name, value in (
            ("median", column.quantile(0.5, "nearest").cast(pl.Int64)),
            ("p95", column.quantile(0.95, "nearest").cast(pl.Int64)),
            ("max", column.max()),
        )
    ]
    return (
        rows.with_columns(pl.col("rule").fill_null(""))
        .group_by("source", maintain_order=True)
        .agg(
            pl.len().alias("read"),
            kept.sum(),
            (~kept).sum().alias("dropped"),
            *dropped,
            pl.lit(0).alias("truncated"),
            (kept & (pl.col("answer_tokens") == 0)).sum().alias("zero_loss"),
            (kept & pl.col("repeats_prompt")).sum().alias("same_prompt"),
            (kept & pl.col("served")).sum().alias("served_alike"),
            *lengths,
            pl.col("answer_tokens").filter(kept).sum().alias("learnt_tokens"),
        )
        .sort("source")
    )


def _columns(records: pl.DataFrame) -> None:
    missing = {"id", "source", "instruction", "output"} - set(records.columns)
    if missing:
        raise UserError(f"the records lack the columns {', '.join(sorted(missing))}")
    if not len(records):
        raise UserError("there are no records to train on")


def _turns(record: dict[str, object]) -> Conversation:
    texts = {name: str(record.get(name) or "") for name in ("instruction", "input", "output")}
    history = record.get("history") or ()
    assert isinstance(history, Sequence)
    return conversation(**texts, system=str(record.get("system") or ""), history=history)


def _row(
    record: dict[str, object], turns: Conversation, asked: dict[str, str]
) -> dict[str, object]:
    """A record's row as far as it is known without tokens."""
    prompt = "\x1f".join(turn["content"] for turn in turns[:-1])
    key = str(record["id"])
    return {
        "id": key,
        "source": record["source"],
        "kept": False,
        "repeats_prompt": asked.setdefault(prompt, key) != key,
    }


def _measured(made: Rendered) -> dict[str, object]:
    learnt = int(made.trained.sum())
    sizes = {"answer_tokens": learnt, "tokens": len(made.ids)}
    return {"prompt_tokens": len(made.ids) - learnt, **sizes, "served": made.served}


def _fault(turns: Conversation, chat: Chat) -> dict[str, object] | None:
    """The first rule that a record breaks before it is written in tokens."""
    for rule, turn in zip(RULES[:2], turns[-2:], strict=True):
        if not turn["content"].strip():
            return {"rule": rule, "value": 0, "low": 1}
    marks = sum(turn["content"].count(mark) for turn in turns for mark in chat.special)
    return {"rule": "SpecialTokens", "value": marks, "high": 0} if marks else None


def _too_long(size: int, most: int) -> dict[str, object] | None:
    return {"rule": "TooLong", "value": size, "high": most} if size > most else None


def refuse(rows: pl.DataFrame, chat: Chat, *, over_long: str = "drop") -> None:
    """Stop where going on would train nothing, or something else than is meant.

    Raises:
        UserError: a record would train nothing; a prompt would be served in other tokens; over_long
            is `error` and a record breaks a rule; or nothing of a source is left.
    """
    nothing = rows.filter(pl.col("kept") & (pl.col("answer_tokens") == 0))
    if len(nothing):
        raise UserError(
            f"{len(nothing)} records would train nothing: no token of their answers is learnt",
            where=f"{nothing['source'][0]}: {nothing['id'][0]}",
            mend=f"look at the chat template of {chat.name}",
        )
    broken = rows.filter(~pl.col("kept"))
    if over_long == "error" and len(broken):
        first = broken.row(0, named=True)
        bound = first["high"] if first["low"] is None else first["low"]
        raise UserError(
            f"{len(broken)} records can't be trained on;"
            f" the first by {first['rule']}: {first['value']}, the bound is {bound}",
            where=f"{first['source']}: {first['id']}",
            mend="drop them (over_long = drop), or allow more with max_tokens",
        )
    left = rows.group_by("source").agg(pl.col("kept").any(), pl.col("rule").first())
    for source, _, rule in left.filter(~pl.col("kept")).sort("source").iter_rows():
        raise UserError(
            f"no record is left to train on; the first was dropped by {rule}",
            where=str(source),
            mend="look at them: cqia preflight, or allow more with max_tokens",
        )
    other = rows.filter(pl.col("kept") & ~pl.col("served"))
    if len(other):
        raise UserError(
            f"{len(other)} prompts would be served in other tokens than they are trained in",
            where=f"{other['source'][0]}: {other['id'][0]}",
            mend=f"in {chat.name}, the template must let an answer begin at a token of its own",
        )
