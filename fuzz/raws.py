# ruff: noqa: E501
"""Targets: the raw forms, and the packings and encodings that files come in."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import zipfile
from collections.abc import Callable

import polars as pl
import pyarrow as pa

from cqia.raw import encoding, plan, values
from cqia.raw.encoding import decode_page, sniff
from fuzz.draw import Draw
from fuzz.ground import batches, changed, edited, placed
from fuzz.target import Target, hold

SCHEMA = pl.Struct(
    {
        "q": pl.String,
        "n": pl.Int64,
        "turns": pl.List(pl.Struct({"who": pl.String, "said": pl.String})),
    }
)


def _objects(draw: Draw) -> list[bytes]:
    found = [draw.json(draw.typed(SCHEMA)) for _ in range(1 + draw.below(5))]
    return [*found, draw.rest()] if draw.chance(2) else found


def lines(data: bytes) -> None:
    """JSON lines: each line that says something is an item or a bad row, however blocks fall."""
    draw = Draw(data)
    block = 8 + draw.below(97)
    body = draw.pick((b"\n", b"\r\n", b"\n\n", b" \n")).join(_objects(draw))
    file = placed("x.jsonl", body)
    whole = batches(file, "json", SCHEMA)
    if sniff(body) not in ("utf-8", "utf-8-sig") or body.lstrip()[:1] == b"[" or len(body) > 1_500:
        return
    told = body.removeprefix(codecs.BOM_UTF8)
    expected = sum(bool(line.strip(b" \t\r")) for line in told.split(b"\n"))
    count = sum(len(one.items) + len(one.bad) for one in whole)
    hold(count == max(expected, 1), f"{expected} lines are {count} items and bad rows")
    with changed(values, BLOCK=block), changed(encoding, HEAD=block), changed(plan, TASK_BYTES=64):
        parts = batches(file, "json", SCHEMA)
    if not _decodes(body):
        return
    same = [pl.concat(one.items for one in found if len(one.items)).sort("row")
            if any(len(one.items) for one in found) else None for found in (whole, parts)]  # fmt: skip
    hold(_same(*same), "blocks and tasks change nothing")


def _decodes(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _same(one: pl.DataFrame | None, other: pl.DataFrame | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.equals(other.select(one.columns))


def array(data: bytes) -> None:
    """An array, or documents one after another: blocks change nothing."""
    draw = Draw(data)
    block = 16 + draw.below(97)
    found = _objects(draw)
    body = draw.pick((b"[" + b", ".join(found) + b"]", b"\n".join(found), b"".join(found)))
    file = placed("x.json", body)
    whole = batches(file, "json", SCHEMA)
    if body[:1] != b"[" or not _decodes(body):
        return
    with changed(values, BLOCK=block), changed(encoding, HEAD=block):
        parts = batches(file, "json", SCHEMA)
    counts = [
        (sum(len(one.items) for one in read), sum(len(one.bad) for one in read))
        for read in (whole, parts)
    ]
    hold(counts[0] == counts[1], f"blocks change nothing: {counts}")


def _cells(draw: Draw, mark: str) -> bytes:
    rows = [[draw.text(3) for _ in range(1 + draw.below(4))] for _ in range(1 + draw.below(6))]
    quoted = draw.chance(2)
    told = [
        mark.join('"' + one.replace('"', '""') + '"' if quoted else one for one in row)
        for row in rows
    ]
    return "\n".join(told).encode("utf-8", "ignore") + draw.rest()


def table(name: str, mark: str) -> Callable[[bytes], None]:
    """A CSV or TSV file with and without a header of its own."""

    def check(data: bytes) -> None:
        draw = Draw(data)
        header = ("甲", "b", "c")[: 1 + draw.below(3)] if draw.chance(3) else ()
        batches(placed(name, draw.damaged(_cells(draw, mark))), "csv", None, header)

    return check


def parquet(data: bytes) -> None:
    """A Parquet file that was damaged, or whose columns are of any type."""
    draw = Draw(data)
    columns = {draw.text(1) or "x": draw.texts(3) for _ in range(1 + draw.below(3))}
    length = min(map(len, columns.values()))
    frame = pl.DataFrame({name: column[:length] for name, column in columns.items()})
    if draw.chance(2):
        frame = frame.with_columns(file=1, n=[[1, 2]] * length if draw.chance(2) else 2.5)
    held = io.BytesIO()
    frame.write_parquet(held)
    body = held.getvalue()
    body = edited(draw, body) if draw.chance(2) else draw.damaged(body)
    batches(placed("x.parquet", body or draw.rest()), "parquet", None)


def page(kind: str, name: str) -> Callable[[bytes], None]:
    """A file that is one item, whatever its bytes mean."""

    def check(data: bytes) -> None:
        draw = Draw(data)
        head = draw.pick((b"", b"<meta charset=gb2312>", b"<meta charset=utf-7>", codecs.BOM_UTF16_LE,
                          b'<?xml encoding="rot13"?>', b"<meta charset=punycode>", b"\xff",
                          b"<meta charset=unicode_escape>", b"<meta charset=idna>"))  # fmt: skip
        body = draw.damaged(head + draw.text().encode("utf-8", "ignore") + draw.rest())
        found = batches(placed(name, body), kind, None)
        hold(sum(len(one.items) + len(one.bad) for one in found) == 1, "one file, one item")
        decode_page(body).encode()

    return check


WIKI = (
    b'<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/"><siteinfo/><page><title>',
    b"</title><ns>0</ns><id>7</id><revision><id>9</id><text xml:space='preserve'>",
    b"</text></revision></page></mediawiki>",
)


def wiki(data: bytes) -> None:
    """A MediaWiki dump with damaged pages."""
    draw = Draw(data)
    inner = draw.text().replace("<", "&lt;") if draw.chance(2) else draw.text()
    head, middle, tail = WIKI
    body = head + b"\xe7\x94\xb2" + middle + inner.encode("utf-8", "ignore") + tail
    batches(placed("x.xml", edited(draw, body)), "mediawiki", None)


def _entry(draw: Draw) -> bytes:
    page = b"HTTP/1.1 " + draw.pick((b"200 OK", b"404 No", b"", b"200"))
    page += b"\r\nContent-Type: text/html\r\n\r\n<p>" + draw.text().encode("utf-8", "ignore")
    size = len(page) + (draw.byte() - 128 if draw.chance(4) else 0)
    kind = draw.pick((b"response", b"response", b"request", b"metadata", b""))
    return (
        b"WARC/1.0\r\nWARC-Type: " + kind + b"\r\nWARC-Target-URI: http://a.b/"
        + b"\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: "
        + str(size).encode() + b"\r\n\r\n" + page + b"\r\n\r\n"
    )  # fmt: skip


def warc(data: bytes) -> None:
    """A web archive, plain or packed record by record, damaged before or after packing."""
    draw = Draw(data)
    found = [draw.damaged(_entry(draw)) for _ in range(1 + draw.below(3))]
    if draw.chance(2):
        body = edited(draw, b"".join(map(gzip.compress, found)))
        batches(placed("x.warc.gz", body), "html", None)
    else:
        batches(placed("x.warc", edited(draw, b"".join(found))), "html", None)


def packed(data: bytes) -> None:
    """JSON lines in gz, zst, bz2 or a zip, whose packing is damaged."""
    draw = Draw(data)
    body = b"\n".join(_objects(draw))
    how = draw.below(4)
    if how == 3:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            for _ in range(1 + draw.below(3)):
                name = draw.pick(("x.jsonl", "甲/y.jsonl", "../z.jsonl", "d.jsonl.gz", "e!f.jsonl",
                                  "/abs.jsonl", "__MACOSX/m.jsonl", "g/"))  # fmt: skip
                if name not in archive.namelist():
                    archive.writestr(name, gzip.compress(body) if name.endswith("gz") else body)
        batches(placed("x.zip", edited(draw, held.getvalue())), "json", SCHEMA)
        return
    done = (gzip.compress(body), bz2.compress(body), pa.compress(body, "zstd", asbytes=True))[how]
    name = ("x.jsonl.gz", "x.jsonl.bz2", "x.jsonl.zst")[how]
    batches(placed(name, edited(draw, done)), "json", SCHEMA)


def coded(data: bytes) -> None:
    """JSON lines in another encoding than UTF-8, or in one that ends in the middle."""
    draw = Draw(data)
    name = draw.pick(("gb18030", "utf-16", "utf-16-le", "utf-8-sig", "big5", "utf-32", "utf-7"))
    told = "\n".join(one.decode("utf-8", "ignore") for one in _objects(draw))
    body = told.encode(name, "ignore")
    body = b"{}\n" * draw.below(3) + body
    batches(placed("x.jsonl", edited(draw, body)), "json", SCHEMA)
    encoding.Utf8Reader(io.BytesIO(body), "x").peek()


TARGETS = (
    Target("raw-json-lines", lines),
    Target("raw-json-values", array),
    Target("raw-csv", table("x.csv", ",")),
    Target("raw-tsv", table("x.tsv", "\t")),
    Target("raw-parquet", parquet),
    Target("raw-html", page("html", "x.html")),
    Target("raw-text", page("text", "x.txt")),
    Target("raw-mediawiki", wiki),
    Target("raw-warc", warc),
    Target("raw-packed", packed),
    Target("raw-encodings", coded),
)
