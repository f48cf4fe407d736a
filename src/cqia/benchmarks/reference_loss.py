"""Bits per character of reference answers: no judge, no sampling, and small differences show.

A model reads the question through its own chat template, and the reference is weighed as what
follows: its negative log-probability to base 2, over its characters. Tokenizers differ, characters
don't, so models of different families can be compared. Lower is better.

Any JSON or CSV of questions and references serves, Belle-Eval's among it; or records, such as the
held-out split of a dataset: `items_of`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import polars as pl

from cqia.benchmarks.base import Benchmark, Graded, Item, Metric, Render, Total
from cqia.benchmarks.choosing import finite
from cqia.benchmarks.questions import questions
from cqia.llm.protocol import Asking, Choosing, Messages, Reply

LOSS = Metric("reference loss", "bits per character", "lower")


@dataclass(frozen=True, kw_only=True)
class ReferenceLoss(Benchmark):
    """Bits per character of references."""

    name: str = "reference-loss"
    version: int = 1
    metric: Metric = LOSS
    more: ClassVar[Mapping[str, Any]] = {"characters": pl.Int64, "tokens": pl.Int64}

    @property
    def folder(self) -> str:
        return "belle_eval"

    def items(self, files: Sequence[str]) -> list[Item]:
        return [with_reference(item) for item in questions(files)]

    def ask(self, item: Item, render: Render) -> Asking:
        text = render((*item.earlier, ("user", item.question)))
        return Choosing(text=text, continuations=(item.gold,))

    def grade(self, item: Item, reply: Reply, verdicts: Sequence[Reply] = ()) -> Graded:
        found = finite(reply)
        if len(found) != 1:
            return Graded("unreadable", None, "", "no finite weight", (None, None))
        bits = -found[0].logprob / math.log(2)
        characters = len(item.gold)
        return Graded("read", bits / characters, "", "", (characters, found[0].tokens))

    def totals(self, outcomes: pl.DataFrame) -> list[Total]:
        """Bits over characters of all references together, so that long ones count as much."""
        read = outcomes.filter(state="read")
        if not len(read):
            return [Total("all bits over all characters", None, 0)]
        bits = float((read["score"] * read["characters"]).sum())
        characters = int(read["characters"].sum())
        return [Total("all bits over all characters", bits / characters, len(read))]


def with_reference(item: Item) -> Item:
    """An item as it is, or unasked where there is nothing to weigh."""
    return item if item.gold.strip() else replace(item, unasked="no reference")


def items_of(records: pl.DataFrame, *, group: str = "source") -> list[Item]:
    """Records as items: what they ask, and their answer as the reference.

    Args:
        records: columns id, instruction, output and `group`; input, system, history and question
            where there are.
        group: the column that becomes the item's group.
    """
    found = []
    for row in records.iter_rows(named=True):
        asked = [row["instruction"], row.get("input")]
        item = Item(
            id=str(row["id"]),
            question="\n".join(one for one in asked if one),
            group=str(row[group] or ""),
            cluster=str(row.get("question") or ""),
            gold=row["output"] or "",
            earlier=_earlier(row.get("system") or "", row.get("history") or ()),
        )
        found.append(with_reference(item))
    return found


def _earlier(system: str, history: Iterable[Mapping[str, str | None]]) -> Messages:
    turns = [("system", system)] if system else []
    for turn in history:
        turns += [("user", turn["instruction"] or ""), ("assistant", turn["output"] or "")]
    return tuple(turns)
