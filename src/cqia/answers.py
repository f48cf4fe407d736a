"""Answers that models drafted, in the ledger: a row a record, kept in `work/answer/MODEL/`.

A drafted answer never changes what curate kept. It is put in where records are read for a dataset
or for a judge, and only where the source has no answer; so who wrote what can always be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from cqia import store
from cqia.errors import UserError

ANSWERS: dict[str, pl.DataType] = {
    "id": pl.String(),
    "source": pl.String(),
    "state": pl.String(),
    "output": pl.String(),
    "reply": pl.String(),
    "reason": pl.String(),
    "model": pl.String(),
    "family": pl.String(),
    "prompt": pl.String(),
    "note": pl.String(),
    "prompt_tokens": pl.Int64(),
    "reply_tokens": pl.Int64(),
}
"""Columns of a part's `answers.parquet`.

state: read (there is an answer), refused, cut (it breaks off), unreadable (nothing is left of it),
failed, unsent, or unasked. output: the answer, cleaned; null in every other state. reply: as it
came. reason: why there is no answer. model, family: who wrote it. prompt: the prompt's hash. note:
the hash of the person's note that went with the question; null where there was none.
"""

STATES = ("read", "refused", "cut", "unreadable", "failed", "unsent", "unasked")

WAITING = pl.col("output") == ""
"""A record that nobody has answered."""


def folder_of(work: Path, model: str) -> Path:
    """Where a model's answers stand."""
    return work / "answer" / model


def prints(work: Path, models: Sequence[str]) -> dict[str, str]:
    """The fingerprints of the answers that a dataset depends on.

    Raises:
        UserError: a model has drafted none here.
    """
    found = {}
    for model in models:
        facts = store.manifest(folder_of(work, model))
        if not facts:
            known = sorted(path.parent.name for path in (work / "answer").glob("*/manifest.json"))
            run = f"run: cqia answer --model {model} --work {work}"
            raise UserError(
                f"nothing was answered by {model}",
                where=str(work),
                mend=f"there is {', '.join(known)}" if known else run,
            )
        found[model] = f"{facts['fingerprint']} {facts['states']}"
    return found


def read(work: Path, model: str) -> pl.DataFrame:
    """Every row of a model's answers.

    Raises:
        UserError: it has drafted none here.
    """
    prints(work, [model])
    parts = store.parts(folder_of(work, model))
    return pl.concat(
        [pl.DataFrame(schema=ANSWERS), *(pl.read_parquet(one / "answers.parquet") for one in parts)]
    )


def drafted(work: Path, models: Sequence[str]) -> pl.DataFrame:
    """The answers of these models: id, answer, writer (`family/model`).

    Where several answered a record, the first of them wrote it.

    Raises:
        UserError: a model has drafted none here.
    """
    writer = pl.format("{}/{}", "family", "model")
    found = [
        read(work, model)
        .filter(state="read")
        .select("id", answer="output", writer=writer, turn=pl.lit(number))
        for number, model in enumerate(models)
    ]
    empty = pl.DataFrame(
        schema={"id": pl.String, "answer": pl.String, "writer": pl.String, "turn": pl.Int32}
    )
    table = pl.concat([empty, *found]).sort("turn", maintain_order=True)
    return table.unique("id", keep="first", maintain_order=True).drop("turn")


def put(records: pl.DataFrame, drafted: pl.DataFrame) -> pl.DataFrame:
    """Records (id, output, answer_from, …) with drafted answers where they had none, and `writer`.

    writer: `family/model` of a drafted answer; of all others what their source says (human, llm,
    expert): `llm` is a model that the source doesn't name.
    """
    joined = records.join(drafted, on="id", how="left", maintain_order="left")
    taken = WAITING & pl.col("answer").is_not_null()
    return joined.with_columns(
        output=pl.when(taken).then("answer").otherwise("output"),
        answer_from=pl.when(taken).then(pl.lit("llm")).otherwise("answer_from"),
        writer=pl.when(taken).then("writer").otherwise("answer_from"),
    ).drop("answer")


def family_of(writer: str) -> str:
    """The family of a `writer`: people are `human`, a model that nobody names is `unknown`."""
    if writer in ("human", "expert"):
        return "human"
    return writer.partition("/")[0] if "/" in writer else "unknown"
