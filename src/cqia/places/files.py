"""Files anywhere: on this machine, in an S3-compatible store, on the Hugging Face hub, on a server.

A name with `://` in it lies elsewhere and is read through fsspec by ranges; any other is a path.
Keys come from the environment, as each store's own tools want them, and never from a name: names
stand in the ledger. `AWS_ENDPOINT_URL` names an S3-compatible store, `HF_ENDPOINT` a hub.
"""

from __future__ import annotations

import glob
import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast
from urllib.parse import unquote, urlsplit

from cqia.errors import UserError, unknown
from cqia.places.far import AGAIN, SCHEMES, changed, insist, system

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MARKS = ("ETag", "etag", "lfs", "blob_id", "xet_hash", "Content-MD5", "Last-Modified")
"""What a store tells of a file that is another when the file is; the first that it tells counts."""
BLOCK = 8 << 20
"""Bytes that are asked for at least: a request takes as long as some megabytes."""


class Seen(NamedTuple):
    """A file at a moment. mark: another one when the file is."""

    size: int
    mark: str


def is_elsewhere(name: str) -> bool:
    """Whether a name is no path of this machine."""
    return "://" in name


def checked(name: str) -> str:
    """A name as it can be read: `file://` as a path, others as they are.

    Raises:
        UserError: a scheme that is not known, or a name that may hold a secret.
    """
    if not is_elsewhere(name):
        return name
    parts = urlsplit(name)
    if parts.scheme == "file":
        return unquote(parts.path)
    if parts.scheme not in SCHEMES:
        raise unknown("kind of place", parts.scheme, [*SCHEMES, "file"], where=_public(name))
    web = parts.scheme in ("http", "https")
    if (parts.scheme != "hf" and "@" in parts.netloc) or (web and parts.query):
        raise UserError(
            "a name with a key, a password or a query in it would stand in the ledger",
            where=_public(name),
            mend="give keys by the environment (docs/remote.md), or fetch the file first",
        )
    return name


def survey(names: Iterable[str]) -> dict[str, Seen]:
    """Every file once, in order, with what it is now; a pattern elsewhere stands for its files.

    Raises:
        UserError: one is missing, a folder, or can't be reached; nothing matches a pattern.
    """
    found: dict[str, Seen] = {}
    for name in map(checked, names):
        found |= _matching(name) if _is_pattern(name) else {name: look(name)}
    return found


def matching(name: str) -> list[str]:
    """The files that a name or a pattern elsewhere stands for, sorted; a path stands for itself."""
    place = checked(name)
    return list(_matching(place)) if _is_pattern(place) else [place]


def _is_pattern(name: str) -> bool:
    """Whether a name stands for several: web servers have no listings, and a path may hold a *."""
    if not glob.has_magic(name) or name.startswith("http"):
        return False
    return is_elsewhere(name) or not Path(name).exists()


def _matching(pattern: str) -> dict[str, Seen]:
    if not is_elsewhere(pattern):
        paths = sorted(one for one in glob.glob(pattern) if Path(one).is_file())
        found = {path: look(path) for path in paths}
    else:
        there = system(pattern)

        def ask() -> dict[str, dict[str, Any]]:
            there.invalidate_cache()
            return dict(there.glob(pattern, detail=True))

        listed = insist(pattern, ask)
        files = {
            str(there.unstrip_protocol(path)): info
            for path, info in sorted(listed.items())
            if info["type"] == "file"
        }
        found = {name: _seen(name, info) for name, info in files.items()}
    if not found:
        raise UserError("no file matches", where=pattern, mend="check the path")
    return found


def look(name: str) -> Seen:
    """What a file is now.

    Raises:
        UserError: it is missing, a folder, or can't be reached.
    """
    if not is_elsewhere(name):
        path = Path(name)
        if path.is_dir():
            raise UserError(
                "this is a folder, not a file",
                where=name,
                mend=f"name its files: {name.rstrip('/')}/*",
            )
        try:
            status = path.stat()
        except OSError as fault:
            absent = isinstance(fault, FileNotFoundError | NotADirectoryError)
            what = "no such file" if absent else f"can't be read ({fault.strerror})"
            raise UserError(what, where=name, mend="check the path") from None
        return Seen(status.st_size, f"{status.st_size}-{status.st_mtime_ns}")
    there = system(name)

    def ask() -> dict[str, Any]:
        there.invalidate_cache()
        return dict(there.info(name))

    return _seen(name, insist(name, ask))


def _seen(name: str, info: dict[str, Any]) -> Seen:
    if info["type"] != "file":
        raise UserError(
            "this is a folder, not a file", where=name, mend=f"name its files: {name.rstrip('/')}/*"
        )
    told = next((info[one] for one in MARKS if info.get(one)), None)
    if info.get("size") is None or told is None or info.get("partial") is False:
        raise UserError(
            "this server doesn't tell a file's size and version, or gives no parts of it",
            where=name,
            mend="fetch the file first",
        )
    mark = told["sha256"] if isinstance(told, dict) else getattr(told, "sha256", told)
    return Seen(int(info["size"]), f"{info['size']}-{str(mark).strip(chr(34))}")


def hold(name: str, seen: Seen) -> None:
    """Make sure that a file still is what it was.

    Raises:
        UserError: it isn't.
    """
    if look(name).mark != seen.mark:
        raise changed(name)


def opened(name: str) -> BinaryIO:
    """The bytes of a file as they stand, from any place in it.

    Raises:
        UserError: it is gone, or can't be reached.
    """
    if is_elsewhere(name):
        return cast(BinaryIO, io.BufferedReader(_Far(name), BLOCK))
    try:
        return Path(name).open("rb")
    except OSError as fault:
        raise broken(name, fault) from None


def span(name: str, start: int, end: int) -> bytes:
    """A range of a file's bytes, and no byte more over the wire."""
    with _Far(name) if is_elsewhere(name) else opened(name) as stream:
        stream.seek(start)
        parts = []
        while start < end and (part := stream.read(end - start)):
            parts.append(part)
            start += len(part)
    return b"".join(parts)


def broken(name: str, fault: OSError) -> UserError:
    """The error for a file that the disk, or the network behind it, doesn't give."""
    return UserError(f"can't be read ({fault.strerror})", where=name, mend=AGAIN)


class _Far(io.RawIOBase):
    """A file elsewhere; each read is one request, asked again as often as it may help."""

    def __init__(self, name: str) -> None:
        there = system(name)
        self._name, self._at = name, 0

        def ask() -> Any:  # noqa: ANN401
            there.invalidate_cache()
            return there.open(name, "rb", cache_type="none", block_size=BLOCK)

        self._file = insist(name, ask)
        self._size = int(self._file.size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        wanted = min(len(view), self._size - self._at, BLOCK)
        if wanted <= 0:
            return 0
        part = insist(self._name, lambda: self._part(wanted))
        view[:wanted] = part
        self._at += wanted
        return wanted

    def readall(self) -> bytes:
        """The rest; the inherited one would ask for 8 KB at a time."""
        parts = []
        while part := self.read(BLOCK):
            parts.append(part)
        return b"".join(parts)

    def _part(self, wanted: int) -> bytes:
        self._file.seek(self._at)
        try:
            part = bytes(self._file.read(wanted))
        except ValueError as fault:  # fsspec's word for an answer that is no part
            raise NotImplementedError(str(fault)) from None
        if len(part) != wanted:
            raise EOFError(f"{len(part)} bytes came, {wanted} were asked for")
        return part

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _public(name: str) -> str:
    """A name without what may be a secret in it."""
    parts = urlsplit(name)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
