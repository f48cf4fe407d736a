"""How likely a small model finds an answer: by itself, and after its question.

Perplexity: bits a character of the answer from the start of a text.

IFD, Instruction-Following Difficulty (Li et al., arXiv 2308.12032): the loss of the answer after
its question over the loss of the answer alone. Near 1 the question tells the model nothing of the
answer; above 1 it makes the answer less likely, which flags a mismatched pair. A small model does
for it (Superfiltering, arXiv 2402.00530; there it is the ratio of perplexities, which passes 1 at
the same records). The losses are those of the whole answer, so that they compare the same text
however the model cuts it into tokens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from cqia.llm.protocol import Choosing, Outcome, Reply, Weight, weights
from cqia.scorers.base import Texts, Weighed


@dataclass(frozen=True, slots=True, kw_only=True)
class Perplexity(Weighed):
    """Bits a character of the answer."""

    def ask(self, texts: Texts) -> tuple[Choosing, ...]:
        answer = self.answer(texts)
        return (Choosing(text="", continuations=(answer,)),) if answer.strip() else ()

    def read(self, texts: Texts, outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
        alone = weight(outcomes[0])
        if alone is None:
            return None
        size = len(self.answer(texts))
        return {
            "score": -alone.logprob / math.log(2) / size,
            "tokens": alone.tokens,
            "weighed": size,
            "characters": len(texts.output),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty(Weighed):
    """Loss of the answer after its question over its loss alone."""

    def ask(self, texts: Texts) -> tuple[Choosing, ...]:
        answer, asked = self.answer(texts), self._asked(texts)
        if not answer.strip() or not asked.strip():
            return ()
        return (
            Choosing(text=asked, continuations=(answer,)),
            Choosing(text="", continuations=(answer,)),
        )

    def read(self, texts: Texts, outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
        given, alone = map(weight, outcomes)
        if given is None or alone is None or alone.logprob == 0:
            return None
        ratio = given.logprob / alone.logprob
        return {
            "score": ratio,
            "mismatched": ratio > 1,
            "given": -given.logprob / given.tokens,
            "alone": -alone.logprob / alone.tokens,
            "tokens": alone.tokens,
            "weighed": len(self.answer(texts)),
            "characters": len(texts.output),
        }

    def _asked(self, texts: Texts) -> str:
        asked = "\n".join(one for one in (texts.instruction, texts.input) if one.strip())
        return f"{asked[-self.window // 2 :]}\n" if asked else ""


def weight(outcome: Outcome) -> Weight | None:
    """The weight in a reply about one continuation; None: it holds none that can be."""
    if not isinstance(outcome, Reply):
        return None
    try:
        found = weights(outcome)
    except (orjson.JSONDecodeError, TypeError, ValueError):
        return None
    if len(found) != 1 or found[0].tokens < 1 or not -math.inf < found[0].logprob <= 0:
        return None
    return found[0]


PERPLEXITY = Perplexity(name="perplexity", about="bits a character of the answer")
IFD = Difficulty(name="ifd", about="loss after the question over loss alone; above 1: mismatched")
