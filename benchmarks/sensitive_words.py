"""How often the sensitive-word lists hit text that is known to be honest.

Reads the public data sets in the folder `CQIA_DATA` and prints, for every category and data set,
the number of records with a hit, how many of those mean no harm, and the hits without the
allow-list, as a Markdown table.

    python benchmarks/sensitive_words.py            # the table
    python benchmarks/sensitive_words.py --show     # every hit with its context, to be read
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cqia.filters.phrases import phrases, weight
from cqia.filters.sensitive import CATEGORIES, SensitiveWords

SETS = (
    ("medicine", "medical_sft/*.jsonl"),
    ("finance", "finance_sft/*.json"),
    ("exams", "gaokao_bench/*/*.json"),
    ("exams, choices", "agieval_zh/*.jsonl"),
    ("poetry and classics", "chinese_poetry/*.json"),
    ("forum riddles", "better_ruozhiba/*.json"),
    ("general tasks", "alpaca_zh/alpaca_zh_demo.json"),
    ("benchmark questions", "belle_eval/eval_set.json"),
    ("preference pairs", "alpaca_zh/dpo_zh_demo.json"),
    ("safety questions", "safetybench/test_zh_subset.json"),
    ("adversarial prompts", "flames/*.jsonl"),
)
"""Name -> files. The last two hold sensitive text on purpose."""

HARMLESS = {
    ("medicine", "pornography"): 1,
    ("finance", "drugs"): 1,
    ("exams", "abuse"): 1,
    ("exams, choices", "abuse"): 1,
    ("exams, choices", "drugs"): 1,
    ("exams, choices", "pornography"): 1,
    ("forum riddles", "abuse"): 1,
    ("forum riddles", "drugs"): 2,
    ("forum riddles", "gambling"): 1,
    ("forum riddles", "pornography"): 1,
    ("preference pairs", "drugs"): 1,
    ("safety questions", "drugs"): 9,
    ("safety questions", "fraud"): 1,
    ("safety questions", "gambling"): 2,
    ("safety questions", "pornography"): 3,
    ("safety questions", "violence"): 2,
    ("adversarial prompts", "fraud"): 1,
    ("adversarial prompts", "pornography"): 3,
}
"""Hits in which the record means no harm, from reading them with `--show`: read them again after a
change to a list."""


def strings(value: object) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)


def records(path: Path) -> Iterator[str]:
    """One text a record: every string of it, a line each."""
    text = path.read_text(encoding="utf-8")
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        whole = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(whole, dict):
        whole = whole["example"]
    for one in whole:
        yield "\n".join(strings(one))


def load(folder: Path, pattern: str) -> pl.DataFrame:
    """The records of a data set."""
    texts = [text for path in sorted(folder.glob(pattern)) for text in records(path)]
    return pl.DataFrame({"output": texts}, schema={"output": pl.String})


def show(name: str, category: str, frame: pl.DataFrame) -> None:
    """Print every hit with the characters around it."""
    allow = phrases(f"{category}.allow")
    patterns = sorted({*phrases(category), *allow}, key=lambda one: (-len(one), one))
    for text in frame["output"]:
        low = text.lower()
        found = pl.Series([low]).str.extract_many(patterns, leftmost=True)[0]
        for word in sorted({one for one in found if one not in allow}):
            at = low.find(word)
            context = text[max(at - 18, 0) : at + len(word) + 18].replace("\n", " ")
            print(f"{name}\t{category}\t{word}\t{context}")


def main() -> None:
    """Print the table, or the hits."""
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("CQIA_DATA", root.parent / "shared" / "data"))
    if not folder.is_dir():
        sys.exit(f"no data in {folder}: set CQIA_DATA")
    if "--show" not in sys.argv:
        print("| data | records | " + " | ".join(CATEGORIES) + " |")
        print("|---|---|" + "---|" * len(CATEGORIES))
    for name, pattern in SETS:
        frame = load(folder, pattern)
        cells = []
        for category in CATEGORIES:
            measure = SensitiveWords(category=category).measure()
            bare = weight(pl.col("output"), phrases(category))
            hits = frame.filter(measure > 0)
            if "--show" in sys.argv:
                show(name, category, hits)
            wrong = HARMLESS.get((name, category), 0)
            cells.append(f"{hits.height} / {wrong} / {frame.filter(bare > 0).height}")
        if "--show" not in sys.argv:
            print(f"| {name} | {frame.height} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
