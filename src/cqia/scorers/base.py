"""What a scorer is: a number for a record from its texts or a small model, nobody's opinion.

Its numbers stand in the ledger beside the judges', in the same form, so thresholds, selections and
`distil` use them alike. Like a judge it has no default: a record without a text for it is
`unasked`, a reply that holds no number is `unreadable`, and neither is ever 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import polars as pl

from cqia.llm.protocol import Choosing, Outcome

RULES = "rules"
"""What stands in a model's place where there is none."""

Numbers = Callable[[pl.DataFrame], pl.Series]
"""Records (id and texts) -> a number each; null: there is no text for it."""


class Texts(NamedTuple):
    """A record's texts."""

    instruction: str
    input: str
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """A scorer's name and what its number means.

    version: goes up when the same text gets another number. about: the number and its unit.
    """

    name: str
    version: int = 1
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(Scorer):
    """A measure of the answer alone, one expression."""

    measure: Callable[[pl.Expr], pl.Expr]

    def learn(self, batches: Callable[[], Iterable[pl.DataFrame]]) -> Numbers:
        """How records are scored; nothing is learnt for it."""

        def numbers(frame: pl.DataFrame) -> pl.Series:
            value = self.measure(pl.col("output")).cast(pl.Float64).fill_nan(None)
            return frame.select(pl.when(has_text()).then(value)).to_series()

        return numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt(Scorer):
    """A measure that is learnt from the collection before it is taken."""

    learning: Callable[[Callable[[], Iterable[pl.DataFrame]]], Numbers]

    def learn(self, batches: Callable[[], Iterable[pl.DataFrame]]) -> Numbers:
        """How records are scored, learnt from the batches, which are gone through several times."""
        return self.learning(batches)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed(Scorer, ABC):
    """A number from how likely a small model finds the answer.

    window: the most characters of the answer that are weighed, from its start; of the prompt half
    as many, from its end. This project's choice: a proxy that reads 256 tokens has room for both.
    """

    window: int = 120

    @abstractmethod
    def ask(self, texts: Texts) -> tuple[Choosing, ...]:
        """The questions about a record; none: there is no text for it."""

    @abstractmethod
    def read(self, texts: Texts, outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
        """The number as `score`, and what it was made of; None: the replies hold none."""

    def answer(self, texts: Texts) -> str:
        """What of the answer is weighed."""
        return texts.output[: self.window]


def has_text() -> pl.Expr:
    """Whether a record has an answer at all."""
    return pl.col("output").str.strip_chars() != ""
