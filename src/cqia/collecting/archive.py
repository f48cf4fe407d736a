"""The archive that pages are kept in: a WARC file, a compressed record a response.

Bytes stand in it as they came, with URL, time and status (ISO 28500). It is also the memory of a
collection: what stands in it is not asked for again, and where to go on is read from its pages. A
record that was cut off by a crash is cut away before more is written.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

from cqia.errors import UserError, missing_extra
from cqia.raw.archives import LEAD

DONE = (*range(200, 400), *range(400, 429), *range(430, 500))
"""Statuses that settle a page: asking again would bring the same. 429 and 5xx may pass."""

_CHUNK = 1 << 20


class Page(NamedTuple):
    """A response that the archive holds. body: decoded from its content encoding."""

    url: str
    status: int
    html: bool
    location: str | None
    body: bytes


class Archive:
    """Appends responses to a `.warc.gz` file.

    Raises:
        UserError: the extra `collect` is missing, or the file is no archive of ours.
    """

    def __init__(self, path: Path, software: str) -> None:
        try:
            from warcio.warcwriter import WARCWriter
        except ImportError:
            raise missing_extra("warcio", "collect") from None
        if not path.name.endswith(".warc.gz"):
            raise UserError(
                "an archive's name ends with .warc.gz", where=str(path), mend="name it so"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            _cut_torn_end(path)
        self._file: BinaryIO = path.open("ab")
        self._writer = WARCWriter(self._file, gzip=True)
        if not self._file.tell():
            self._writer.write_record(
                self._writer.create_warcinfo_record(path.name, {"software": software})
            )
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(
        self,
        url: str,
        status: str,
        headers: list[tuple[str, str]],
        body: bytes,
        *,
        lead: bool = False,
    ) -> None:
        """Append a response; it is in the file when this returns.

        Args:
            url: what was asked for.
            status: the status line's code and phrase, as `200 OK`.
            headers: as they came; those on the transfer itself are left out.
            body: as it came, compressed or not.
            lead: it was asked for its links alone, and is no page that a source should read.
        """
        from warcio.statusandheaders import StatusAndHeaders

        kept = [(name, value) for name, value in headers if name.lower() not in _TRANSFER]
        kept.append(("Content-Length", str(len(body))))
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        record = self._writer.create_warc_record(
            url,
            "response",
            payload=BytesIO(body),
            length=len(body),
            http_headers=StatusAndHeaders(status, kept, protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": now, **({LEAD: "yes"} if lead else {})},
        )
        self._writer.write_record(record)
        self._file.flush()


_TRANSFER = {"transfer-encoding", "content-length", "connection", "keep-alive"}


def pages(path: Path) -> Iterator[Page]:
    """The responses that an archive holds, in order."""
    from warcio.archiveiterator import ArchiveIterator

    with path.open("rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type != "response" or record.http_headers is None:
                continue
            kind = record.http_headers.get_header("Content-Type") or ""
            yield Page(
                record.rec_headers.get_header("WARC-Target-URI"),
                int(record.http_headers.get_statuscode()),
                "html" in kind.lower(),
                record.http_headers.get_header("Location"),
                record.content_stream().read(),
            )


def _cut_torn_end(path: Path) -> None:
    """Cut the file behind its last whole record: every record is a gzip member of its own."""
    good = 0
    with path.open("rb") as stream:
        rest = b""
        while True:
            member = zlib.decompressobj(wbits=31)
            read = 0
            while not member.eof:
                block = rest or stream.read(_CHUNK)
                rest = b""
                if not block:
                    break
                try:
                    member.decompress(block)
                except zlib.error:
                    if not good:
                        raise UserError(
                            "this is no archive", where=str(path), mend="name another file"
                        ) from None
                    block = b""
                    break
                read += len(block)
            if not member.eof:
                break
            rest = member.unused_data
            good += read - len(rest)
            if not rest and not (rest := stream.read(_CHUNK)):
                break
    if path.stat().st_size > good:
        with path.open("r+b") as file:
            file.truncate(good)
