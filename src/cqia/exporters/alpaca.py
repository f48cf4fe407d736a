"""Alpaca's form: instruction, input, output, system; earlier turns as pairs in `history`.

    {"instruction": "…", "input": "", "output": "…", "system": ""}

Records with earlier turns stand in a file of their own, `SPLIT-turns.jsonl`. Readers learn a
column's type from a file's first megabytes, and a file that begins with many empty histories can't
be read by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import polars as pl

from cqia.exporters.base import Exporter, JsonLines
from cqia.exporters.chosen import Chosen
from cqia.exporters.llama_factory import write_info

COLUMNS = {"prompt": "instruction", "query": "input", "response": "output", "system": "system"}
"""LLaMA-Factory's name of a column -> ours."""

_HISTORY = pl.col("history").list.eval(
    pl.concat_list(
        pl.element().struct.field("instruction").fill_null(""),
        pl.element().struct.field("output").fill_null(""),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alpaca(Exporter):
    """One JSON lines file a split, and another for its records of several turns."""

    name: ClassVar[str] = "alpaca"

    def write(self, chosen: Chosen, folder: Path) -> dict[str, int]:
        files = JsonLines(folder)
        several = pl.col("history").list.len() > 0
        for facts in chosen.sources:
            for split, records in chosen.batches(facts["source"]):
                plain, turns = records.filter(~several), records.filter(several)
                files.append(f"{split}.jsonl", plain.select(*COLUMNS.values()))
                files.append(f"{split}-turns.jsonl", turns.select(*COLUMNS.values(), _HISTORY))
        columns = {
            place: {**COLUMNS, "history": "history"} if "-turns" in place else COLUMNS
            for place in files.rows
        }
        write_info(folder, {place: {"columns": columns[place]} for place in files.rows})
        return files.rows
