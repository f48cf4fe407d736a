"""Raw files and what is inside them: plain, gz, zst, and the members of a zip."""

from __future__ import annotations

import functools
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO, cast

import pyarrow as pa

from cqia.errors import UserError
from cqia.places.files import broken, is_elsewhere, look, matching, opened

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


def out_of_reach(name: str, fault: BaseException) -> UserError | None:
    """The error where it is the disk that fails, and not the archive; None: the file is broken."""
    if not isinstance(fault, OSError) or not fault.errno:
        return None
    return broken(name.partition(MEMBER)[0], fault)


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
    """A file's name, for a zip the names of its members, for a pattern those of its files; sorted.

    Raises:
        UserError: the file is missing, is a folder, can't be read or is no real zip.
    """
    found = matching(path)
    if found != [path]:
        return [name for one in found for name in expand(one)]
    if not path.lower().endswith(".zip"):
        look(path)
        return [path]
    try:
        with _zipped(path) as archive:
            names = [
                info.filename
                for info in archive.infolist()
                if not info.is_dir() and not info.filename.startswith("__MACOSX/")
            ]
    except zipfile.BadZipFile:
        raise UserError("not a zip file", where=path, mend="fetch it again") from None
    return [f"{path}{MEMBER}{name}" for name in sorted(names)]


@contextmanager
def _zipped(path: str) -> Iterator[zipfile.ZipFile]:
    """A zip; one elsewhere stays open for its next member, as its listing lies at its end."""
    if is_elsewhere(path):
        yield _far_zip(path)
        return
    with opened(path) as stream, zipfile.ZipFile(stream) as archive:
        yield archive


@functools.lru_cache(maxsize=2)
def _far_zip(path: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(opened(path))


def forget() -> None:
    """Open zips elsewhere anew from now on."""
    _far_zip.cache_clear()


def size_of(name: str) -> int:
    """Bytes of the file, or of the zip's member once unpacked."""
    path, _, member = name.partition(MEMBER)
    if not member:
        return look(path).size
    with _zipped(path) as archive:
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
        with _zipped(path) as archive, archive.open(member) as stream:
            yield cast(BinaryIO, gzip.GzipFile(fileobj=stream) if suffix == ".gz" else stream)
    elif suffix == ".gz":
        with opened(path) as packed, gzip.GzipFile(fileobj=packed) as stream:
            yield cast(BinaryIO, stream)
    elif suffix in PACKED:
        packing = {".zst": "zstd", ".bz2": "bz2"}[suffix]
        place = opened(path) if is_elsewhere(path) else path
        with pa.input_stream(place, compression=packing) as stream:
            yield cast(BinaryIO, stream)
    else:
        with opened(path) as stream:
            yield stream
