"""The form in which COIG-CQIA is published: nine keys, JSON lines, a file a source.

    {"instruction": "…", "input": "", "output": "…", "task_type": {"major": ["问答"], "minor":
     ["知乎问答"]}, "domain": ["…"], "metadata": "暂无元数据信息", "answer_from": "human",
     "human_verified": true, "copyright": "暂无版权及作者信息"}

A family of sources is a config of the Hugging Face hub; the card's front matter lists its files and
its columns, so that it opens the same way whichever columns happen to be empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import polars as pl

from cqia.exporters.base import Exporter, JsonLines, file_name
from cqia.exporters.card import card
from cqia.exporters.chosen import Chosen

NO_METADATA = "暂无元数据信息"
NO_COPYRIGHT = "暂无版权及作者信息"

KEYS = (
    "instruction",
    "input",
    "output",
    "task_type",
    "domain",
    "metadata",
    "answer_from",
    "human_verified",
    "copyright",
)
"""The keys in the release's order."""


def released(records: pl.DataFrame) -> pl.DataFrame:
    """Records with the release's nine keys.

    It has no key for a system text or for earlier turns; they stand in `input`, a line each, before
    the record's own input.
    """
    return records.select(
        "instruction",
        input=_input(records),
        output="output",
        task_type=pl.struct(major="task_major", minor="task_minor"),
        domain="domain",
        metadata=_or(pl.col("metadata"), NO_METADATA),
        answer_from="answer_from",
        human_verified="human_verified",
        copyright=_or(pl.col("copyright"), NO_COPYRIGHT),
    )


def _or(text: pl.Expr, default: str) -> pl.Expr:
    return pl.when(text == "").then(pl.lit(default)).otherwise(text)


def _input(records: pl.DataFrame) -> pl.Expr:
    earlier = (pl.col("system") != "") | (pl.col("history").list.len() > 0)
    if not records.select(earlier.any()).item():
        return pl.col("input")
    turn = pl.element().struct
    lines = pl.col("history").list.eval(
        pl.format(
            "用户：{}\n助手：{}",
            turn.field("instruction").fill_null(""),
            turn.field("output").fill_null(""),
        )
    )
    system = pl.when(pl.col("system") != "").then(pl.format("系统：{}", "system"))
    turns = pl.when(pl.col("history").list.len() > 0).then(lines.list.join("\n"))
    before = pl.concat_str(system, turns, separator="\n", ignore_nulls=True)
    own = pl.when(pl.col("input") != "").then("input")
    whole = pl.concat_str(before, own, separator="\n\n", ignore_nulls=True)
    return pl.when(earlier).then(whole).otherwise("input")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Exporter):
    """The release's own form, with its card."""

    name: ClassVar[str] = "release"

    def write(self, chosen: Chosen, folder: Path) -> dict[str, int]:
        files = JsonLines(folder)
        for facts in chosen.sources:
            for split, records in chosen.batches(facts["source"]):
                files.append(file_name(facts, split), released(records))
        (folder / "README.md").write_text(card(chosen), encoding="utf-8")
        return files.rows
