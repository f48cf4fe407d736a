"""Which characters a file's bytes stand for: UTF-8 with or without BOM, GB18030, or what HTML says.

Valid UTF-8 with a multi-byte character in it is as good as proof, so it comes before anything a
page declares: many Chinese pages say gb2312 and are UTF-8, or say nothing.
"""

from __future__ import annotations

import codecs
import io
import re
from typing import BinaryIO

from cqia.errors import UserError
from cqia.raw.files import BROKEN

HEAD = 1 << 20
"""Bytes looked at to tell a file's encoding (this project's choice)."""

_META = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*+=\s*+(?:["']\s*+)?([\w.:-]+)""", re.I
)


def sniff(head: bytes) -> str:
    """The encoding of a text that starts with these bytes: utf-8-sig, utf-8, utf-16 or gb18030.

    Pure ASCII counts as utf-8. Text that is neither counts as utf-8, so that its bad lines are
    found and named one by one.
    """
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(encoding)("strict").decode(head, final=False)
        except UnicodeDecodeError:
            continue
        return encoding
    return "utf-8"


def decode_page(page: bytes) -> str:
    """The text of an HTML or XML page, whatever charset it declares.

    Tried in order, strictly: byte-order mark, UTF-8, the declared charset, GB18030, Big5. A page
    with broken bytes falls back to the one of UTF-8 and GB18030 that leaves fewer U+FFFD, which
    stay in the text to be counted.
    """
    if page.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return page.decode("utf-8-sig" if page.startswith(codecs.BOM_UTF8) else "utf-16", "replace")
    for encoding in ("utf-8", *_declared(page), "gb18030", "big5"):
        try:
            return page.decode(encoding)
        except UnicodeError:
            continue
    loose = [page.decode(encoding, "replace") for encoding in ("utf-8", "gb18030")]
    return min(loose, key=lambda text: text.count("\ufffd"))


def _declared(page: bytes) -> list[str]:
    found = _META.search(page[:4096])
    if not found:
        return []
    name = found.group(1).decode("ascii", "ignore").lower()
    name = "gb18030" if name in {"gb2312", "gbk", "gb_2312-80", "x-gbk"} else name
    try:
        if codecs.lookup(name).name in _NO_PAGE:
            return []
        b"a".decode(name, "ignore")
    except (LookupError, UnicodeError):
        return []
    return [name]


_NO_PAGE = {"charmap", "idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7"}
"""Encodings that Python knows and no page is in; some of them bring half characters to life."""


class Utf8Reader:
    """Reads a byte stream as UTF-8, whatever it was: `read(n)` gives about n bytes of UTF-8.

    A UTF-8 stream passes through unchanged (so that a broken line can be reported as such); any
    other is transcoded strictly.

    Args:
        stream: the bytes.
        name: what a message calls it.
        ahead: bytes of the first reading; whoever reads as many at a time is spared a copy.

    Raises:
        UserError: bytes that the encoding doesn't have.
    """

    def __init__(self, stream: BinaryIO, name: str, ahead: int = HEAD) -> None:
        self._stream = stream
        self._name = name
        self._broken: Exception | None = None
        self._head = self._fetch(max(ahead, HEAD))
        self.encoding = sniff(self._head[:HEAD])
        self.ascii_so_far = self.encoding == "utf-8" and self._head[:HEAD].isascii()
        if self.encoding == "utf-8-sig":
            self._head = self._head[len(codecs.BOM_UTF8) :]
        self._decoder = self._decoder_of(self.encoding)

    def _fetch(self, size: int) -> bytes:
        """Read up to `size` bytes; of a stream that breaks off, first what came before it."""
        if self._broken:
            raise self._broken
        if isinstance(getattr(self._stream, "raw", None), io.FileIO):
            return self._stream.read(size)
        step = getattr(self._stream, "read1", self._stream.read)
        parts: list[bytes] = []
        while size > 0:
            try:
                part = step(min(size, HEAD))
            except BROKEN as fault:
                if not parts:
                    raise
                self._broken = fault
                break
            if not part:
                break
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    @staticmethod
    def _decoder_of(encoding: str) -> codecs.IncrementalDecoder | None:
        if encoding.startswith("utf-8"):
            return None
        return codecs.getincrementaldecoder(encoding)("strict")

    def peek(self) -> bytes:
        """The first bytes, as UTF-8, before anything was read."""
        head = self._head[:HEAD]
        return head.decode(self.encoding, "ignore").encode() if self._decoder else head

    def read(self, size: int) -> bytes:
        """About `size` bytes of UTF-8; empty at the end."""
        block, self._head = self._head, b""
        if len(block) < size:
            block += self._fetch(size - len(block))
        if self.ascii_so_far and not block.isascii():
            self.ascii_so_far = False
            self.encoding = sniff(block)
            self._decoder = self._decoder_of(self.encoding)
        if self._decoder is None:
            return block
        try:
            return self._decoder.decode(block, final=not block).encode()
        except UnicodeDecodeError as fault:
            raise UserError(
                f"not {self.encoding} (byte 0x{fault.object[fault.start]:02x})",
                where=self._name,
                mend="convert the file to UTF-8, for example with iconv",
            ) from None
