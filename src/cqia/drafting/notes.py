"""A person's note on each question: what the trap in it is. Files of id and note."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from cqia.errors import UserError, unknown
from cqia.store import fingerprint

KINDS = (".csv", ".jsonl", ".parquet")
QUEUE = Path("review") / "notes.parquet"
"""Where, in a working folder, people's notes stand after review."""


def found(work: Path, path: Path | None) -> dict[str, str]:
    """The notes of a file, or those of the working folder's review, or none.

    Raises:
        UserError: the file can't be read as notes.
    """
    if path is not None:
        return read(path)
    return read(work / QUEUE) if (work / QUEUE).exists() else {}


def read(path: Path) -> dict[str, str]:
    """The notes of a file by the record's id; a note without text is none.

    Raises:
        UserError: there is no such file, it has other columns, or an id has two notes.
    """
    table = _table(path)
    for name in ("id", "note"):
        if name not in table.columns:
            raise UserError(
                f"no column {name!r}", where=str(path), mend="a file of notes has id and note"
            )
    text = table.select(pl.col("id", "note").cast(pl.String))
    nameless = text["id"].null_count()
    if nameless:
        raise UserError(f"{nameless} notes have no id", where=str(path), mend="name their records")
    text = text.with_columns(pl.col("note").fill_null("").str.strip_chars())
    text = text.filter(pl.col("note") != "").unique(maintain_order=True)
    twice = text.filter(pl.col("id").is_duplicated())
    if len(twice):
        raise UserError(
            f"record {twice['id'][0]!r} has two notes", where=str(path), mend="keep one of them"
        )
    return dict(text.iter_rows())


def _table(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise UserError("no such file", where=str(path), mend="check --notes")
    try:
        if path.suffix == ".csv":
            return pl.read_csv(path, infer_schema=False)
        if path.suffix == ".jsonl":
            return pl.read_ndjson(path, infer_schema_length=None)
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as fault:
        said = str(fault).splitlines()[0]
        raise UserError(f"can't be read ({said})", where=str(path), mend="check the file") from None
    raise unknown("kind of file", path.suffix, KINDS, where=str(path))


def mark(notes: Mapping[str, str]) -> str:
    """A hash of all notes."""
    return fingerprint(dict(notes))
