r"""Reading firefly-train-1.1M, which three sources are parts of: one kind of its tasks each.

    {"kind": "ClassicalChinese", "input": "把下面的句子翻译成现代文：\n学而时习之，不亦说乎？",
     "target": "学了又按时温习它，不也是很愉快吗？"}

A file of the dataset holds all its kinds. Items of other kinds are read too and marked, so that
every line of the file is accounted for and the filter `Status` turns them away.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from cqia.sources.fields import blank, facts, fault

ORIGIN = "https://huggingface.co/datasets/YeungNLP/firefly-train-1.1M"
LICENCE = "none stated by the dataset; the classical texts are in the public domain"

SCHEMA = pl.Struct({"kind": pl.String, "input": pl.String, "target": pl.String})


def reader(
    kind: str, more: dict[str, pl.Expr] | None = None
) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """A reader of the items of one kind.

    Args:
        kind: the dataset's own name of the kind.
        more: what else goes into the metadata; a null is left out.
    """
    other = pl.when(pl.col("kind").ne_missing(kind)).then(pl.lit("不是这一类任务"))
    tests = {
        "the item has no kind": blank(pl.col("kind")),
        "the item has no input": blank(pl.col("input")),
        "the item has no target": pl.col("target").is_null(),
    }

    def read(raw: pl.DataFrame) -> pl.DataFrame:
        return raw.select(
            "file",
            "row",
            key=pl.lit(None, pl.String),
            instruction=pl.col("input").str.strip_chars(),
            output=pl.col("target").str.strip_chars(),
            metadata=facts({"kind": pl.col("kind"), **(more or {}), "状态": other}),
            fault=fault(tests),
        )

    return read
