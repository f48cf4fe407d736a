"""Whole pages: HTML files, plain-text files, and the pages of a MediaWiki XML dump."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO
from xml.etree import ElementTree

import polars as pl

from cqia.raw.encoding import decode_page
from cqia.raw.faults import Batch, bad_rows
from cqia.raw.nesting import DEEP, too_deep

PAGES = 2_000
"""Wiki pages in a batch."""

_WIKI = {"title": pl.String, "text": pl.String, "page": pl.Int64, "row": pl.Int64}


def read_page(stream: BinaryIO, file: str, column: str) -> Batch:
    """One file as one row with its text in `column` (html or text)."""
    body = stream.read()
    text = decode_page(body)
    frame = pl.DataFrame({column: [text], "row": [1], "file": [file]})
    if not body.strip():
        return Batch(frame.clear(), bad_rows([(file, 1, "the file is empty", "")]))
    if column == "html" and too_deep(text):
        return Batch(frame.clear(), bad_rows([(file, 1, DEEP, text)]))
    return Batch(frame, bad_rows([]))


def read_wiki(stream: BinaryIO, file: str) -> Iterator[Batch]:
    """The articles (namespace 0) of a MediaWiki XML dump: title, wikitext, page id.

    Redirects are read too, as pages whose text starts with #REDIRECT or #重定向. Pages of other
    namespaces (talk, user, template) are passed over.
    """
    pages: list[tuple[str, str, int, int]] = []
    number = 0
    events = ElementTree.iterparse(stream, events=("end",))
    fault: list[tuple[str, int, str, str]] = []
    while True:
        try:
            _, node = next(events)
        except StopIteration:
            break
        except ElementTree.ParseError as error:
            line = error.position[0]
            fault = [(file, line, f"broken XML, nothing after this was read: {error}", "")]
            break
        if _tag(node) != "page":
            continue
        number += 1
        parts: dict[str, ElementTree.Element] = {}
        for child in node.iter():
            parts.setdefault(_tag(child), child)
        if parts["ns"].text == "0" if "ns" in parts else True:
            pages.append(_page(parts, number))
        node.clear()
        if len(pages) == PAGES:
            yield _wiki_batch(pages, file, [])
            pages = []
    yield _wiki_batch(pages, file, fault)


def _page(parts: dict[str, ElementTree.Element], number: int) -> tuple[str, str, int, int]:
    def of(tag: str) -> str:
        return (parts[tag].text or "") if tag in parts else ""

    key = of("id")
    return of("title"), of("text"), int(key) if key.isdigit() else number, number


def _wiki_batch(
    pages: list[tuple[str, str, int, int]], file: str, fault: list[tuple[str, int, str, str]]
) -> Batch:
    frame = pl.DataFrame(pages, schema=_WIKI, orient="row").with_columns(file=pl.lit(file))
    return Batch(frame, bad_rows(fault))


def _tag(node: ElementTree.Element) -> str:
    return node.tag.rpartition("}")[2]
