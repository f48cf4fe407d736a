# ruff: noqa: E501, RUF001
"""Makes inputs out of bytes: the same bytes always make the same text, JSON, CSV or page.

A fuzzer turns bytes. Bytes alone hardly ever become JSON that a schema decodes, so every target
reads its input through a `Draw`, which spends bytes on choices: mostly what the reader hopes for,
often something near it, and now and then anything at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import orjson
import polars as pl

T = TypeVar("T")

PIECES = (
    "", " ", "\n", "\r\n", "\t", "\0", "\u3000", "\u00a0", "\u200b", "\u200d", "\ufeff", "\ufffd",
    "\u2028", "\u202e", "\ue000", "\U0010ffff", "\x07", "\x1b[31m", "e\u0301", "👩\u200d👧", "漢", "乾",
    "著", "Ａ", "１", "（", "）", "，", "。", "“", "”", "？", "！", "：", "、", "…", "甲", "一二三四五", "a",
    "Z9", "-1", "0", "1e999", "99999999999999999999", "1.5万", "10万+", "2021-02-30", "2021年1月2日",
    "13800138000", "a@b.cn", "6222021234567890128", "11010519491231002X", "https://a.b/c?d=e#f",
    "<p>", "</p>", "<br>", "<b", "<div class='x'>", "</div>", "<li>", "<table><tr><td>", "<pre><code>",
    "</code></pre>", "<!--", "-->", "<script>", "<img alt='x' src=", "&lt;", "&#60;", "&#x110000;",
    "&amp;amp;", "`", "```", "```json\n", "\n```\n", "$$", "\\frac{", "\\(", "{", "}", "[", "]", "{{",
    "}}", "[[", "]]", "|", "{|", "|}", "'''", "==", "\n# ", "\n- ", "\n1. ", "\n(A) ", "A．", "（B）",
    "答案", "答案：", "【答案】B", "选A和B", "解析", "得分", "得分:", "得分: 0.8", "0.8/1", "分值", "本题满分",
    "谢邀。", "转载请注明出处", "作者：甲", "链接：https://a.b", "加微信", "QQ群", "公众号", "[doge]", "[笑哭R]",
    "阅读全文", "问：", "答：", "A", "B", "C", "D", "#REDIRECT [[甲]]", "${HOME}", "${", "$1", "\\1", ",",
    "\"", "'", "\"\"", ";", "//", "/*", "%s", "{0}", "{title}", "\\u0000", "\\ud800", "=1+1", "true",
    "null", "NaN", "Infinity", "undefined", "window.__INITIAL_STATE__=",
)  # fmt: skip
"""What texts are pasted together from: marks that some reader, cleaner or parser looks for."""

_ENDINGS = (0, 0, 0, 1, 2, 3, 5, 8, 13, 200)


class Draw:
    """Choices out of bytes; where they end, every choice is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes that are not spent."""
        return len(self._data) - self._at

    def byte(self) -> int:
        """The next byte; 0 where there is none."""
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1]

    def below(self, bound: int) -> int:
        """A number from 0 to bound - 1."""
        value = self.byte()
        return (value if bound <= 256 else value << 8 | self.byte()) % bound

    def chance(self, of: int) -> bool:
        """True once in `of`, and never when the bytes have ended."""
        return self.left > 0 and self.below(of) == of - 1

    def pick(self, given: Sequence[T]) -> T:
        """One of these."""
        return given[self.below(len(given))]

    def rest(self) -> bytes:
        """All that is left."""
        found, self._at = self._data[self._at :], len(self._data)
        return found

    def text(self, most: int = 12) -> str:
        """A text of pieces, of raw bytes, or of one piece many times."""
        kind = self.below(16)
        if kind == 15:
            return self.pick(PIECES) * (self.byte() * 4)
        if kind == 14:
            size = self.byte() % 64
            return bytes(self.byte() for _ in range(size)).decode("utf-8", "ignore")
        return "".join(self.pick(PIECES) for _ in range(self.below(most + 1)))

    def texts(self, most: int = 5) -> list[str | None]:
        """A column of texts, some of them null."""
        return [None if self.chance(9) else self.text() for _ in range(1 + self.below(most))]

    def value(self, depth: int = 0) -> Any:  # noqa: ANN401
        """Any JSON value."""
        kind = self.below(10 if depth < 4 else 7)
        if kind in (7, 8):
            return {self.text(2): self.value(depth + 1) for _ in range(self.below(4))}
        if kind == 9:
            return [self.value(depth + 1) for _ in range(self.below(4))]
        return (None, True, self.below(1000), -1.5, self.text(), 2**63, "")[kind]

    def typed(self, kind: Any, depth: int = 0) -> Any:  # noqa: ANN401
        """A JSON value of a Polars type, mostly; once in 24 another, once in 12 null."""
        if self.chance(24):
            return self.value(depth)
        if self.chance(12):
            return None
        if isinstance(kind, pl.Struct):
            found = {}
            for field in kind.fields:
                if not self.chance(10):
                    found[field.name] = self.typed(field.dtype, depth + 1)
            return {**found, **({self.text(2): self.value(3)} if self.chance(12) else {})}
        if isinstance(kind, pl.List):
            return [self.typed(kind.inner, depth + 1) for _ in range(self.below(4))]
        if kind == pl.Boolean:
            return self.byte() % 2 == 0
        if kind == pl.String:
            return self.below(100_000) if self.chance(16) else self.text()
        return self.below(100_000)

    def json(self, value: Any) -> bytes:  # noqa: ANN401
        """A value as JSON, sometimes damaged."""
        try:
            body = orjson.dumps(value)
        except (orjson.JSONEncodeError, ValueError):
            body = b"{}"
        return self.damaged(body)

    def damaged(self, body: bytes) -> bytes:
        """Some bytes, once in eight cut, doubled, changed or with something put in."""
        if not self.chance(8) or not body:
            return body
        place = self.below(min(len(body), 65_536))
        how = self.below(5)
        if how == 0:
            return body[:place]
        if how == 1:
            return body[:place] + bytes([self.byte()]) + body[place + 1 :]
        if how == 2:
            return body[:place] + self.text(3).encode("utf-8", "replace") + body[place:]
        if how == 3:
            return body[:place] + body[place:] * 2
        return body[:place] + self.pick(ODD_BYTES) + body[place:]

    def fields(self, shape: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
        """An object with these fields, most of them there, a few of the wrong kind."""
        found = {name: make() for name, make in shape.items() if not self.chance(12)}
        for name in list(found):
            if self.chance(16):
                found[name] = self.value()
        return found


ODD_BYTES = (
    b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x81",
    b"\xd6\xd0\xce\xc4", b"\x00", b"\r", b"\x1a", b"[" * 300, b'{"a":' * 300, b'\\ud800', b"\n\n",
    b'"', b"\\",
)  # fmt: skip
"""Bytes that no text should hold: other encodings, lone surrogates, deep nesting."""
