"""JSON in any layout: lines, an array, a whole document, or documents one after another.

Every layout becomes the same thing: a column of JSON texts with their line numbers, decoded by the
schema the source declares. Bytes are scanned by a compiled kernel, so an array larger than memory
streams like lines do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import orjson
import polars as pl
import pyarrow as pa

from cqia.raw.encoding import Utf8Reader
from cqia.raw.faults import Batch, bad_rows

BLOCK = 32 << 20
"""Bytes read at a time; also the size of a batch."""
LONGEST = 64 << 20
"""Bytes of the longest JSON value that is read; a longer one is reported as bad."""

_SURROGATE = r"\\u[dD][89abAB]"


class Values(NamedTuple):
    """JSON texts with the lines they start at; and what could not even be cut out."""

    text: pl.Series
    rows: pl.Series
    bad: list[tuple[int, str, str]]


def is_lines(head: bytes, name: str) -> bool:
    """Whether a JSON file holds one value a line, judged by its start and its name."""
    start = head.lstrip()
    if start[:1] == b"[":
        return False
    if ".jsonl" in name.lower() or ".ndjson" in name.lower():
        return True
    line, _, rest = start.partition(b"\n")
    if not rest.strip():
        return False
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def cut_lines(block: bytes, first: int) -> Values:
    """The non-empty lines of a block that ends at a line's end; `first`: its first line number."""
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == 10)
    if len(data) and (not len(ends) or ends[-1] != len(data) - 1):
        ends = np.append(ends, len(data))
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    rows = np.arange(first, first + len(ends), dtype=np.int64)
    offsets = np.concatenate((starts, ends[-1:])).astype(np.int64)
    column = pa.LargeStringArray.from_buffers(
        len(starts), pa.py_buffer(offsets.tobytes()), pa.py_buffer(block)
    )
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return _cut_broken(block, starts, ends, rows)
    text = pl.Series("json", column).str.strip_chars(" \t\r\n")
    return _without_empty(text, pl.Series("row", rows), [])


def _cut_broken(block: bytes, starts: np.ndarray, ends: np.ndarray, rows: np.ndarray) -> Values:
    """Lines of a block in which some line is not UTF-8: that line is bad, the others are read."""
    good: list[str] = []
    where: list[int] = []
    bad: list[tuple[int, str, str]] = []
    for start, end, row in zip(starts.tolist(), ends.tolist(), rows.tolist(), strict=True):
        line = block[start:end]
        try:
            good.append(line.decode().strip(" \t\r\n"))
            where.append(row)
        except UnicodeDecodeError as fault:
            reason = f"not UTF-8 (byte 0x{line[fault.start]:02x} at byte {fault.start + 1})"
            bad.append((row, reason, line.decode("utf-8", "replace")))
    return _without_empty(
        pl.Series("json", good, dtype=pl.String), pl.Series("row", where, dtype=pl.Int64), bad
    )


def _without_empty(text: pl.Series, rows: pl.Series, bad: list[tuple[int, str, str]]) -> Values:
    full = text != ""
    return Values(text.filter(full), rows.filter(full), bad)


def stream_lines(reader: Utf8Reader) -> Iterator[Values]:
    """The lines of a stream, in batches of about BLOCK bytes."""
    rest, line = b"", 1
    block = reader.read(BLOCK)
    while block:
        rest += block
        block = reader.read(BLOCK)
        if not block:
            break
        cut = rest.rfind(b"\n") + 1
        if not cut:
            if len(rest) > LONGEST:
                yield Values(
                    _NONE, _NOWHERE, [(line, _too_long(), rest[:800].decode("utf-8", "replace"))]
                )
                rest, line = _skip_line(reader, block, line)
                block = reader.read(BLOCK)
            continue
        part, rest = rest[:cut], rest[cut:]
        yield cut_lines(part, line)
        line += part.count(b"\n")
    if rest:
        yield cut_lines(rest, line)


_NONE = pl.Series("json", [], dtype=pl.String)
_NOWHERE = pl.Series("row", [], dtype=pl.Int64)


def _too_long() -> str:
    return f"longer than {LONGEST >> 20} MB"


def _skip_line(reader: Utf8Reader, block: bytes, line: int) -> tuple[bytes, int]:
    """What follows the line that `block` stands in, and its line number."""
    while block:
        _, found, rest = block.partition(b"\n")
        if found:
            return rest, line + 1
        block = reader.read(BLOCK)
    return b"", line + 1


def stream_values(reader: Utf8Reader) -> Iterator[Values]:
    """The elements of a top-level array, or the documents, of a stream."""
    from cqia.raw.scan import scan_values

    rest, state, line = b"", np.zeros(4, np.int64), 1
    while True:
        block = reader.read(BLOCK)
        rest += block
        data = np.frombuffer(rest, np.uint8)
        spans, lines, used, state = scan_values(data, state, line, not block)
        bad = [
            (int(row), "the file ends inside this JSON value", _peek(rest, int(start)))
            for (start, end), row in zip(spans, lines, strict=True)
            if end < 0
        ]
        good = spans[:, 1] >= 0
        yield _texts(rest, spans[good], lines[good], bad)
        line += rest.count(b"\n", 0, used)
        rest = rest[used:]
        if not block:
            return
        if len(rest) > LONGEST:
            yield Values(_NONE, _NOWHERE, [(line, _too_long(), _peek(rest, 0))])
            return


def _peek(data: bytes, start: int) -> str:
    return data[start : start + 800].decode("utf-8", "replace")


def _texts(
    data: bytes, spans: np.ndarray, lines: np.ndarray, bad: list[tuple[int, str, str]]
) -> Values:
    texts: list[str] = []
    rows: list[int] = []
    for (start, end), row in zip(spans.tolist(), lines.tolist(), strict=True):
        try:
            texts.append(data[start:end].decode())
            rows.append(row)
        except UnicodeDecodeError as fault:
            bad.append(
                (row, f"not UTF-8 (byte 0x{data[start + fault.start]:02x})", _peek(data, start))
            )
    return Values(
        pl.Series("json", texts, dtype=pl.String), pl.Series("row", rows, dtype=pl.Int64), bad
    )


def decode(values: Values, schema: pl.Struct, file: str) -> Batch:
    """Decode JSON texts by a schema: one column a field, absent fields null.

    A value that is no JSON, no object, or has a field of another type goes to the bad table with
    the reason. Lone surrogates are bad too: the decoder would turn them into NUL silently.
    """
    bad = [(file, row, reason, raw) for row, reason, raw in values.bad]
    text, rows = values.text, values.rows
    suspect = text.str.contains(_SURROGATE) | ~text.str.starts_with("{")
    if suspect.any():
        keep = []
        for index in suspect.arg_true().to_list():
            if fault := _fault(text[index], schema):
                bad.append((file, rows[index], fault, text[index]))
                keep.append(index)
        if keep:
            stay = ~pl.Series(range(len(text)), dtype=pl.Int64).is_in(keep)
            text, rows = text.filter(stay), rows.filter(stay)
    parts = [_decode_span(text, rows, schema, file, bad)]
    items = pl.concat(parts).with_columns(file=pl.lit(file))
    return Batch(items, bad_rows(bad))


def _decode_span(
    text: pl.Series,
    rows: pl.Series,
    schema: pl.Struct,
    file: str,
    bad: list[tuple[str, int, str, str]],
) -> pl.DataFrame:
    """Decode all at once; where that fails, halve until the faulty values stand alone."""
    try:
        return text.str.json_decode(schema).struct.unnest().with_columns(row=rows)
    except pl.exceptions.ComputeError:
        if len(text) == 1:
            bad.append((file, rows[0], _fault(text[0], schema) or "unreadable JSON", text[0]))
            return _decode_span(text.clear(), rows.clear(), schema, file, bad)
    half = len(text) // 2
    return pl.concat(
        [
            _decode_span(text[:half], rows[:half], schema, file, bad),
            _decode_span(text[half:], rows[half:], schema, file, bad),
        ]
    )


def _fault(text: str, schema: pl.Struct) -> str | None:
    """What is wrong with one JSON text, or None."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as fault:
        return f"invalid JSON at column {fault.colno}: {fault.msg.partition(':')[0]}"
    if not isinstance(value, dict):
        return f"a JSON object is needed, this is {_json_type(value)}"
    for field in schema.fields:
        one = pl.Series([orjson.dumps({field.name: value.get(field.name)}).decode()])
        try:
            one.str.json_decode(pl.Struct([field]))
        except pl.exceptions.ComputeError:
            found = _json_type(value.get(field.name))
            return f"field {field.name!r}: {field.dtype} is needed, this is {found}"
    return None


def _json_type(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")
