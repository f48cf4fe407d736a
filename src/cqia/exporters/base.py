"""What an exporter is: it writes the chosen records of a finished assemble in one form.

Release and training-framework field names live on this shelf only.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import polars as pl

from cqia import store
from cqia.errors import UserError
from cqia.exporters.chosen import SPLITS, Chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter(ABC):
    """Writes the dataset in one form."""

    name: ClassVar[str]
    """Its name on the command line, and of its folder."""

    @abstractmethod
    def write(self, chosen: Chosen, folder: Path) -> dict[str, int]:
        """Write the dataset into an empty folder, in bounded memory and the same bytes every time.

        Returns:
            Records in each file that holds records, by path inside the folder.
        """


class JsonLines:
    """JSON lines files in UTF-8 that grow batch by batch."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.rows: dict[str, int] = {}
        """Records in each file, by path inside the folder."""

    def append(self, place: str, frame: pl.DataFrame) -> None:
        """Append a frame's rows to a file; a frame without rows makes no file."""
        if frame.is_empty():
            return
        path = self._folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            frame.write_ndjson(file)
        self.rows[place] = self.rows.get(place, 0) + len(frame)


def file_name(facts: store.Facts, split: str) -> str:
    """The file of one source's split: `FAMILY/SOURCE.jsonl`, `FAMILY/SOURCE.validation.jsonl`.

    Raises:
        UserError: a name that isn't safe as part of a path or of the hub's glob patterns.
    """
    for name in (facts["family"], facts["source"]):
        if not re.fullmatch(r"\w[\w-]*", name):
            raise UserError(
                f"{name!r} can't be part of a file's name",
                where="export",
                mend="give the source and its family names of letters, digits, - and _",
            )
    suffix = "" if split == SPLITS[0] else f".{split}"
    return f"{facts['family']}/{facts['source']}{suffix}.jsonl"


def rows_in(path: Path) -> int:
    """The records in a file that an exporter wrote, counted in the file itself."""
    if path.suffix == ".parquet":
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
