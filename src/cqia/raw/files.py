"""Raw files and what is inside them: plain, gz, zst, and the members of a zip."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

import pyarrow as pa

from cqia.errors import UserError

KINDS = {
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".html": "html",
    ".htm": "html",
    ".shtml": "html",
    ".warc": "html",
    ".xml": "mediawiki",
    ".txt": "text",
    ".md": "text",
}
"""File ending -> kind of raw form."""

PACKED = (".gz", ".zst", ".bz2")
MEMBER = "!"
"""Stands between a zip file's path and the name of a member, as in `dump.zip!pages/1.html`."""

BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, pa.ArrowInvalid, OSError)
"""What reading a broken or cut archive raises."""


def kind_of(name: str) -> str | None:
    """The kind of raw form that a file's name stands for, or None."""
    path = PurePosixPath(name.rpartition(MEMBER)[2])
    if path.suffix.lower() in PACKED:
        path = path.with_suffix("")
    return KINDS.get(path.suffix.lower())


def is_archive(name: str) -> bool:
    """Whether a file is a web archive, which holds many pages."""
    path = PurePosixPath(name.rpartition(MEMBER)[2].lower())
    return (path.with_suffix("") if path.suffix in PACKED else path).suffix == ".warc"


def expand(path: str) -> list[str]:
    """A file's name, or, for a zip, the names of its members (sorted).

    Raises:
        UserError: the file is missing, is a folder, can't be read or is no real zip.
    """
    _check(path)
    if not path.lower().endswith(".zip"):
        return [path]
    try:
        with zipfile.ZipFile(path) as archive:
            names = [
                info.filename
                for info in archive.infolist()
                if not info.is_dir() and not info.filename.startswith("__MACOSX/")
            ]
    except zipfile.BadZipFile:
        raise UserError("not a zip file", where=path, mend="fetch it again") from None
    return [f"{path}{MEMBER}{name}" for name in sorted(names)]


def _check(path: str) -> None:
    where = Path(path)
    if where.is_dir():
        raise UserError(
            "this is a folder, not a file", where=path, mend=f"name its files: {path.rstrip('/')}/*"
        )
    if not where.exists():
        raise UserError("no such file", where=path, mend="check the path")


def size_of(name: str) -> int:
    """Bytes of the file, or of the zip's member once unpacked."""
    path, _, member = name.partition(MEMBER)
    if not member:
        return Path(path).stat().st_size
    with zipfile.ZipFile(path) as archive:
        return archive.getinfo(member).file_size


def is_plain(name: str) -> bool:
    """Whether the bytes stand in the file as they are, so that they can be read from any place."""
    return MEMBER not in name and PurePosixPath(name).suffix.lower() not in PACKED


@contextmanager
def open_bytes(name: str) -> Iterator[BinaryIO]:
    """The unpacked bytes of a file or zip member as a stream."""
    path, _, member = name.partition(MEMBER)
    inner = member or path
    suffix = PurePosixPath(inner).suffix.lower()
    if member:
        with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
            yield cast(BinaryIO, gzip.GzipFile(fileobj=stream) if suffix == ".gz" else stream)
    elif suffix == ".gz":
        with gzip.open(path, "rb") as stream:
            yield cast(BinaryIO, stream)
    elif suffix in PACKED:
        with pa.input_stream(path, compression={".zst": "zstd", ".bz2": "bz2"}[suffix]) as stream:
            yield cast(BinaryIO, stream)
    else:
        with Path(path).open("rb") as stream:
            yield stream
