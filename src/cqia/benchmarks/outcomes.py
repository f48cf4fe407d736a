"""Rows of outcomes.parquet: an item, what a model replied, what a judge said, and the state.

A request without a reply is `failed`, or `unsent` where the budget ended; only replies are graded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cqia.benchmarks.base import OUTCOMES, Benchmark, Graded, Item, shown
from cqia.llm.protocol import Failure, Outcome, Reply


def schema(benchmark: Benchmark) -> dict[str, Any]:
    """The columns of a benchmark's outcomes."""
    return {**OUTCOMES, **benchmark.more}


def row(
    benchmark: Benchmark, item: Item, reply: Outcome, verdicts: Sequence[Outcome]
) -> tuple[Any, ...]:
    """The row of an item that was asked."""
    said = [one.text for one in verdicts if isinstance(one, Reply)]
    if isinstance(reply, Failure):
        return _line(benchmark, item, _failed(reply, ""), "", [])
    for one in verdicts:
        if isinstance(one, Failure):
            return _line(benchmark, item, _failed(one, "judge: "), reply.text, said)
    read = [one for one in verdicts if isinstance(one, Reply)]
    return _line(benchmark, item, benchmark.grade(item, reply, read), reply.text, said)


def _failed(one: Failure, who: str) -> Graded:
    return Graded(one.state, None, "", f"{who}{one.why}")


def unasked(benchmark: Benchmark, item: Item) -> tuple[Any, ...]:
    """The row of an item that can't be asked."""
    return _line(benchmark, item, Graded("unasked", None, "", item.unasked), "", [])


def _line(
    benchmark: Benchmark, item: Item, graded: Graded, reply: str, verdicts: list[str]
) -> tuple[Any, ...]:
    more = graded.more or (None,) * len(benchmark.more)
    return (
        item.id, item.group, item.category, item.cluster or item.id, shown(item),
        graded.state, graded.score, graded.answer, reply, item.gold, graded.reason, verdicts,
        *more,
    )  # fmt: skip
