"""Does a text ask anything?"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.filters.base import TextFilter

HARMLESS = (
    r"哪怕|几乎|没(?:有)?什么|什么的|多少有(?:点|些)|无论如何|不管怎[么样]|再怎么|谁知道?|谁都|谁也"
    r"|什么都|什么也|哪都|哪儿?也|怎么都|怎么也|不知不觉|好几|几[个次天年只条]"
)
"""Phrases that hold an interrogative word and ask nothing."""

ASKING = (
    r"[？?]|[吗么嘛呢]\s*[。…]*$|什么|怎么|怎样|咋|如何|为何|为啥|干啥|啥时|哪|谁|几[岁点时号]|多少|多[大久长远高重]"
    r"|是不是|能不能|可不可以|可以不可以|有没有|会不会|该不该|要不要|算不算|对不对|行不行|难道|何时|何处"
    r"|是否|能否|可否|请问|求问|求教|求解|请教"
)
"""A question mark, an interrogative word, or a request to be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(TextFilter):
    """1 when the text asks something, else 0.

    A question mark or an interrogative word counts; phrases that only look interrogative (哪怕,
    几乎, 没什么) do not. The word lists are this project's choice.

    What is not covered: a statement that wants an answer without any such word.
    """

    field: str = "instruction"
    low: float | None = 1

    def measure(self) -> pl.Expr:
        text = pl.col(self.field).str.replace_all(HARMLESS, "")
        return text.str.contains(ASKING).cast(pl.Int64)
