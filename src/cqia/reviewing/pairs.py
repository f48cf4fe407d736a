"""What a round of comparison is made of: two models' outcomes, or a file of lines."""

from __future__ import annotations

from pathlib import Path

import orjson
import polars as pl

from cqia import store
from cqia.errors import UserError
from cqia.reviewing.book import Row
from cqia.reviewing.duels import Pair


def of_lines(path: Path) -> list[Pair]:
    """What is compared, a JSON line each.

    A line has item, question, a, b, answer_a, answer_b, and may have ability, reference, judge.

    Raises:
        UserError: a line that is not so.
    """
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found.append(Pair(**{"ability": "", "reference": "", **orjson.loads(line)}))
        except (orjson.JSONDecodeError, TypeError) as fault:
            raise UserError(
                f"can't be read ({fault})", where=f"{path}:{number}",
                mend="a line has item, question, a, b, answer_a, answer_b",
            ) from None  # fmt: skip
        if not all(isinstance(value, str) for value in found[-1]):
            raise UserError("a value is no text", where=f"{path}:{number}")
    return found


def of_outcomes(first: Path, second: Path, questions: dict[str, str]) -> list[Pair]:
    """What is compared, from the outcomes of two models on one benchmark.

    The judge prefers the higher score; equal scores are a tie, and unread ones no verdict.

    Args:
        first: the folder of the first model's outcomes.
        second: that of the second.
        questions: item -> its question; empty: as the outcomes tell it.

    Raises:
        UserError: a folder without outcomes, or no item that both answered.
    """
    names, tables = [], []
    for folder in (first, second):
        facts = store.manifest(folder)
        if not facts or not (folder / "outcomes.parquet").exists():
            raise UserError("no outcomes are here", where=str(folder), mend="run: cqia evaluate")
        names.append(str(facts["model"]))
        tables.append(pl.read_parquet(folder / "outcomes.parquet"))
    if names[0] == names[1]:
        names = [str(first), str(second)]
    answered = pl.col("state").is_in(["read", "unreadable"])
    both = tables[0].filter(answered).join(tables[1].filter(answered), on="item", suffix="_b",
                                           maintain_order="left")  # fmt: skip
    if both.is_empty():
        raise UserError("no item was answered by both", where=f"{first}, {second}")

    def verdict(row: Row) -> str:
        a, b = row["score"], row["score_b"]
        if a is None or b is None:
            return ""
        return "a" if a > b else "b" if b > a else "tie"

    def asked(row: Row) -> str:
        return questions.get(row["item"]) or row.get("question") or str(row["item"])

    return [
        Pair(row["item"], row["group"], asked(row), row["gold"] or "",
             names[0], names[1], row["reply"], row["reply_b"], verdict(row))
        for row in both.iter_rows(named=True)
    ]  # fmt: skip
