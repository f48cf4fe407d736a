"""Brings public files from their homes into a data folder, each checked by its sha256.

A file is put in place whole, by one rename, and only when its sha256 is the one in the table. What
stands there already with the right sha256 is not fetched again, so a fetch that was stopped goes on
where it was. What a server sends is hostile input: answers are bounded in size and time, and no
name from an archive ever becomes a path on the disk.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import quote

from cqia import store
from cqia.downloads import Lost, Web, get
from cqia.errors import UserError
from cqia.open_data import Collection, OpenFile

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)
"""What zipfile raises over bytes that are no sound zip."""

Fate = Literal["there", "fetched", "recorded", "accepted", "changed", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file."""

    name: str
    """Path below the data folder."""
    fate: Fate
    sha256: str = ""
    """Of what was received; empty where nothing was."""
    detail: str = ""
    """For changed and failed: what is wrong and how to go on, in one line."""


def fetch(
    collections: Sequence[Collection],
    to: Path,
    *,
    web: Web | None = None,
    accept_changed: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> list[Outcome]:
    """Bring the collections' files below the folder `to`.

    A file that changed at its home or can't be had doesn't stop the others; its outcome says so.

    Args:
        collections: what to bring, by folder.
        to: the data folder.
        web: where and how the network is asked.
        accept_changed: put a file in place even when its sha256 is not the table's.
        progress: called with (done, all, what).

    Raises:
        UserError: there is no network, a host doesn't answer, or a file can't be written.
    """
    outcomes: list[Outcome] = []
    total = sum(len(one.files) for one in collections)
    try:
        for collection in collections:
            for outcome in _bring(collection, to, web or Web(), accept_changed):
                outcomes.append(outcome)
                if progress:
                    progress(len(outcomes), total, outcome.name)
    except OSError as fault:  # of the disk: _get turns those of the network into its own
        raise UserError(
            f"the data folder can't be used ({fault.strerror})",
            where=str(fault.filename or to),
            mend="make room for it, or name another folder with --to",
        ) from None
    return outcomes


def _bring(collection: Collection, to: Path, web: Web, accept_changed: bool) -> Iterator[Outcome]:
    wanted = []
    for file in collection.files:
        found, wanted_hash = _sha256(to / collection.place(file)), _expected(collection, file, to)
        if found and found == (wanted_hash or found):
            yield Outcome(name=collection.place(file), fate="there", sha256=found)
        else:
            wanted.append(file)
    if not wanted:
        return
    try:
        find = _finder(collection, wanted, web, to)
    except Lost as lost:
        for file in wanted:
            yield Outcome(name=collection.place(file), fate="failed", detail=str(lost))
        return
    for file in wanted:
        name = collection.place(file)
        try:
            body = find(file)
        except Lost as lost:
            yield Outcome(name=name, fate="failed", detail=str(lost))
        else:
            outcome = _put(name, _expected(collection, file, to), body, to, accept_changed)
            if not file.sha256 and outcome.fate in ("recorded", "accepted"):
                _record(to / name)
            yield outcome


def _put(name: str, expected: str, body: bytes, to: Path, accept_changed: bool) -> Outcome:
    """Put a file in place when it is the expected one, or when none is expected yet."""
    found = hashlib.sha256(body).hexdigest()
    same = found == (expected or found)
    if not same and not accept_changed:
        detail = (
            f"changed at its home: its sha256 is {found}, the table has {expected}; "
            "not put in place; --accept-changed takes it all the same"
        )
        return Outcome(name=name, fate="changed", sha256=found, detail=detail)
    store.write_bytes(to / name, body)
    if not expected:
        return Outcome(name=name, fate="recorded", sha256=found)
    return Outcome(name=name, fate="fetched" if same else "accepted", sha256=found)


def _expected(collection: Collection, file: OpenFile, to: Path) -> str:
    """The table's sha256, or the one recorded at the first download; empty: neither is known."""
    note = _note(to / collection.place(file))
    return file.sha256 or (note.read_text(encoding="utf-8").split()[0] if note.is_file() else "")


def _record(path: Path) -> None:
    """Keep a file's sha256 beside it, in the form that `sha256sum -c` reads."""
    store.write_bytes(_note(path), f"{_sha256(path)}  {path.name}\n".encode())


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _sha256(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _finder(
    collection: Collection, wanted: Sequence[OpenFile], web: Web, to: Path
) -> Callable[[OpenFile], bytes]:
    """What finds a file's bytes: at an address of its own, or in the archive, fetched once."""

    def single(file: OpenFile) -> bytes:
        hand = by_hand(collection, file, to)
        if collection.home:
            url = collection.home + quote(collection.path(file))
            return get(url, web, web.file_limit, hand)
        path = quote(f"{collection.repository}/{collection.revision}/{collection.path(file)}")
        return get(f"{web.raw}/{path}", web, web.file_limit, hand)

    if collection.form == "file":
        return single
    first = wanted[0]
    url = f"{web.archives}/{collection.repository}/zip/{collection.revision}"
    archive = get(url, web, web.archive_limit, by_hand(collection, first, to))
    if collection.form == "lines":
        body = as_lines(members(archive, collection.path(first), web.unpacked_limit))
        return lambda file: body
    pages = dict(members(archive, "*.html", web.unpacked_limit))
    by_hash = {hashlib.sha256(body).hexdigest(): body for body in pages.values()}

    def page(file: OpenFile) -> bytes:
        body = by_hash.get(file.sha256) or pages.get(collection.path(file))
        if body is None:
            raise Lost(
                f"{collection.repository} has no page with its sha256 {file.sha256} any more"
            )
        return body

    return page


def by_hand(collection: Collection, file: OpenFile, to: Path) -> str:
    """How to do without us: which file to put where."""
    path, home = collection.path(file), collection.address
    what = f"the items of {path}, one a line," if collection.form == "lines" else path
    place = to / collection.place(file)
    pages = "docs/open-data.md and docs/benchmarks.md list them"
    return f"by hand: {what} from {home} to {place}, and so on as {pages}"


def members(archive: bytes, pattern: str, limit: int) -> Iterator[tuple[str, bytes]]:
    """The files of a repository's zip whose path matches: path without the first folder, bytes.

    Sizes in the archive's directory may lie, so what is really unpacked is counted.

    Raises:
        Lost: the archive is damaged, or unpacks to more than `limit` bytes.
    """
    left = limit
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            for info in opened.infolist():
                path = info.filename.partition("/")[2]
                if info.is_dir() or not fnmatchcase(path, pattern):
                    continue
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise Lost(f"{path} in the archive is packed in an unknown way")
                with opened.open(info) as stream:
                    body = stream.read(left + 1)
                left -= len(body)
                if left < 0:
                    raise Lost(f"the archive unpacks to more than {limit:,} bytes")
                yield path, body
    except _DAMAGED as fault:
        raise Lost(f"the archive is damaged ({fault})") from None


def as_lines(files: Iterator[tuple[str, bytes]]) -> bytes:
    """JSON objects as JSON Lines, by name; each begins with `file`, the name of its file.

    What is no object, such as a list of the files' names, is left out.

    Raises:
        Lost: a file is no JSON, or there is no object at all.
    """
    lines = []
    for path, body in sorted(files):
        name = PurePosixPath(path).name
        try:
            item = json.loads(body)
            if isinstance(item, dict):
                text = json.dumps({"file": name, **item}, ensure_ascii=False)
                lines.append(text.encode() + b"\n")
        except (ValueError, RecursionError) as fault:
            raise Lost(f"{path} in the archive is no JSON ({fault})") from None
    if not lines:
        raise Lost("the archive holds no item")
    return b"".join(lines)
