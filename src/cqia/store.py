"""What we write: Parquet files and, last of all, a manifest. Present and same fingerprint = done.

A stage's results stand in `work/<stage>/<name>/`. Work that takes long is written part by part: a
part is a folder that appears whole, by one rename, or not at all. So a run that is killed at any
moment leaves finished parts and nothing half-written, and the same command goes on from there.
Manifests hold nothing that changes from run to run (no clock, no host): the same inputs and
parameters give the same bytes.
"""

from __future__ import annotations

import errno
import fcntl
import functools
import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from cqia.errors import UserError, no_room
from cqia.places.files import is_elsewhere, look

MANIFEST = "manifest.json"
ASIDE = ("cli/", "describing/", "queries/", "reporting/", "reviewing/", "web/")
"""What shows results and makes none."""
_UNFINISHED = ".unfinished"
SETTLED = 2_000_000_000
"""Nanoseconds without a change from which a file's hash is remembered."""

Facts = dict[str, Any]
"""A manifest's content: plain JSON values."""


def fingerprint(facts: Mapping[str, Any]) -> str:
    """A short hash of plain values, equal when and only when they are."""
    body = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(body).hexdigest()[:16]


@functools.cache
def program(*places: str) -> str:
    """A short hash of this package's own code and word lists.

    It stands in every fingerprint: results made by another version of a rule are made anew.

    Args:
        places: files or folders below the package that the result depends on, for work so dear
            that a change elsewhere must not undo it; none: all but commands and queries.
    """
    root = Path(__file__).parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root).as_posix()
        wanted = inside.startswith(places) if places else not inside.startswith(ASIDE)
        if path.suffix in {".py", ".txt"} and wanted:
            total.update(inside.encode() + path.read_bytes())
    return total.hexdigest()[:16]


def write_json(path: Path, facts: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    body = orjson.dumps(facts, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    write_bytes(path, body)


def json_line(facts: Mapping[str, Any]) -> bytes:
    """One line of JSON."""
    return orjson.dumps(facts, option=orjson.OPT_APPEND_NEWLINE)


def write_bytes(path: Path, body: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as temporary, temporary.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A temporary file that takes the place of `path` when the block ends well.

    Raises:
        UserError: the disk is full.
    """
    temporary = path.with_name(path.name + _UNFINISHED)
    try:
        yield temporary
    except BaseException as fault:
        temporary.unlink(missing_ok=True)
        if full := no_room(fault, str(path)):
            raise full from None
        raise
    temporary.replace(path)


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Write a Parquet file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as temporary:
        try:
            frame.write_parquet(temporary, compression="zstd", compression_level=1)
        except pl.exceptions.ComputeError as fault:
            if "transport error" not in str(fault):
                raise
            # So the writer calls it when a disk takes no more in the middle of a page's header.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from fault


@contextmanager
def row_groups(path: Path, schema: pl.Schema) -> Iterator[Callable[..., None]]:
    """A Parquet file written frame by frame, a row group a frame, whole or not at all.

    A reader that wants one part of a table sorted by parts reads its row group only.
    """

    def arrow(frame: pl.DataFrame) -> Any:  # noqa: ANN401
        return (
            frame.select(schema.names()).cast(schema).to_arrow(compat_level=pl.CompatLevel.oldest())
        )

    path.parent.mkdir(parents=True, exist_ok=True)
    kind = arrow(pl.DataFrame(schema=schema)).schema
    with (
        whole(path) as temporary,
        pq.ParquetWriter(temporary, kind, compression="zstd", compression_level=1) as file,
    ):
        yield lambda frame: file.write_table(arrow(frame)) if len(frame) else None


def read_json(path: Path) -> Facts:
    """A JSON file written by us.

    Raises:
        UserError: it was changed by hand into something that is no JSON object.
    """
    try:
        facts = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError:
        facts = None
    if not isinstance(facts, dict):
        raise UserError(
            "this file is damaged", where=str(path), mend=f"delete {path.parent} and run again"
        )
    return facts


def manifest(folder: Path) -> Facts | None:
    """The manifest of a finished result, or None."""
    path = folder / MANIFEST
    return read_json(path) if path.exists() else None


def finished(folder: Path, mark: str) -> Facts | None:
    """The manifest of a result that is finished and has this fingerprint, or None."""
    found = manifest(folder)
    return found if found and found.get("fingerprint") == mark else None


def begin(folder: Path, mark: str) -> None:
    """Make ready a folder for the result with this fingerprint; what is of another one goes."""
    note = folder / "fingerprint"
    if folder.exists() and (not note.exists() or note.read_text() != mark):
        stale = folder.with_name(folder.name + _UNFINISHED)
        shutil.rmtree(stale, ignore_errors=True)
        folder.replace(stale)
        shutil.rmtree(stale)
    folder.mkdir(parents=True, exist_ok=True)
    if not note.exists():
        write_bytes(note, mark.encode())


def seal(folder: Path, mark: str, facts: Mapping[str, Any]) -> Facts:
    """Write the manifest: the result is finished from now on."""
    complete = {"fingerprint": mark, **facts}
    write_json(folder / MANIFEST, complete)
    return complete


@contextmanager
def part(folder: Path, name: str) -> Iterator[Path]:
    """A folder to write a part's files into; it appears as `folder/name` if the block ends well."""
    temporary = folder / (name + _UNFINISHED)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    yield temporary
    target, former = folder / name, folder / (name + ".former" + _UNFINISHED)
    shutil.rmtree(former, ignore_errors=True)
    if target.exists():
        target.replace(former)
    temporary.replace(target)
    shutil.rmtree(former, ignore_errors=True)


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder for files that are gone when the block ends, however the last run ended.

    Each has a name of its own: a worker that outlives its killed run for a moment writes into that
    run's folder, and what it left is swept away at the end of this one.
    """
    _sweep(folder)
    place = folder / f"scratch-{os.getpid()}-{uuid.uuid4().hex[:8]}{_UNFINISHED}"
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        _sweep(folder)


def _sweep(folder: Path) -> None:
    for place in folder.glob(f"scratch*{_UNFINISHED}"):
        shutil.rmtree(place, ignore_errors=True)


def parts(folder: Path) -> list[Path]:
    """The finished parts of a result, in order."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.suffix != _UNFINISHED)


@contextmanager
def lock(work: Path) -> Iterator[None]:
    """Hold a working folder: two runs in one folder would undo each other.

    Raises:
        UserError: another process holds it; or what stands in it is damaged, or its disk is full,
            which is found out when something goes wrong.
    """
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(
                "another cqia is at work in this folder",
                where=str(work),
                mend="wait for it, or name another folder with --work",
            ) from None
        try:
            yield
        except (pl.exceptions.PolarsError, pa.ArrowException, OSError) as fault:
            if known := no_room(fault, str(work)) or damaged(work, fault):
                raise known from None
            raise


def damaged(work: Path, fault: Exception) -> UserError | None:
    """The error for the first file below a working folder that is broken or gone, if one is.

    Our own files appear whole or not at all, so it is the disk, or somebody, that broke it.
    """
    for path in sorted(work.rglob("*.parquet")):
        if not any(part.endswith(_UNFINISHED) for part in path.parts) and not _sound(path):
            return _spoilt(work, path, "this file is damaged")
    if isinstance(fault, FileNotFoundError):
        for tail in re.findall(r"[^\s'\"]+", str(fault)):  # Polars tells only the end of a path
            parts = tail.split("/")
            for place, part in enumerate(parts[:-1]):
                path = work.joinpath(*parts[place:])
                if part and (work / part).is_dir() and not path.exists():
                    return _spoilt(work, path, "this file is gone")
    return None


def _spoilt(work: Path, path: Path, what: str) -> UserError:
    parts = path.relative_to(work).parts
    result = work.joinpath(*parts[: 2 if len(parts) > 2 else 1])
    return UserError(what, where=str(path), mend=f"delete {result} and run again")


def _sound(path: Path) -> bool:
    """Whether a Parquet file can be read to its end."""
    try:
        with pq.ParquetFile(path) as file:
            for _ in file.iter_batches():
                pass
    except (pa.ArrowException, OSError):
        return False
    return True


class Hashes:
    """sha256 of input files, remembered by path, size and time of change.

    A file that was changed a moment ago, or in the future of a clock that was set back, is read
    again next time: a change right after the reading could bear the same time. The time of the
    inode's change counts too, since `cp -p` and `touch` can set the other.

    A file elsewhere goes by what its store says of it: size and ETag, or the hash of its content.
    Reading gigabytes again only to learn that nothing changed would make "nothing to do" slow.
    """

    def __init__(self, work: Path) -> None:
        self._path = work / "hashes.json"
        self._known = read_json(self._path) if self._path.exists() else {}
        self._changed = False

    def of(self, path: str) -> str:
        """The file's sha256 as hex, or its store's word for it."""
        if is_elsewhere(path):
            return look(path).mark
        status = Path(path).stat()
        changed = max(status.st_mtime_ns, status.st_ctime_ns)
        mark = f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"
        key = str(Path(path).absolute())
        known = self._known.get(key)
        if known and known[0] == mark:
            return str(known[1])
        with Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if changed < time.time_ns() - SETTLED:
            self._known[key] = [mark, digest]
            self._changed = True
        return digest

    def save(self) -> None:
        """Remember what was learnt."""
        if self._changed:
            write_json(self._path, self._known)
            self._changed = False
