"""Web archives (WARC, ISO 28500): the pages that a crawler kept, with their addresses.

What `cqia collect`, wget and Heritrix write. A page is an answer of status 200 with HTML in it;
everything else in an archive (requests, robots.txt, redirects, refusals, pictures, lists of links)
is no page and is passed over, as the talk pages of a MediaWiki dump are.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO

import polars as pl

from cqia.errors import missing_extra
from cqia.places.files import opened
from cqia.raw.encoding import decode_page
from cqia.raw.faults import Batch, bad_rows
from cqia.raw.files import MEMBER, open_bytes, out_of_reach
from cqia.raw.nesting import DEEP, too_deep

LEAD = "WARC-X-Lead"
"""A field of our own: the page was kept for the links in it, and is nothing to read."""
_MISREAD = (ValueError, AttributeError, LookupError, TypeError, zlib.error)
"""What warcio raises besides its own, over headers that are missing or no headers at all."""
PAGES = 500
"""Pages in a batch."""
LARGEST = 64 << 20
"""Bytes of the largest page that is read."""


def read_warc(file: str) -> Iterator[Batch]:
    """The pages of an archive: html, url, and their number as row.

    A gzipped archive is unpacked record by record, so that what stands before a tear is read.

    Raises:
        UserError: the extra `collect` is not installed.
    """
    try:
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed
    except ImportError:
        raise missing_extra("warcio", "collect") from None
    held: list[tuple[str, str, int]] = []
    bad: list[tuple[str, int, str, str]] = []
    number = 0
    with _opened(file) as stream:
        records = ArchiveIterator(stream)
        while True:
            try:
                record = next(records, None)
                if record is None:
                    break
                if not _is_page(record):
                    continue
                number += 1
                url = record.rec_headers.get_header("WARC-Target-URI") or ""
                cut = record.rec_headers.get_header("WARC-Truncated")
                body = record.content_stream().read(LARGEST + 1)
                torn = len(body) <= LARGEST and record.raw_stream.limit > 0
            except (ArchiveLoadFailed, OSError, EOFError, *_MISREAD) as fault:
                if problem := out_of_reach(file, fault):
                    raise problem from None
                reason = f"broken archive, nothing after this was read: {fault}"
                bad.append((file, number + 1, reason, ""))
                break
            if torn:
                bad.append((file, number, "the archive breaks off in this page", url))
            elif cut or len(body) > LARGEST:
                reason = f"the crawler cut this page ({cut})" if cut else "too large"
                bad.append((file, number, reason, url))
            elif not body.strip():
                bad.append((file, number, "the page is empty", url))
            elif too_deep(page := decode_page(body)):
                bad.append((file, number, DEEP, url))
            else:
                held.append((page, url, number))
            if len(held) == PAGES:
                yield _batch(held, bad, file)
                held, bad = [], []
    yield _batch(held, bad, file)


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    if MEMBER not in file and file.lower().endswith(".gz"):
        return opened(file)
    return open_bytes(file)


def _is_page(record: object) -> bool:
    if record.rec_type != "response" or record.http_headers is None:  # type: ignore[attr-defined]
        return False
    if record.rec_headers.get_header(LEAD):  # type: ignore[attr-defined]
        return False
    headers = record.http_headers  # type: ignore[attr-defined]
    return headers.get_statuscode() == "200" and "html" in (
        headers.get_header("Content-Type") or ""
    )


def _batch(
    held: list[tuple[str, str, int]], bad: list[tuple[str, int, str, str]], file: str
) -> Batch:
    schema = {"html": pl.String, "url": pl.String, "row": pl.Int64}
    frame = pl.DataFrame(held, schema=schema, orient="row")
    return Batch(frame.with_columns(file=pl.lit(file)), bad_rows(bad))
