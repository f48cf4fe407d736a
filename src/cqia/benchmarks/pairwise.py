"""Two models' answers to the same questions, compared by a judge in both orders.

The score is the first model's: 1 where its answer is better, 0 where the other's is, 0.5 for a tie.
Who wins only in one place has not won: that is a tie, and counted as a flip. The answers' lengths
are kept, so that a comparison can take the judge's liking for length out (Dubois et al. 2024,
arXiv 2404.04475).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from cqia.benchmarks.base import Benchmark, Graded, Item, Metric, Render, Total
from cqia.benchmarks.questions import questions
from cqia.judges import pairwise
from cqia.judges.pairwise import PAIRWISE, Pair
from cqia.llm.protocol import Asking, Reply, Request, Sampling

WINS = Metric("win rate, a tie counts half", "of 100", "higher", 100.0)
WORTH = {"first": 1.0, "tie": 0.5, "second": 0.0}


@dataclass(frozen=True, kw_only=True)
class Pairwise(Benchmark):
    """A comparison of two models. max_tokens: of each answer. judge_tokens: of each verdict."""

    name: str = "pairwise"
    version: int = 1
    metric: Metric = WINS
    max_tokens: int = 1_024
    judge_tokens: int = 1_024
    more: ClassVar[Mapping[str, Any]] = {
        "flipped": pl.Boolean,
        "length_first": pl.Int64,
        "length_second": pl.Int64,
        "rival_reply": pl.String,
    }

    @property
    def folder(self) -> str:
        return "belle_eval"

    @property
    def judges(self) -> bool:
        return True

    @property
    def rivals(self) -> bool:
        return True

    def items(self, files: Sequence[str]) -> list[Item]:
        return questions(files)

    def ask(self, item: Item, render: Render) -> Asking:
        sampling = Sampling(temperature=0.0, max_tokens=self.max_tokens)
        return Request(messages=(*item.earlier, ("user", item.question)), sampling=sampling)

    def judged(self, item: Item, reply: str) -> tuple[Request, ...]:
        pair = Pair(instruction=item.question, input="", first=reply, second=item.rival)
        return pairwise.ask(pair, max_tokens=self.judge_tokens)

    def grade(self, item: Item, reply: Reply, verdicts: Sequence[Reply] = ()) -> Graded:
        given, exchanged = (
            None if one.finish == "length" else PAIRWISE.read(one.text) for one in verdicts
        )
        found = pairwise.settle(given, exchanged)
        sizes = (len(reply.text), len(item.rival), item.rival)
        if found.better is None:
            return Graded("unreadable", None, "", "judge: not in its form", (None, *sizes))
        return Graded("read", WORTH[found.better], found.better, "", (found.flipped, *sizes))

    def totals(self, outcomes: pl.DataFrame) -> list[Total]:
        """Wins, ties and losses, and how often the exchange turned the judge round."""
        read = outcomes.filter(state="read")
        shares = [
            ("first better", (read["answer"] == "first").mean()),
            ("tie", (read["answer"] == "tie").mean()),
            ("second better", (read["answer"] == "second").mean()),
            ("flipped by the exchange", read["flipped"].mean()),
            ("first answer longer", (read["length_first"] > read["length_second"]).mean()),
        ]
        return [
            Total(name, None if share is None else float(share), len(read))  # type: ignore[arg-type]
            for name, share in shares
        ]
