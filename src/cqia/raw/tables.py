"""Tables: CSV with or without a header, and Parquet."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq

from cqia.errors import UserError
from cqia.raw.encoding import HEAD, sniff
from cqia.raw.faults import Batch, bad_rows
from cqia.raw.files import is_plain, open_bytes

BLOCK = 32 << 20
ROWS = 20_000

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
        faults.append((file, number + (0 if columns else 1), reason, row.text))
        return "skip"

    with open_bytes(file) as head:
        encoding = sniff(head.read(HEAD))
    with open_bytes(file) as stream:
        try:
            batches = pv.open_csv(
                stream,
                read_options=pv.ReadOptions(
                    use_threads=False,
                    block_size=BLOCK,
                    encoding=encoding.replace("-sig", ""),
                    column_names=list(columns) or None,
                ),
                parse_options=pv.ParseOptions(
                    delimiter="\t" if ".tsv" in file.lower() else ",",
                    newlines_in_values=True,
                    invalid_row_handler=refuse,
                ),
                convert_options=pv.ConvertOptions(
                    column_types=dict.fromkeys(columns or _header(file, encoding), pa.string()),
                    strings_can_be_null=False,
                ),
            )
            yield from _csv_batches(batches, file, bool(columns), lost, faults)
        except pa.ArrowInvalid as fault:
            reason = f"broken CSV, nothing after this was read: {str(fault).splitlines()[0]}"
            yield Batch(_nothing(file), bad_rows([*faults, (file, 1, reason, "")]))


def _header(file: str, encoding: str) -> list[str]:
    with open_bytes(file) as stream:
        line = stream.read(HEAD).decode(encoding, "replace").partition("\n")[0]
    table = pl.read_csv(
        line.encode(), separator="\t" if ".tsv" in file.lower() else ",", infer_schema=False
    )
    return table.columns


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
        table = pq.ParquetFile(file)
    except pa.ArrowInvalid as fault:
        raise UserError(
            f"not a Parquet file ({fault})", where=file, mend="fetch it again"
        ) from None
    done = 0
    for batch in table.iter_batches(batch_size=ROWS):
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        rows = pl.int_range(done + 1, done + len(frame) + 1, eager=True)
        done += len(frame)
        yield Batch(frame.with_columns(row=rows, file=pl.lit(file)), bad_rows([]))
