"""Writing Markdown from the tags of a well-formed HTML text."""

from __future__ import annotations

import re
from collections.abc import Iterator

_ONE = (
    "div section article header footer main nav aside dl dt dd figcaption address form fieldset"
    " caption tr thead tbody tfoot li center details summary option legend"
)
_TWO = "p blockquote table figure hr pre ul ol h1 h2 h3 h4 h5 h6"
BLOCKS = dict.fromkeys(_ONE.split(), 1) | dict.fromkeys(_TWO.split(), 2)
"""Block tag -> line ends around it."""

_BLANK = re.compile(r"[ \t\n\r\f]+")
_HAN = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u201c\u201d]"
_WRAPPED = re.compile(rf"(?<={_HAN})[ \t]*\n\s*(?={_HAN})")
_LANGUAGE = re.compile(r"(?:language-|lang-|highlight-source-|brush:\s*)([\w+#.-]+)")
_POWER = re.compile(r"[-+\u2212]?\w{1,4}")


class Writer:
    """Turns serialised HTML into Markdown in one pass over its tags."""

    def __init__(self, *, breaks: bool) -> None:
        self.breaks = breaks
        self.out: list[str] = []
        self.gap = 0
        """Line ends to write before the next text."""
        self.line = 0
        """Where the current line's text begins in `out`."""
        self.prefix: list[str] = []
        """What every line begins with: list marks, quote marks, the mark of a heading."""
        self.quoted = 0
        """How many quote marks the current line begins with."""
        self.heading = False
        """Whether a heading is open: nothing is bold there."""
        self.lists: list[int | None] = []
        """The next number of every open list; None for bullets."""
        self.opened: list[int] = []
        """Where every open `<b>` and `<sup>` begins in `out`."""
        self.cells: list[tuple[list[str], int, int, list[str]]] = []
        """What is set aside while a table cell is written."""
        self.rows: list[tuple[list[str], int]] = []
        """Every open table: its current row's cells, and the rows written."""

    def write(self, page: str) -> str:
        """The Markdown of a page: balanced tags, `<`, `>` and `&` escaped in texts and values."""
        pieces = iter(page.split("<"))
        self.text(next(pieces))
        for piece in pieces:
            tag, _, text = piece.partition(">")
            name = tag.partition(" ")[0] if " " in tag else tag
            if name == "p" or name == "/p":
                if self.out and self.gap < 2:
                    self.gap = 1 if self.lists else 2
            elif name == "code" or name == "pre":
                self.code(name, tag, text, pieces)
                continue
            elif name[:1] == "/":
                self.close(name[1:])
            else:
                self.open(name, tag)
            if text:
                self.text(text)
        return "".join(self.out).strip("\n").rstrip()

    def text(self, text: str) -> None:
        """Write a piece of text, white space folded as HTML folds it."""
        if "&" in text:
            text = unescaped(text)
        if not self.breaks:
            if "\n" in text:
                text = _WRAPPED.sub("", text)
            if "\n" in text or "  " in text or "\t" in text:
                text = _BLANK.sub(" ", text)
            if self.gap or not self.out or self.out[-1].endswith((" ", "\n")):
                text = text.lstrip(" ")
            self.raw(text)
            return
        for number, line in enumerate(text.split("\n")):
            self.gap = min(self.gap + 1, 2) if number else self.gap
            self.raw(line)

    def raw(self, text: str) -> None:
        """Write text as it is, after the line ends that are due."""
        if not text:
            return
        if self.gap or not self.out:
            self.start_line()
        self.out.append(text)

    def start_line(self) -> None:
        """Write the line ends that are due and what the new line begins with."""
        out, head = self.out, ""
        if out:
            if out[-1][-1:] == " ":
                out[-1] = out[-1].rstrip(" ")
            head = "\n" * self.gap
        if self.prefix or self.quoted:
            now = self.prefix.count("> ")
            if self.gap == 2 and out:
                head = "\n" + ("> " * min(self.quoted, now)).rstrip() + "\n"
            self.quoted = now
            head += "".join(self.prefix)
            self.prefix = [one if one == "> " else " " * len(one) for one in self.prefix]
        out.append(head)
        self.line, self.gap = len(out), 0

    def block(self, gap: int) -> None:
        """Ask for line ends before the next text."""
        if self.out and gap > self.gap:
            self.gap = gap

    def open(self, name: str, tag: str) -> None:
        """What an opening tag does."""
        if name == "br":
            self.gap = min(self.gap + 1, 2) if self.out else 0
        elif name in ("b", "strong", "sup"):
            self.opened.append(len(self.out))
        elif name in BLOCKS:
            self.block(1 if self.lists and BLOCKS[name] == 2 else BLOCKS[name])
            if name in ("ul", "ol"):
                start = re.search(r'start="(\d{1,6})"', tag)
                self.lists.append(None if name == "ul" else int(start[1]) if start else 1)
            elif name == "li":
                self.prefix.append(self.mark())
            elif name == "blockquote":
                self.prefix.append("> ")
            elif name[0] == "h" and name[1:].isdigit():
                self.prefix.append("#" * int(name[1]) + " ")
                self.heading = True
            elif name == "table":
                self.rows.append(([], 0))
            elif name == "tr" and self.rows:
                self.rows[-1] = ([], self.rows[-1][1])
            elif name == "hr":
                self.raw("---")
                self.block(2)
        elif name in ("td", "th"):
            self.cells.append((self.out, self.gap, self.line, self.prefix))
            self.out, self.gap, self.line, self.prefix = [], 0, 0, []

    def close(self, name: str) -> None:
        """What a closing tag does."""
        if name in ("b", "strong", "sup"):
            self.wrap(name)
        elif name in ("td", "th"):
            self.cell()
        elif name in BLOCKS:
            if name == "tr":
                self.row()
            if name in ("ul", "ol") and self.lists:
                self.lists.pop()
            elif name == "table" and self.rows:
                self.rows.pop()
            elif (
                name in ("li", "blockquote") or (name[0] == "h" and name[1:].isdigit())
            ) and self.prefix:
                self.prefix.pop()
                self.heading = False
            self.block(1 if self.lists and BLOCKS[name] == 2 else BLOCKS[name])

    def mark(self) -> str:
        """The mark of the next item of the innermost list."""
        if not self.lists or self.lists[-1] is None:
            return "- "
        number = self.lists[-1]
        self.lists[-1] = number + 1
        return f"{number}. "

    def wrap(self, name: str) -> None:
        """Mark what was written since the tag opened as bold, or as a power."""
        start = self.opened.pop() if self.opened else len(self.out)
        if start == len(self.out) or self.line > start + 1:
            return
        start = max(start, self.line)
        body = "".join(self.out[start:])
        bare = body.strip(" ")
        head, tail = body[: len(body) - len(body.lstrip(" "))], body[len(body.rstrip(" ")) :]
        if name == "sup":
            if _POWER.fullmatch(bare) and start > self.line and self.out[start - 1][-1:].isalnum():
                self.out[start:] = [head + "^" + bare + tail]
            return
        if (
            not bare
            or self.heading
            or "**" in bare
            or any(one >= start for one in self.opened[-1:])
        ):
            return
        self.out[start:] = [f"{head}**{bare}**{tail}"]

    def code(self, name: str, tag: str, text: str, pieces: Iterator[str]) -> None:
        """Write an inline code or a fenced block; takes all pieces up to the closing tag."""
        language = _LANGUAGE.search(tag)
        held, depth = [text], 1
        after = ""
        for piece in pieces:
            inner, _, text = piece.partition(">")
            kind = inner.partition(" ")[0]
            depth += (kind == name) - (kind == f"/{name}")
            if depth == 0:
                after = text
                break
            language = language or (_LANGUAGE.search(inner) if kind == "code" else None)
            held.append("\n" + text if kind == "br" else text)
        body = unescaped("".join(held))
        longest = max(map(len, re.findall("`+", body)), default=0)
        if name == "pre":
            self.fence(body.strip("\n"), max(3, longest + 1), language[1] if language else "")
        elif body.strip():
            ticks = "`" * (longest + 1)
            body = " ".join(body.split())
            edge = " " if body.startswith("`") or body.endswith("`") else ""
            self.raw(ticks + edge + body + edge + ticks)
        self.text(after)

    def fence(self, body: str, ticks: int, language: str) -> None:
        """Write a fenced block."""
        if not body.strip():
            return
        self.block(2)
        self.raw("`" * ticks + language)
        inside = "\n" + "".join(self.prefix)
        self.out.append(inside + body.rstrip().replace("\n", inside) + inside + "`" * ticks)
        self.gap = 2

    def cell(self) -> None:
        """End a table cell; what stood aside is the text again."""
        if not self.cells:
            return
        body = "".join(self.out).strip()
        self.out, self.gap, self.line, self.prefix = self.cells.pop()
        if self.rows:
            self.rows[-1][0].append(body)

    def row(self) -> None:
        """Write a table row: one cell as a paragraph, several between bars."""
        if not self.rows:
            return
        cells, written = self.rows[-1]
        if len(cells) > 1:
            flat = [" ".join(cell.split()).replace("|", r"\|") for cell in cells]
            if any(flat):
                self.raw(f"| {' | '.join(flat)} |")
                if written == 0:
                    self.block(1)
                    self.raw("|" + " --- |" * len(cells))
                written += 1
        elif cells:
            for number, line in enumerate(cells[0].split("\n")):
                self.gap = min(self.gap + 1, 2) if number else self.gap
                self.raw(line)
        self.rows[-1] = ([], written)


def unescaped(text: str) -> str:
    """The text of a serialised text node, which escapes four characters only."""
    if "&" not in text:
        return text
    return (
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\xa0")
        .replace("&quot;", '"').replace("&amp;", "&")
    )  # fmt: skip
