"""Tables: CSV with or without a header, and Parquet."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq

from cqia.errors import UserError
from cqia.places.files import is_elsewhere, opened
from cqia.raw.encoding import HEAD, sniff
from cqia.raw.faults import Batch, bad_rows
from cqia.raw.files import is_plain, open_bytes

BLOCK = 32 << 20
ROWS = 20_000
MARK = "\U0010ffff"
"""A code point that Unicode keeps free of characters."""
_ERRORS = "cqia.mark"

Ints = npt.NDArray[np.int64]


def read_csv(file: str, columns: tuple[str, ...]) -> Iterator[Batch]:
    """The rows of a CSV or TSV file, every value a string.

    Args:
        file: the file.
        columns: the columns' names when the file has no header; empty: its first line names them.
    """
    faults: list[tuple[str, int, str, str]] = []
    lost: list[int] = []

    def refuse(row: pv.InvalidRow) -> str:
        number = (row.number or 0) - (0 if columns else 1)
        lost.append(number)
        reason = f"{row.actual_columns} columns, {row.expected_columns} are needed"
        text = row.text.replace(MARK, "\ufffd")
        faults.append((file, number + (0 if columns else 1), reason, text))
        return "skip"

    with open_bytes(file) as head:
        encoding = sniff(head.read(HEAD))
    with open_bytes(file) as stream:
        marked = _Marked(stream, encoding)
        try:
            batches = pv.open_csv(
                marked,
                read_options=pv.ReadOptions(
                    use_threads=False,
                    block_size=BLOCK,
                    column_names=list(columns) or None,
                ),
                parse_options=_layout(file, refuse),
                convert_options=pv.ConvertOptions(
                    column_types=dict.fromkeys(columns or _header(file, encoding), pa.string()),
                    strings_can_be_null=False,
                ),
            )
            for batch in _csv_batches(batches, file, bool(columns), lost, faults):
                yield _without_marks(batch) if marked.broken else batch
        except pa.ArrowException as fault:
            reason = f"broken CSV, nothing after this was read: {str(fault).splitlines()[0]}"
            yield Batch(_nothing(file), bad_rows([*faults, (file, 1, reason, "")]))


class _Marked:
    """A stream as UTF-8 with `MARK` where bytes are none of its encoding.

    The CSV parser itself gives up at the first such byte; so only the rows that hold one are bad.
    """

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(_ERRORS)
        self.closed = False
        self.broken = False

    def read(self, size: int = -1) -> bytes:
        """About `size` bytes; empty at the end only."""
        while True:
            block = self._stream.read(size)
            text = self._decoder.decode(block, final=not block)
            self.broken = self.broken or MARK in text
            if text or not block:
                return text.encode()

    def close(self) -> None:
        """Leave the stream to who opened it."""
        self.closed = True


def _mark(fault: UnicodeError) -> tuple[str, int]:
    assert isinstance(fault, UnicodeDecodeError)
    return MARK, fault.end


codecs.register_error(_ERRORS, _mark)


def _without_marks(batch: Batch) -> Batch:
    """The same with the rows that hold a `MARK` in the bad table."""
    texts = batch.items.select(pl.exclude("row", "file"))
    hit = texts.select(pl.any_horizontal(pl.all().str.contains(MARK, literal=True))).to_series()
    rows = zip(
        batch.items.filter(hit).select("file", "row").iter_rows(),
        texts.filter(hit).iter_rows(),
        strict=True,
    )
    reason = "bytes that its encoding doesn't have"
    bad = [(*place, reason, ",".join(row).replace(MARK, "\ufffd")) for place, row in rows]
    return Batch(batch.items.filter(~hit), pl.concat([batch.bad, bad_rows(bad)]))


def _header(file: str, encoding: str) -> list[str]:
    """The columns that a CSV file names, as the reader itself sees them; empty: it has none.

    Raises:
        UserError: two have one name, or one can't be handed on.
    """
    with open_bytes(file) as stream:
        head = stream.read(HEAD).decode(encoding, _ERRORS).encode()
    try:
        with pv.open_csv(
            io.BytesIO(head),
            read_options=pv.ReadOptions(use_threads=False, block_size=len(head) + 1),
            parse_options=_layout(file, lambda _: "skip"),
        ) as table:
            names: list[str] = table.schema.names
    except pa.ArrowException:
        return []
    return _usable(names, file)


def _usable(names: list[str], file: str) -> list[str]:
    """Columns' names that can be handed on.

    Raises:
        UserError: two are one, or one holds NUL and would be cut there, or bytes that are no text.
    """
    for name in names:
        what = "stands twice" if names.count(name) > 1 else "holds NUL" if "\0" in name else ""
        if MARK in name:
            what = "holds bytes that its encoding doesn't have"
        if what:
            what = f"the column {name.replace(MARK, chr(0xFFFD))!r} {what}"
            raise UserError(what, where=file, mend="rename it in the file")
    return names


def _layout(file: str, refuse: Callable[[pv.InvalidRow], str]) -> pv.ParseOptions:
    return pv.ParseOptions(
        delimiter="\t" if ".tsv" in file.lower() else ",",
        newlines_in_values=True,
        invalid_row_handler=refuse,
    )


def _nothing(file: str) -> pl.DataFrame:
    return pl.DataFrame(schema={"row": pl.Int64, "file": pl.String})


def _csv_batches(
    batches: pv.CSVStreamingReader,
    file: str,
    bare: bool,
    lost: list[int],
    faults: list[tuple[str, int, str, str]],
) -> Iterator[Batch]:
    """Number the rows by line: bad rows count, and so do line breaks inside values."""
    done = inner = 0
    for batch in batches:
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        if {"file", "row"} & set(frame.columns):
            raise UserError(
                "the columns 'file' and 'row' are taken", where=file, mend="rename them in the file"
            )
        numbers = np.setdiff1d(np.arange(1, done + len(frame) + len(lost) + 1), lost)
        numbers = numbers[done : done + len(frame)]
        done += len(frame)
        breaks = frame.select(pl.sum_horizontal(pl.all().str.count_matches("\n"))).to_series()
        below = inner + np.cumsum(breaks.to_numpy().astype(np.int64))
        rows = numbers + (0 if bare else 1) + below - breaks.to_numpy()
        bad = bad_rows([_moved(fault, numbers, below, inner, bare) for fault in faults])
        faults.clear()
        inner = int(below[-1]) if len(below) else inner
        yield Batch(frame.with_columns(row=pl.Series(rows, dtype=pl.Int64), file=pl.lit(file)), bad)
    if faults:
        yield Batch(_nothing(file), bad_rows(faults))


def _moved(
    fault: tuple[str, int, str, str], numbers: Ints, below: Ints, inner: int, bare: bool
) -> tuple[str, int, str, str]:
    """Move a bad row's line down by the line breaks inside the values above it."""
    file, line, reason, raw = fault
    before = int(np.searchsorted(numbers, line - (0 if bare else 1)))
    return file, line + (int(below[before - 1]) if before else inner), reason, raw


def read_parquet(file: str) -> Iterator[Batch]:
    """The rows of a Parquet file with its own columns; `row` counts from 1."""
    if not is_plain(file):
        raise UserError(
            "Parquet inside an archive can't be streamed", where=file, mend="unpack the archive"
        )
    try:
        table = pq.ParquetFile(opened(file) if is_elsewhere(file) else file)
    except (pa.ArrowException, OSError) as fault:
        said = _said(fault)
        raise UserError(f"not a Parquet file ({said})", where=file, mend="fetch it again") from None
    _usable(table.schema_arrow.names, file)
    done = 0
    batches = table.iter_batches(batch_size=ROWS)
    while True:
        try:
            batch = next(batches, None)
        except (pa.ArrowException, OSError) as fault:
            reason = f"broken Parquet, nothing after this was read: {_said(fault)}"
            yield Batch(_nothing(file), bad_rows([(file, done + 1, reason, "")]))
            return
        if batch is None:
            return
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        rows = pl.int_range(done + 1, done + len(frame) + 1, eager=True)
        done += len(frame)
        yield Batch(frame.with_columns(row=rows, file=pl.lit(file)), bad_rows([]))


def _said(fault: Exception) -> str:
    """What the library says of a broken file.

    Raises:
        OSError: it is the disk that fails, and not the file.
    """
    if isinstance(fault, OSError) and fault.errno:
        raise fault
    return str(fault).strip()
