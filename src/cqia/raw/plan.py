"""How a set of raw files is cut into tasks that can be read on their own, and reading a task.

A plan depends on the files' bytes alone, never on the machine, so that parts made from it can be
taken up again anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import PurePath
from typing import Any, cast

import numpy as np
import polars as pl

from cqia.errors import UserError, unknown
from cqia.places.files import BLOCK, Seen, hold, look, opened, span
from cqia.raw import archives, pages, tables, values
from cqia.raw.encoding import HEAD, Utf8Reader, sniff
from cqia.raw.faults import Batch, bad_rows
from cqia.raw.files import (
    BROKEN,
    KINDS,
    MEMBER,
    expand,
    forget,
    is_archive,
    is_plain,
    kind_of,
    open_bytes,
    out_of_reach,
    size_of,
)

TASK_BYTES = 32 << 20
"""Raw bytes of a task: what a worker reads before it writes."""
TASK_FILES = 2_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A file, or a range of whole lines of one.

    file: its name, with `!member` for one inside a zip.
    start, end: bytes; end -1 means to the end.
    line: the number of the first line.
    """

    file: str
    kind: str
    start: int = 0
    end: int = -1
    line: int = 1


@dataclass(frozen=True, slots=True)
class Task:
    """Pieces of one kind that are read one after another by one worker."""

    pieces: tuple[Piece, ...]
    seen: Mapping[str, Seen]
    """What the pieces' files were when the task was made."""


def plan(files: Iterable[str] | Mapping[str, Seen], kinds: Iterable[str]) -> list[Task]:
    """Cut files into tasks of about TASK_BYTES.

    Args:
        files: paths; a zip stands for its members. With what they were when they were looked at
            (`cqia.places.files.survey`), a change since then is noticed, too.
        kinds: the kinds of raw form that can be read.

    Raises:
        UserError: a file is missing, a folder, of no known kind, or of a kind not in `kinds`.
    """
    known = sorted(kinds)
    seen = files if isinstance(files, Mapping) else {}
    forget()
    tasks: list[Task] = []
    packed: list[Piece] = []
    size = 0
    for file in [name for path in files for name in _expanded(path, seen)]:
        kind = kind_of(file)
        if kind is None:
            raise unknown("file ending", PurePath(file).suffix or file, KINDS, where=file)
        if kind not in known:
            raise UserError(
                f"this is {kind}; {' or '.join(known)} is needed here",
                where=file,
                mend="name other files, or read it with a generic [[source]]",
            )
        weight = seen[file].size if file in seen else size_of(file)
        if weight > TASK_BYTES:
            tasks += [_task([piece], seen) for piece in _ranges(Piece(file, kind))]
            continue
        full = size + weight > TASK_BYTES or len(packed) == TASK_FILES
        if packed and (full or packed[0].kind != kind):
            tasks.append(_task(packed, seen))
            packed, size = [], 0
        packed.append(Piece(file, kind))
        size += weight
    return [*tasks, _task(packed, seen)] if packed else tasks


def _expanded(path: str, seen: Mapping[str, Seen]) -> list[str]:
    """What a path stands for; one that was looked at is not looked at again."""
    return [path] if path in seen and not path.lower().endswith(".zip") else expand(path)


def _task(pieces: list[Piece], seen: Mapping[str, Seen]) -> Task:
    """A task, with what its files were, each once: a zip's members lie in one."""
    files = {piece.file.partition(MEMBER)[0] for piece in pieces}
    return Task(tuple(pieces), {file: seen.get(file) or look(file) for file in sorted(files)})


def told(tasks: Iterable[Task]) -> list[Any]:
    """A plan in plain values."""
    return [
        [
            [[one.file, one.kind, one.start, one.end, one.line] for one in task.pieces],
            {file: list(seen) for file, seen in task.seen.items()},
        ]
        for task in tasks
    ]


def retold(tasks: Iterable[Any]) -> list[Task]:
    """The plan of `told`."""
    return [
        Task(
            tuple(Piece(*piece) for piece in pieces),
            {file: Seen(*one) for file, one in seen.items()},
        )
        for pieces, seen in tasks
    ]


def _ranges(piece: Piece) -> list[Piece]:
    """Cut a large plain UTF-8 file of JSON lines into ranges of whole lines; leave others whole."""
    if piece.kind != "json" or not is_plain(piece.file):
        return [piece]
    with opened(piece.file) as stream:
        head = stream.read(HEAD)
        if sniff(head) not in {"utf-8", "utf-8-sig"} or not values.is_lines(head, piece.file):
            return [piece]
    if _not_utf8(piece.file):
        return [piece]
    pieces: list[Piece] = []
    start, line = (3 if head.startswith(b"\xef\xbb\xbf") else 0), 1
    with opened(piece.file) as stream:
        stream.seek(start)
        while size := (found := _count_lines(cast(BufferedReader, stream), TASK_BYTES))[0]:
            rest = stream.readline()
            end = start + size + len(rest)
            pieces.append(Piece(piece.file, piece.kind, start, end, line))
            line += found[1] + rest.count(b"\n")
            start = end
    return pieces


def _count_lines(stream: BufferedReader, size: int) -> tuple[int, int]:
    """How many bytes were read, `size` at most, and the line ends in them."""
    room = np.empty(min(size, BLOCK), np.uint8)
    done = lines = 0
    while done < size and (got := stream.readinto(room[: size - done].data)):
        lines += int(np.count_nonzero(room[:got] == ord("\n")))
        done += got
    return done, lines


def _not_utf8(file: str) -> bool:
    """Whether a file whose head is ASCII turns out to be in another encoding further on."""
    with open_bytes(file) as stream:
        reader = Utf8Reader(stream, file)
        if reader.encoding != "utf-8" or not reader.ascii_so_far:
            return False
        while reader.ascii_so_far and reader.read(values.BLOCK):
            pass
        return reader.encoding not in {"utf-8", "utf-8-sig"}


def read(task: Task, schema: pl.Struct | None, columns: tuple[str, ...] = ()) -> Iterator[Batch]:
    """Read a task's items in batches.

    Args:
        task: pieces of one kind.
        schema: the fields to decode, for JSON.
        columns: the columns' names, for CSV without a header.

    Raises:
        UserError: a file can't be reached, or is another one than it was when the task was made.
    """
    small: list[Batch] = []
    for piece in task.pieces:
        for batch in _read_piece(piece, schema, columns):
            if not len(batch.items) and not len(batch.bad):
                continue
            if len(task.pieces) == 1:
                yield batch
            else:
                small.append(batch)
    for file, seen in task.seen.items():
        hold(file, seen)
    if small:
        items = [one.items for one in small if len(one.items)]
        frame = pl.concat(items, how="diagonal") if items else small[0].items
        yield Batch(frame, pl.concat([one.bad for one in small]))


def _read_piece(
    piece: Piece, schema: pl.Struct | None, columns: tuple[str, ...]
) -> Iterator[Batch]:
    if piece.kind == "csv":
        yield from tables.read_csv(piece.file, columns)
        return
    if piece.kind == "parquet":
        yield from tables.read_parquet(piece.file)
        return
    if piece.end >= 0:
        assert schema is not None
        block = span(piece.file, piece.start, piece.end)
        yield values.decode(values.cut_lines(block, piece.line), schema, piece.file)
        return
    done = 0
    try:
        for batch in _read_stream(piece, schema):
            last = batch.items["row"].max()
            done = last if isinstance(last, int) else done
            yield batch
    except BROKEN as fault:
        if problem := out_of_reach(piece.file, fault):
            raise problem from None
        reason = f"the archive breaks off, nothing after this was read: {fault}"
        nothing = pl.DataFrame(schema={"file": pl.String, "row": pl.Int64})
        yield Batch(nothing, bad_rows([(piece.file, done + 1, reason, "")]))


def _read_stream(piece: Piece, schema: pl.Struct | None) -> Iterator[Batch]:
    if is_archive(piece.file):
        yield from archives.read_warc(piece.file)
        return
    with open_bytes(piece.file) as stream:
        if piece.kind == "json":
            assert schema is not None
            yield from _read_json(Utf8Reader(stream, piece.file, values.BLOCK), piece, schema)
        elif piece.kind == "mediawiki":
            yield from pages.read_wiki(stream, piece.file)
        else:
            yield pages.read_page(stream, piece.file, piece.kind)


def _read_json(reader: Utf8Reader, piece: Piece, schema: pl.Struct) -> Iterator[Batch]:
    head = reader.peek()
    if not head.strip():
        empty = values.Values(
            pl.Series("json", [], dtype=pl.String),
            pl.Series("row", [], dtype=pl.Int64),
            [(1, "the file is empty", "")],
        )
        yield values.decode(empty, schema, piece.file)
        return
    cut = values.stream_lines if values.is_lines(head, piece.file) else values.stream_values
    for found in cut(reader):
        yield values.decode(found, schema, piece.file)
