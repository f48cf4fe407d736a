"""How deep a page's tags nest: a parser's time grows with the square of it, and no page needs it.

For each `<div>` a parser of HTML looks through all open elements for a `<p>` to close. So 80,000 of
them, 400 KB, take half a minute, and some megabytes take hours. The tags are read here as the
tokenizer of the HTML standard reads them (quotes only behind `=`, comments, scripts), and a closing
tag counts only where it closes something: else a page could look flat and be deep.
"""

from __future__ import annotations

import re
from collections import Counter

MANY = 10_000
"""Tags from which nesting is looked at: below, no nesting is deep enough to be slow."""
DEAREST = 100_000_000
"""Open elements that a parser may look at for all tags together, a third of a second's work: 14,000
tags in one another reach it, or 5,000 with 20,000 in them (this project's choice)."""
DEEP = "its tags nest so deep that parsing it would take for ever: no page does"
"""Why such a page is a bad row."""

_TAG = re.compile(
    r"<(/?)([A-Za-z][^\s/>]*+)(?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'"
    r"|(?![\"'])[^\s>]*+))?+)*+>"
)
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_CLOSE_THEMSELVES = frozenset(
    [
        "p",
        "li",
        "dt",
        "dd",
        "tr",
        "td",
        "th",
        "tbody",
        "thead",
        "tfoot",
        "option",
        "optgroup",
        "rp",
        "rt",
        "colgroup",
    ]
)
"""What the next of its kind closes; unclosed ones are usual and don't nest."""
_RAW = frozenset(["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"])
_END = re.compile(r"</(script|style|textarea|title|xmp|iframe|noembed|noframes)", re.IGNORECASE)
_SCOPES = frozenset(
    [
        "table",
        "caption",
        "object",
        "applet",
        "marquee",
        "template",
        "select",
        "button",
        "svg",
        "math",
    ]
)
"""Elements whose inside closes nothing outside of them."""
_HTML = frozenset(
    [
        "b",
        "big",
        "blockquote",
        "body",
        "center",
        "code",
        "div",
        "dl",
        "em",
        "font",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "i",
        "listing",
        "menu",
        "nobr",
        "ol",
        "p",
        "pre",
        "ruby",
        "s",
        "small",
        "span",
        "strong",
        "strike",
        "sub",
        "sup",
        "table",
        "tt",
        "u",
        "ul",
        "var",
        "li",
        "dd",
        "dt",
    ]
)
"""What ends a drawing or a formula: from there on `<x/>` is open again."""


class _Scope:
    """The open elements inside one that closes nothing outside of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.drawn = name in ("svg", "math")
        self.open: list[str] = []
        self.counts: Counter[str] = Counter()


def too_deep(page: str) -> bool:
    """Whether a page nests deeper than any page does, and too deep for its length."""
    if page.count("<") < MANY:
        return False
    scopes = [_Scope("")]
    depth = looked_at = 0
    at = page.find("<")
    while at >= 0:
        found = _TAG.match(page, at)
        if found is None:
            at = _passed(page, at)
        elif found[1]:
            depth -= _closed(scopes, found[2].lower())
            at = found.end()
        else:
            name = found[2].lower()
            looked_at += depth
            depth += _opened(scopes, name, page[found.end() - 2] == "/")
            at = found.end()
            if name in _RAW:
                ends = (one.start() for one in _END.finditer(page, at) if one[1].lower() == name)
                at = next(ends, -1)
        if looked_at > DEAREST:
            return True
        at = page.find("<", at) if at >= 0 else -1
    return False


def _passed(page: str, at: int) -> int:
    """Where reading goes on behind a `<` that begins no tag; -1: what it begins has no end."""
    if page.startswith("<!--", at):
        return _behind(page, "-->", at + 4)
    if page[at + 1 : at + 2] in ("!", "?") or page.startswith("</", at):
        return _behind(page, ">", at)
    return -1 if page[at + 1 : at + 2].isalpha() and page[at + 1].isascii() else at + 1


def _behind(page: str, mark: str, at: int) -> int:
    end = page.find(mark, at)
    return end + len(mark) if end >= 0 else -1


def _opened(scopes: list[_Scope], name: str, ended: bool) -> int:
    """Note an opening tag; 1 if it nests."""
    scope = scopes[-1]
    scope.drawn = scope.drawn and name not in _HTML
    if name in _VOID or name in _CLOSE_THEMSELVES or name in _RAW or (ended and scope.drawn):
        return 0
    if name in _SCOPES:
        scopes.append(_Scope(name))
        return 1
    scope.open.append(name)
    scope.counts[name] += 1
    return 1


def _closed(scopes: list[_Scope], name: str) -> int:
    """Note a closing tag; how many elements it closes."""
    scope = scopes[-1]
    if scope.name == name and name:
        scopes.pop()
        return 1 + len(scope.open)
    if not scope.counts[name]:
        return 0
    count = 0
    while True:
        last = scope.open.pop()
        scope.counts[last] -= 1
        count += 1
        if last == name:
            return count
