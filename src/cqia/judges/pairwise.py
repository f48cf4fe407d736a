"""Which of two answers is better, asked in both orders: who wins only in one place has not won.

A judge prefers the first or the second place, some strongly (Zheng et al. 2023, *Judging
LLM-as-a-Judge*, section 3.3). So each pair is asked twice with the answers exchanged. Where both
agree, that is the verdict; where they don't, it is a tie and counted as a flip; where one can't be
read, there is no verdict.
"""

from __future__ import annotations

from typing import NamedTuple

from cqia.judges.base import TEXT, Judge, Verdict, fence, shaped
from cqia.llm.protocol import Request

PAIRWISE = Judge(
    name="pairwise",
    version=1,
    about="which of two answers is better",
    parts=("instruction", "input", "output"),
    schema=shaped(分析=TEXT, 更好={"type": "string", "enum": ["甲", "乙", "平手"]}),
)


class Pair(NamedTuple):
    """Two answers to one instruction."""

    instruction: str
    input: str
    first: str
    second: str


class Preference(NamedTuple):
    """What two askings came to.

    better: `first`, `second` or `tie`; None: a reply could not be read. flipped: the two askings
    disagree, and so it is a tie.
    """

    better: str | None
    flipped: bool = False


def ask(pair: Pair, *, seed: int | None = None, max_tokens: int = 1_024) -> tuple[Request, Request]:
    """The two questions: as given, and with the answers exchanged."""
    one = _ask(pair, seed, max_tokens)
    return one, _ask(pair._replace(first=pair.second, second=pair.first), seed, max_tokens)


def _ask(pair: Pair, seed: int | None, max_tokens: int) -> Request:
    told = [("指令", pair.instruction), ("输入", pair.input)]
    told += [("甲的回答", pair.first), ("乙的回答", pair.second)]
    return PAIRWISE.request(fence(told), seed=seed, max_tokens=max_tokens)


def settle(given: Verdict | None, exchanged: Verdict | None) -> Preference:
    """What the two verdicts come to."""
    if given is None or exchanged is None:
        return Preference(None)
    names = ({"甲": "first", "乙": "second"}, {"甲": "second", "乙": "first"})
    one, other = (
        name.get(verdict["更好"], "tie")
        for name, verdict in zip(names, (given, exchanged), strict=True)
    )
    return Preference(one) if one == other else Preference("tie", flipped=True)
