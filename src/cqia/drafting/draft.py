"""How an answer is asked for, and what is made of the reply.

COIG-CQIA had people note the fallacy in each of Ruozhiba's questions and GPT-4 draft the answer
from the note; its prompt is not published, so the wording is this project's. The prompt's file
carries its version: a changed prompt is a new file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.refusals import Refusals
from cqia.filters.truncation import Truncation
from cqia.judges.base import fence
from cqia.llm.protocol import Request, Sampling

VERSION = 1
CLEANERS: tuple[Cleaner, ...] = (
    RepairUnicode(fields=("output",)),
    WhiteSpace(fields=("output",)),
    MaskPersonalData(fields=("output",)),
)
"""What every answer goes through, a model's too."""
REFUSALS = Refusals(field="output")
TRUNCATION = Truncation(field="output")


class Draft(NamedTuple):
    """What a reply came to: its state, the answer, and why there is none."""

    state: str
    output: str | None
    reason: str | None = None


@cache
def prompt() -> str:
    """The text of the prompt."""
    return (files("cqia.drafting") / f"answer-{VERSION}.txt").read_text(encoding="utf-8")


def mark() -> str:
    """A short hash of the prompt: it stands beside every answer."""
    return hashlib.sha256(prompt().encode()).hexdigest()[:12]


def ask(instruction: str, input: str, note: str = "", *, max_tokens: int = 1_024) -> Request:
    """The request for an answer, drawn at temperature 0.

    Args:
        instruction: the question.
        input: what it is about; empty: nothing.
        note: a person's note on the trap in it; empty: none.
        max_tokens: of the answer.
    """
    told = fence([("问题", instruction), ("材料", input), ("批注", note)], what="待答内容")
    messages = (("system", prompt()), ("user", told))
    return Request(messages=messages, sampling=Sampling(max_tokens=max_tokens))


def read(replies: Sequence[tuple[str, str]]) -> list[Draft]:
    """What replies (text, why the model stopped) came to, in their order."""
    frame = pl.DataFrame(
        {"output": [text.strip() for text, _ in replies]}, schema={"output": pl.String}
    ).with_columns(finish=pl.Series([finish for _, finish in replies], dtype=pl.String))
    for cleaner in CLEANERS:
        frame = frame.with_columns(output=cleaner.clean(pl.col("output")))
    measured = frame.with_columns(
        refused=REFUSALS.measure() > 0, cut=(TRUNCATION.measure() > 0).fill_null(False)
    )
    return [_draft(*row) for row in measured.iter_rows()]


def _draft(output: str, finish: str, refused: bool, cut: bool) -> Draft:
    if not output.strip():
        return Draft("unreadable", None, "nothing is left of the reply")
    if finish == "length":
        return Draft("cut", None, "the reply was cut off")
    if finish == "content_filter":
        return Draft("cut", None, "the provider's filter cut the reply off")
    if refused:
        return Draft("refused", None, "the model refuses, or speaks of itself")
    if cut:
        return Draft("cut", None, "the reply breaks off")
    return Draft("read", output)
