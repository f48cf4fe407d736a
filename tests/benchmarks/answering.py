"""Models for tests that answer as they are told to, whatever they are asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from cqia.benchmarks.base import Benchmark, Item
from cqia.llm.protocol import (
    Choosing,
    Failure,
    Messages,
    Model,
    Outcome,
    Reply,
    Request,
    Weight,
    told,
)
from cqia.stages.evaluate import evaluate


class Answering:
    """Says what `say` makes of the last message, and weighs a continuation by `weigh`."""

    def __init__(
        self,
        say: Callable[[str], str | Failure] = lambda asked: "",
        weigh: Callable[[str, str], float] = lambda text, continuation: -1.0,
        name: str = "answering",
        family: str = "test",
    ) -> None:
        self.name, self.family, self.concurrency = name, family, 16
        self.say, self.weigh = say, weigh
        self.asked = 0

    async def __aenter__(self) -> Answering:
        return self

    async def __aexit__(self, *fault: object) -> None:
        return None

    async def generate(self, request: Request) -> Outcome:
        self.asked += 1
        said = self.say(request.messages[-1][1])
        return said if isinstance(said, Failure) else Reply(said)

    async def choose(self, request: Choosing) -> Outcome:
        self.asked += 1
        weights = [Weight(self.weigh(request.text, one), len(one)) for one in request.continuations]
        return Reply(told(weights))


class Templated(Answering):
    """One with a chat template."""

    def render(self, messages: Messages) -> str:
        return "".join(f"<{role}>{text}</{role}>" for role, text in messages) + "<assistant>"


def outcomes(
    folder: Path,
    benchmark: Benchmark,
    items: Sequence[Item],
    model: Model,
    *,
    judge: Model | None = None,
    rival: Model | None = None,
) -> pl.DataFrame:
    """A model's outcomes, evaluated in a folder."""
    evaluate(
        folder=folder / "e",
        benchmark=benchmark,
        items=items,
        model=model,
        judge=judge,
        rival=rival,
        cache=folder / "r.sqlite",
    )
    return pl.read_parquet(folder / "e" / "outcomes.parquet")
