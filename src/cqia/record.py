"""The record: one instruction with its answer, and what is known of both.

Every stage passes records on as Polars frames with these columns. The release's nine-key form
(`task_type`, `metadata`, …) lives in the exporter only.
"""

from __future__ import annotations

import polars as pl

TEXT = ("instruction", "input", "output")
"""The text columns, in the order a model reads them."""

TURN = pl.Struct({"instruction": pl.String, "output": pl.String})
"""One earlier turn of a conversation."""

SCHEMA: dict[str, pl.DataType] = {
    "id": pl.String(),
    "source": pl.String(),
    "instruction": pl.String(),
    "input": pl.String(),
    "output": pl.String(),
    "system": pl.String(),
    "history": pl.List(TURN),
    "task_major": pl.List(pl.String),
    "task_minor": pl.List(pl.String),
    "domain": pl.List(pl.String),
    "metadata": pl.String(),
    "answer_from": pl.String(),
    "human_verified": pl.Boolean(),
    "copyright": pl.String(),
    "licence": pl.String(),
    "question": pl.String(),
    "votes": pl.Int64(),
    "comments": pl.Int64(),
    "date": pl.Date(),
    "file": pl.String(),
    "row": pl.Int64(),
}
"""Column -> type.

id: `source-key`, unique and stable: it depends on the source's own key, or on the content.
system, history: what stood before the last turn; empty for single-turn records.
answer_from: human, llm or expert.
question: what several answers to one question share; null when the source has one answer each.
votes, comments, date: null when the source does not say.
file, row: where the raw item stood: the file's path as given, and its line (1-based), or its item
number in formats without lines.
"""

DEFAULTS: dict[str, pl.Expr] = {
    "input": pl.lit(""),
    "system": pl.lit(""),
    "history": pl.lit([], dtype=pl.List(TURN)),
    "task_major": pl.lit([], dtype=pl.List(pl.String)),
    "task_minor": pl.lit([], dtype=pl.List(pl.String)),
    "domain": pl.lit([], dtype=pl.List(pl.String)),
    "metadata": pl.lit(""),
    "answer_from": pl.lit("human"),
    "human_verified": pl.lit(False),
    "copyright": pl.lit(""),
    "licence": pl.lit(""),
    "question": pl.lit(None, dtype=pl.String),
    "votes": pl.lit(None, dtype=pl.Int64),
    "comments": pl.lit(None, dtype=pl.Int64),
    "date": pl.lit(None, dtype=pl.Date),
}
"""What a source that says nothing of a column gets."""
