"""MediaWiki's markup to Markdown.

Passes of regular expressions from the inside out: the markup that matters in articles nests little,
and what does (templates, links in tables) is taken innermost first until nothing changes. Templates
are not expanded: what they would print is not in the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable

GUARD = r"\[\[|\{\{|\{\||'''|==|<|__|^[*#:;]|&[a-z#]|\[https?:"
"""A text that this Rust regex does not hit holds no wikitext."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NOWIKI = (re.compile(r"(?i)<nowiki\b"), re.compile(r"(?i)</nowiki\s*+>"))
_REF = (re.compile(r"(?i)<ref\b"), re.compile(r"(?i)</ref\s*+>"))
_MATH = (re.compile(r"(?i)<math\b"), re.compile(r"(?i)</math\s*+>"))
_CODE = (
    re.compile(r"(?i)<(?:pre|source|syntaxhighlight)\b"),
    re.compile(r"(?i)</(?:pre|source|syntaxhighlight)\s*+>"),
)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TAG = re.compile(r"</?(?:[a-zA-Z][a-zA-Z0-9]*)(?:\s[^<>]*)?/?>")
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}")
_TABLE = re.compile(r"^[ :]*\{\|((?:(?!\{\||\|\}).)*)^[ ]*\|\}", re.DOTALL | re.MULTILINE)
_FILE = re.compile(
    r"\[\[\s*(?:File|Image|Media|文件|图像|图片|媒体)\s*+:(?:[^\[\]]++|\[\[[^\[\]]*+\]\])*+\]\]",
    re.IGNORECASE,
)
_CATEGORY = re.compile(
    r"\[\[\s*+(?:Category|分类|分類)\s*+:\s*+([^\[\]|]*+)[^\[\]]*+\]\]", re.IGNORECASE
)
_LINK = re.compile(r"\[\[:?([^\[\]|]*)(?:\|([^\[\]]*))?\]\]")
_LANGUAGE = re.compile(r"^\[\[[a-z]{2,3}(?:-[a-z]+)?:[^\[\]]*\]\]\s*$", re.MULTILINE)
_ADDRESS = re.compile(r"\[(?:https?:)?//[^\s\[\]]++(?:\s++([^\[\]]*+))?\]")
_HEADING = re.compile(r"^(={1,6})(.*)\1[^\S\n]*+$", re.MULTILINE)
_BOLD = re.compile(r"'{5}(.+?)'{5}|'{3}(.+?)'{3}")
_ITALIC = re.compile(r"''(.+?)''")
_MAGIC = re.compile(r"__[A-Z]{3,20}__")
_ITEM = re.compile(r"^([*#:;]+)\s*(.*)$")
_VARIANT = re.compile(r"-\{(?:[^{}|]*\|)?([^{}]*)\}-")
_NAMED = {"&nbsp;": " ", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&middot;": "·", "&amp;": "&"}


def categories(text: str) -> list[str]:
    """The categories that a page names, each once."""
    return list(dict.fromkeys(name.strip() for name in _CATEGORY.findall(text) if name.strip()))


def to_markdown(text: str) -> str:
    """Wikitext as Markdown; formulas become `$…$`, code blocks are fenced, tables stay tables."""
    kept: list[str] = []

    def aside(piece: str) -> str:
        """Set a piece aside that no later pass may touch."""
        kept.append(piece)
        return f"\x02{len(kept) - 1}\x03"

    text = text.replace("\x02", "").replace("\x03", "")
    text = _elements(_NOWIKI, _COMMENT.sub("", text), aside)
    text = _elements(_REF, text, lambda _: "", single=True)
    text = _elements(_MATH, text, lambda inner: aside(f"${inner.strip()}$"))
    text = _elements(_CODE, text, lambda inner: aside("\n```\n" + inner.strip("\n") + "\n```\n"))
    text = _VARIANT.sub(lambda found: found[1].split(";")[0].rpartition(":")[2], text)
    text = _settled(_TEMPLATE, "", text)
    text = _LANGUAGE.sub("", _CATEGORY.sub("", _FILE.sub("", text)))
    text = _LINK.sub(lambda found: found[2] if found[2] else found[1].partition("#")[0], text)
    text = _ADDRESS.sub(lambda found: found[1] or "", text)
    text = _BREAK.sub("\n", text)
    for _ in range(4):
        fresh = _TABLE.sub(lambda found: _table(found[1]), text)
        if fresh == text:
            break
        text = fresh
    text = _MAGIC.sub("", _TAG.sub("", text))
    # Lists first: bold and headings become marks that a list would have.
    text = "\n".join(_items(text.split("\n")))
    text = _BOLD.sub(lambda found: f"**{(found[1] or found[2]).strip()}**", text)
    text = _ITALIC.sub(r"\1", text)
    text = _HEADING.sub(lambda found: f"\n{'#' * max(2, len(found[1]))} {found[2].strip()}\n", text)
    for entity, sign in _NAMED.items():
        text = text.replace(entity, sign)
    for _ in range(2):
        text = re.sub("\x02(\\d+)\x03", lambda found: kept[int(found[1])], text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _elements(
    marks: tuple[re.Pattern[str], re.Pattern[str]],
    text: str,
    change: Callable[[str], str],
    *,
    single: bool = False,
) -> str:
    """Change elements by what stands in them, in one walk; with `single`, `<x/>` too, as empty.

    One pattern for a whole element would look for its end anew from every beginning.
    """
    opening, closing = marks
    kept: list[str] = []
    done = at = 0
    bracket, more = -1, True
    while found := opening.search(text, at):
        at = found.end()
        bracket = bracket if bracket >= at else text.find(">", at)
        if bracket < 0:
            break
        last = None
        if text[bracket - 1] == "/":
            if not single:
                continue
            inner, end = "", bracket + 1
        else:
            last = closing.search(text, bracket + 1) if more else None
            more = last is not None
            if last is None:
                continue
            inner, end = text[bracket + 1 : last.start()], last.end()
        kept += [text[done : found.start()], change(inner)]
        done = at = end
    return "".join([*kept, text[done:]])


def _settled(pattern: re.Pattern[str], by: str, text: str) -> str:
    """Replace the innermost matches until there are none, at most twenty layers."""
    for _ in range(20):
        text, count = pattern.subn(by, text)
        if not count:
            break
    return text


def _items(lines: list[str]) -> list[str]:
    """List items as Markdown has them; numbers count up within a list."""
    made: list[str] = []
    numbers: dict[int, int] = {}
    for line in lines:
        found = _ITEM.match(line)
        if not found:
            numbers = numbers if not line.strip() else {}
            made.append(line)
            continue
        depth, mark, body = len(found[1]), found[1][-1], found[2]
        indent = "  " * (depth - 1)
        if mark == "*":
            made.append(f"{indent}- {body}")
        elif mark == "#":
            numbers = {level: number for level, number in numbers.items() if level <= depth}
            numbers[depth] = numbers.get(depth, 0) + 1
            made.append(f"{indent}{numbers[depth]}. {body}")
        else:
            made.append(f"**{body}**" if mark == ";" and body else body)
    return made


def _table(inner: str) -> str:
    """The body of a `{| … |}` as a Markdown table."""
    rows: list[list[str]] = [[]]
    caption = ""
    for line in inner.split("\n")[1:]:
        bare = line.strip()
        if bare.startswith("|-"):
            rows.append([])
        elif bare.startswith("|+"):
            caption = _cell(bare[2:])
        elif bare.startswith(("|", "!")):
            cells = re.split(r"\|\||!!" if bare[0] == "!" else r"\|\|", bare[1:])
            rows[-1] += [_cell(cell) for cell in cells]
        elif rows[-1] and bare:
            rows[-1][-1] += " " + bare
    rows = [row for row in rows if any(row)]
    if not rows:
        return caption
    width = max(map(len, rows))
    out = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
    out.insert(1, "|" + " --- |" * width)
    return "\n\n" + (f"{caption}\n\n" if caption else "") + "\n".join(out) + "\n\n"


def _cell(text: str) -> str:
    """A cell's text without its attributes."""
    head, bar, rest = text.partition("|")
    return (rest if bar and "=" in head else text).strip().replace("|", r"\|")
