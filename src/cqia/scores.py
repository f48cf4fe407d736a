"""The scores in the ledger: a row a record and repeat, kept in `work/score/JUDGE@MODEL/`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import polars as pl

from cqia import store
from cqia.errors import UserError
from cqia.judges.base import Judge
from cqia.llm.protocol import Failure, Outcome

SCORES: dict[str, pl.DataType] = {
    "id": pl.String(),
    "source": pl.String(),
    "repeat": pl.Int64(),
    "state": pl.String(),
    "score": pl.Float64(),
    "verdict": pl.String(),
    "reply": pl.String(),
    "reason": pl.String(),
    "prompt_tokens": pl.Int64(),
    "reply_tokens": pl.Int64(),
}
"""Columns of a part's `scores.parquet`.

state: read, unreadable, failed, unsent, or unasked (the record has no text for this judge).
score: the verdict's number; null in every other state, and for judges of labels. verdict: the
reply's fields as JSON. reply: as it came. reason: why there is none, or why it is unreadable.
"""


AGAIN = pl.col("state").is_in(["failed", "unsent"]) & ~pl.col("reason").str.contains(
    r"^(?:judge: )?too long"
)
"""Rows that asking again may mend: while there are any, a result is not complete. A text that is
longer than the model can read stays so."""


def folder_of(work: Path, judge: str, model: str) -> Path:
    """Where a judge's scores by a model stand."""
    return work / "score" / f"{judge}@{model}"


def agreement(work: Path, judge: str, model: str) -> pl.DataFrame:
    """A row a source: records, states, the mean score, and how far repeats lie apart.

    spread: the mean, over records read more than once, of the standard deviation (of a sample) of
    their scores; null without repeats. error: the standard error of the mean over records.

    Raises:
        UserError: nothing was scored so.
    """
    rows = read(work, judge, model)
    read_ = rows.filter(state="read")
    each = read_.group_by("source", "id", maintain_order=True).agg(
        mean=pl.col("score").mean(), sd=pl.col("score").std()
    )
    means = each.group_by("source").agg(
        n=pl.len(),
        mean=pl.col("mean").mean(),
        error=pl.col("mean").std() / pl.len().sqrt(),
        spread=pl.col("sd").mean(),
    )
    states = ("read", "unreadable", "failed", "unsent", "unasked")
    counts = rows.group_by("source", maintain_order=True).agg(
        records=pl.col("id").n_unique(), **{s: (pl.col("state") == s).sum() for s in states}
    )
    return counts.join(means, on="source", how="left", maintain_order="left")


def read(work: Path, judge: str, model: str) -> pl.DataFrame:
    """Every row of a judge's scores by a model.

    Raises:
        UserError: nothing was scored so.
    """
    folder = folder_of(work, judge, model)
    if not store.manifest(folder):
        known = sorted(path.name for path in (work / "score").glob("*@*"))
        mend = (
            f"there is {', '.join(known)}" if known else f"run: cqia score {judge} --model {model}"
        )
        raise UserError(f"nothing was scored by {judge}@{model}", where=str(work), mend=mend)
    parts = [pl.read_parquet(part / "scores.parquet") for part in store.parts(folder)]
    return pl.concat([pl.DataFrame(schema=SCORES), *parts])


def verdict_of(judge: Judge, outcome: Outcome | None) -> tuple[Any, ...]:
    """What an outcome comes to: state, score, verdict, reply, reason, and tokens of both kinds."""
    if outcome is None:
        return "unasked", None, None, None, "no text for this judge", None, None
    if isinstance(outcome, Failure):
        return outcome.state, None, None, None, outcome.why, None, None
    tokens = (outcome.prompt_tokens, outcome.reply_tokens)
    if outcome.finish == "length":
        return "unreadable", None, None, outcome.text, "the reply was cut off", *tokens
    verdict = judge.read(outcome.text)
    if verdict is None:
        return "unreadable", None, None, outcome.text, "not in the judge's form", *tokens
    number = float(verdict[judge.score]) if judge.score else None
    return "read", number, orjson.dumps(verdict).decode(), outcome.text, None, *tokens
