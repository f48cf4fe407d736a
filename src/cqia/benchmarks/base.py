"""What a benchmark is: items, how a model is asked about one, and how its reply is graded.

    asking = benchmark.ask(item, render)         # to the model
    requests = benchmark.judged(item, reply)     # to the judge, where there is one
    graded = benchmark.grade(item, reply, verdicts)

All three are pure. What can't be read is a state and never a number; a request that brought no
reply never gets here: the stage `evaluate` drives the flow and knows of failures.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import polars as pl

from cqia.llm.protocol import Asking, Messages, Reply, Request
from cqia.text.choices import rendered

Direction = Literal["higher", "lower"]
State = Literal["read", "unreadable", "failed", "unsent", "unasked"]
STATES: tuple[State, ...] = ("read", "unreadable", "failed", "unsent", "unasked")

OUTCOMES: dict[str, Any] = {
    "item": pl.String,
    "group": pl.String,
    "category": pl.String,
    "cluster": pl.String,
    "question": pl.String,
    "state": pl.String,
    "score": pl.Float64,
    "answer": pl.String,
    "reply": pl.String,
    "gold": pl.String,
    "reason": pl.String,
    "verdicts": pl.List(pl.String),
}
"""Columns of outcomes.parquet, a row an item; a benchmark may add its own behind them.

group: ability, class or subject; category: what groups belong to, empty where nothing. cluster:
items that hang together. question: as `shown` has it, for people to read. score: null unless read.
answer: what was read. reply: the model's, word for word (for weights: as JSON). verdicts: the
judge's replies, word for word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question of a benchmark; a benchmark uses the fields that it needs.

    earlier: system and turns before the question. before: solved examples that stand in front of
    it. passage: a text that it is about. gold: the right letter, or the reference. rubric: what
    the judge is told of its class. unasked: why it can't be asked; it is counted, not sent.
    """

    id: str
    question: str
    group: str = ""
    category: str = ""
    cluster: str = ""
    options: tuple[str, ...] = ()
    gold: str = ""
    passage: str = ""
    before: str = ""
    earlier: Messages = ()
    rubric: str = ""
    rival: str = ""
    unasked: str = ""


def shown(item: Item) -> str:
    """What an item asks, for people to read: earlier turns, passage, question and options."""
    passage = item.passage.strip()
    told = [*(text for _, text in item.earlier), *([passage] if passage else []), item.question]
    return "\n\n".join(told) + f"\n{rendered(item.options)}".rstrip()


class Metric(NamedTuple):
    """What a score is.

    unit: of a score as it is shown, times `scale`. direction: which way is better.
    """

    name: str
    unit: str
    direction: Direction
    scale: float = 1.0


class Graded(NamedTuple):
    """What became of an item. more: the values of the benchmark's own columns."""

    state: State
    score: float | None = None
    answer: str = ""
    reason: str = ""
    more: tuple[Any, ...] = ()


def of_groups(name: str, some: int, every: int) -> str:
    """The name of a mean of groups, with their number where it is not of all of them."""
    return name if some == every else f"{name}, {some} of {every} groups"


class Total(NamedTuple):
    """A named number over a benchmark's outcomes, in units of its scores; None: can't be had."""

    name: str
    value: float | None
    n: int


Render = Callable[[Messages], str]
"""Messages as the text that a model reads before it answers."""


@runtime_checkable
class Renders(Protocol):
    """A model that knows its chat template."""

    def render(self, messages: Messages) -> str:
        """The text up to where the reply begins."""
        ...


def plainly(messages: Messages) -> str:
    """Messages for a model without a chat template: their texts, a blank line after each."""
    return "".join(f"{text}\n\n" for _, text in messages)


class Benchmark(ABC):
    """A benchmark; a frozen dataclass, so that its `repr` is its setting.

    name: as files and reports call it. version: goes up when numbers may move. metric: what a
    score is. more: columns of its own, with their types.
    """

    name: str
    version: int
    metric: Metric
    more: ClassVar[Mapping[str, Any]] = {}

    @abstractmethod
    def items(self, files: Sequence[str]) -> list[Item]:
        """The items in the user's files.

        Raises:
            UserError: a file is missing or broken; says which, and the line.
        """

    @abstractmethod
    def ask(self, item: Item, render: Render) -> Asking:
        """What a model is asked."""

    def judged(self, item: Item, reply: str) -> tuple[Request, ...]:
        """What the judge is asked about a reply."""
        raise NotImplementedError

    @abstractmethod
    def grade(self, item: Item, reply: Reply, verdicts: Sequence[Reply] = ()) -> Graded:
        """What a reply is worth."""

    def totals(self, outcomes: pl.DataFrame) -> list[Total]:
        """Numbers of its own protocol, beside means per group."""
        return []

    @property
    def folder(self) -> str:
        """Of its files below the data folder; empty: they are the user's own."""
        return ""

    @property
    def judges(self) -> bool:
        """Whether replies go to a judge."""
        return False

    @property
    def rivals(self) -> bool:
        """Whether another model answers the same items."""
        return False

    @property
    def label(self) -> str:
        """Its name with its variant, for folders."""
        return self.name
