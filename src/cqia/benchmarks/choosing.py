"""How multiple-choice benchmarks ask and grade: by log-probability, or by what a model writes.

By log-probability a prompt ends in an opening bracket, and the letters of the options that exist
are weighed as its continuations: nothing can be unreadable but a tie. By generation a model writes
up to 64 tokens at temperature 0, and the letter is looked for strictly.
"""

from __future__ import annotations

import math
from typing import Literal

import polars as pl

from cqia.benchmarks.base import Graded, Item, Metric, Total
from cqia.llm.protocol import Asking, Choosing, Reply, Request, Sampling, Weight, weights
from cqia.text.choices import find, letters, official, rendered

Mode = Literal["logprob", "generate"]
ACCURACY = Metric("accuracy", "of 100", "higher", 100.0)


def question(item: Item) -> str:
    """A question with its passage and options, up to where the answer is."""
    passage = f"材料：{item.passage.strip()}\n" if item.passage.strip() else ""
    return f"{passage}问题：{item.question.strip()}\n选项：\n{rendered(item.options)}答案："


def solved(item: Item) -> str:
    """A question with its answer, as an example for the next."""
    return f"{question(item)}({item.gold})\n\n"


def ask(item: Item, mode: Mode, max_tokens: int) -> Asking:
    """What a model is asked about an item."""
    prompt = item.before + question(item)
    if mode == "logprob":
        return Choosing(text=f"{prompt}(", continuations=letters(item.options))
    sampling = Sampling(temperature=0.0, max_tokens=max_tokens)
    return Request(messages=((*item.earlier, ("user", prompt))), sampling=sampling)


def grade(item: Item, reply: Reply, mode: Mode) -> Graded:
    """Right or wrong, or why it can't be told; and the letter by the official rule, if written."""
    if mode == "logprob":
        return _weighed(item, reply)
    by_rule = official(reply.text, item.options)
    letter, reason = find(reply.text, item.options)
    if not letter:
        return Graded("unreadable", None, "", reason, (by_rule,))
    return Graded("read", float(letter == item.gold), letter, "", (by_rule,))


def finite(reply: Reply) -> tuple[Weight, ...]:
    """The weights in a reply; none where one of them is no finite number (`null` in its JSON)."""
    try:
        found = weights(reply)
    except TypeError:
        return ()
    return found if all(math.isfinite(one.logprob) for one in found) else ()


def _weighed(item: Item, reply: Reply) -> Graded:
    found = [one.logprob for one in finite(reply)]
    if len(found) != len(item.options):
        return Graded("unreadable", None, "", "no finite weight for each letter")
    best = [
        letter
        for letter, one in zip(letters(item.options), found, strict=True)
        if one == max(found)
    ]
    if len(best) > 1:
        return Graded("unreadable", None, "", f"a tie: {', '.join(best)}")
    return Graded("read", float(best[0] == item.gold), best[0])


def totals(outcomes: pl.DataFrame, mode: Mode) -> list[Total]:
    """Accuracy over all that was asked, and by the official rule where letters are written.

    What failed or can't be read counts as wrong here; while something is unsent there is no number.
    """
    asked = outcomes.filter(pl.col("state") != "unasked")
    if not len(asked) or "unsent" in asked["state"]:
        return [Total("micro, a missing answer counts as wrong", None, len(asked))]
    found = [
        Total(
            "micro, a missing answer counts as wrong",
            float(asked["score"].fill_null(0).sum()) / len(asked),
            len(asked),
        )
    ]
    if mode == "generate" and "official" in asked.columns:
        right = asked.filter(pl.col("official") == pl.col("gold"))
        found.append(Total("micro, by the official extractor", len(right) / len(asked), len(asked)))
    return [*found, *_commonest(asked.filter(state="read"))]


def _commonest(read: pl.DataFrame) -> list[Total]:
    """How often the commonest letter was given: a model that always says A knows nothing."""
    if not len(read):
        return []
    counts = read["answer"].value_counts().sort("count", "answer", descending=[True, False])
    letter, times = counts.row(0)
    return [Total(f"answers that are {letter}, the commonest", times / len(read), len(read))]


def disagreements(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Replies in which the strict reader and the official rule see different letters."""
    columns = ("item", "group", "answer", "official", "gold", "reply", "reason")
    if "official" not in outcomes.columns:
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    written = outcomes.filter(pl.col("official").is_not_null())
    return written.filter(pl.col("answer") != pl.col("official")).select(columns)
