"""Questions with their references from any file: what reference losses and comparisons read.

{"question": …, "std_answer": …, "class": …}            Belle-Eval
{"instruction": …, "input": …, "output": …}             Alpaca
{"question": …, "reference": …, "group": …}
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cqia.benchmarks.base import Item
from cqia.benchmarks.files import Row, once, rows, text
from cqia.errors import UserError

QUESTION = ("question", "instruction", "prompt")
REFERENCE = ("std_answer", "reference", "output", "answer")
GROUP = ("class", "group", "source", "category", "dimension")


def questions(files: Sequence[str]) -> list[Item]:
    """The questions of files, in their order; a Belle-Eval prompt file among them is passed over.

    An item's id is its own `id`, or its file and line.

    Raises:
        UserError: a file is broken, has no questions, or two items share an id.
    """
    found: list[tuple[Item, str]] = []
    for file in files:
        listed = rows(file)
        if listed and all(row.fields.keys() == {"class", "prompt"} for row in listed):
            continue
        found += [(_item(row), row.place) for row in listed]
    if not found:
        raise UserError("no questions", where=", ".join(files), mend="name their file with --data")
    once([(item.id, place) for item, place in found])
    return [item for item, _ in found]


def plain_class(name: str) -> str:
    """A class's name without accidents: width, case and kinds of spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).lower().split())


def named(fields: dict[str, Any], place: str) -> str:
    """An item's id: its own, or its file's name and line."""
    own = fields.get("id")
    if isinstance(own, int | str) and not isinstance(own, bool) and str(own):
        return str(own)
    path, _, line = place.rpartition(":")
    return f"{Path(path).name}:{line}"


def _item(row: Row) -> Item:
    own = text(row, "input", default="")
    asked = text(row, *QUESTION)
    return Item(
        id=named(row.fields, row.place),
        question=f"{asked}\n{own}" if own else asked,
        group=plain_class(text(row, *GROUP, default="")),
        gold=text(row, *REFERENCE, default=""),
    )
