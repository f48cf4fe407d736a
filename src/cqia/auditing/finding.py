"""A finding: one kind of defect in one place of a finished dataset."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

SEVERITIES = ("error", "warning", "note")
"""error: wrong in any dataset. warning: a person should look. note: worth knowing."""

FINDINGS: dict[str, pl.DataType] = {
    "file": pl.String(),
    "line": pl.Int64(),
    "item": pl.Int64(),
    "path": pl.String(),
    "kind": pl.String(),
    "severity": pl.Enum(SEVERITIES),
    "finds": pl.Int64(),
    "context": pl.String(),
    "other": pl.String(),
    "fixable": pl.Boolean(),
}
"""Columns of the table of findings.

line: where the record starts (in Parquet: its row); 0: the finding is about the whole file.
item: the record's number in its file, from 1; 0: no record, or one that could not be read.
path: the field, as in `conversations[1].value`; empty: the whole record.
finds: how many in that field. context: the first one with what stands around it.
other: the place of the record or benchmark item it was compared with.
fixable: whether `--fix` mends it.
"""

AROUND = 18
"""Characters of context on either side of a find."""


class Finding(NamedTuple):
    """One row of the table."""

    file: str
    line: int
    item: int
    path: str
    kind: str
    severity: str
    finds: int = 1
    context: str = ""
    other: str = ""
    fixable: bool = False


def place(file: str, line: int, item: int) -> str:
    """`file:line`, and the record's number where it is not the line's (arrays)."""
    return f"{file}:{line}" if line == item else f"{file}:{line}#{item}"


def table(findings: list[Finding]) -> pl.DataFrame:
    """Findings as a table."""
    return pl.DataFrame(findings, schema=FINDINGS, orient="row")


def excerpt(text: str, start: int, end: int) -> str:
    """What stands at a place and around it, on one line, with what can't be seen written out."""
    end = min(end, start + 60)
    left, right = max(start - AROUND, 0), min(end + AROUND, len(text))
    body = "".join(visible(char) for char in text[left:right])
    return f"{'…' if left else ''}{body}{'…' if right < len(text) else ''}"


def visible(char: str) -> str:
    """A character as it is, or `⟨U+200B⟩` when it can't be seen or moves what can."""
    if char in "\n\r\t":
        return {"\n": "⏎", "\r": "⟨CR⟩", "\t": "⟨TAB⟩"}[char]
    return char if char.isprintable() else f"⟨U+{ord(char):04X}⟩"
