# ruff: noqa: E501
"""Texts that make a regular expression slow: its own parts, over and over, and then no end.

A pattern is parsed as Python's `re` parses it. Every part gives a short text that it matches; the
attacks repeat such texts, alone, behind what stands before them, and one kind after another, so
that every place is a beginning and none comes to an end.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

GENERAL = (
    " ", "a", "1", "甲", "\n", "\t", "<", "(", "[", "{", "“", "《", "`", "&", "*", "=", "-", ".", ",",
    "，", "。", ":", "/", "\\", "\"", "|", "$", "#", "@", "_", "A", "\r", "\u3000", "<a", "<!--", "[[",
    "{{", "{|", "a@", "a.", "1 ", "甲 ", "甲\n", "\n ", " \n", "(A", "A.", "```", "`a", "''", "<p", "a=\"",
)  # fmt: skip
"""What any text may be full of."""
MOST = 16
"""Parts of a pattern that are taken for attacks of two kinds."""


class Attack(NamedTuple):
    """`head`, then `unit` over and over, then `other` over and over, then `tail`."""

    head: str
    unit: str
    other: str = ""
    tail: str = "\x01"

    def text(self, size: int) -> str:
        """A text of about that many characters."""
        room = max(size - len(self.head) - len(self.tail), 1)
        if self.other:
            half = room // 2
            body = _filled(self.unit, half) + _filled(self.other, room - half)
        else:
            body = _filled(self.unit, room)
        return self.head + body + self.tail

    def shown(self) -> str:
        """The attack in words."""
        parts = [repr(self.head)] if self.head else []
        parts += [f"{one[:24]!r} × n" for one in (self.unit, self.other) if one]
        return " + ".join(parts)


def _filled(unit: str, size: int) -> str:
    return (unit * (size // len(unit) + 1))[:size]


def attacks(pattern: str, flags: int = 0) -> list[Attack]:
    """The attacks on a pattern; on one that can't be parsed, general ones and its letters."""
    units, heads = parts(pattern, flags)
    found = [Attack("", one) for one in (*units, *heads, *GENERAL)]
    found += [
        Attack(head, unit) for head in heads[:MOST] for unit in (*units[:MOST], "a", " ", "1")
    ]
    few = units[:MOST]
    found += [Attack("", one, other) for one in few for other in few if one != other]
    found += [Attack("", one, "", "") for one in units[:MOST]]
    return list(dict.fromkeys(found))


def parts(pattern: str, flags: int = 0) -> tuple[list[str], list[str]]:
    """Texts that parts of a pattern match, and texts that its beginnings match."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parser.parse(_as_python(pattern), flags)
    except (re.error, OverflowError, RecursionError):
        letters = list(dict.fromkeys(re.sub(r"\\.|[\[\](){}?*+|^$.]", "", pattern)))
        return letters[:40], ["".join(letters[:8])]
    units: dict[str, None] = {}
    heads: dict[str, None] = {}
    for one in _walk(tree):
        before = ""
        made = _samples(one)
        for place, piece in enumerate(made):
            for end in range(place + 1, min(place + 4, len(made)) + 1):
                units.setdefault("".join(made[place:end])[:40])
            before = (before + piece)[:60]
            heads.setdefault(before)
        for node in one:
            units |= dict.fromkeys(_members(node))
    units.pop("", None)
    heads.pop("", None)
    return list(units), list(heads)


def _as_python(rust: str) -> str:
    """A Rust pattern as Python has it, near enough to be taken apart."""
    told = re.sub(r"\\x\{(\w+)\}", lambda one: re.escape(chr(int(one[1], 16))), rust)
    told = re.sub(r"\\[pP]\{\w+\}", "甲", told).replace(r"\z", r"\Z")
    return re.sub(r"(?<!^)\(\?([a-z]+)\)", "", told)


def _walk(tree: Any) -> Iterator[list[Any]]:  # noqa: ANN401
    """Every sequence of nodes in a parsed pattern."""
    yield list(tree)
    for node in tree:
        for inner in _inside(node):
            yield from _walk(inner)


def _inside(node: Any) -> list[Any]:  # noqa: ANN401
    kind, given = node
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        return [given[2]]
    if kind == op.SUBPATTERN:
        return [given[3]]
    if kind == op.ATOMIC_GROUP:
        return [given]
    if kind == op.BRANCH:
        return list(given[1])
    return [given[1]] if kind in (op.ASSERT, op.ASSERT_NOT) else []


def _sample(node: Any, times: int = 1) -> str:  # noqa: ANN401
    """A short text that a node matches."""
    kind, given = node
    if kind == op.LITERAL:
        return chr(int(given))
    if kind == op.NOT_LITERAL:
        return "a" if given != ord("a") else "b"
    if kind == op.ANY:
        return "a"
    if kind == op.IN:
        return [*_members(node), "a"][0]
    if kind in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
        least, most, inner = given
        count = int(min(max(least, min(times, most)), 4))
        return "".join(map(_sample, inner)) * count
    if kind == op.BRANCH:
        return "".join(map(_sample, given[1][0]))
    return "".join("".join(map(_sample, inner)) for inner in _inside(node)
                   if kind not in (op.ASSERT, op.ASSERT_NOT))  # fmt: skip


_KINDS = {
    "CATEGORY_DIGIT": ["1"], "CATEGORY_NOT_DIGIT": ["a", "甲"],
    "CATEGORY_SPACE": [" ", "\n"], "CATEGORY_NOT_SPACE": ["a", "甲"],
    "CATEGORY_WORD": ["a", "甲", "1"], "CATEGORY_NOT_WORD": [" ", "-"],
}  # fmt: skip


def _samples(nodes: list[Any]) -> list[str]:
    """A text for each node of a sequence; letters that follow one another are one."""
    found: list[str] = []
    word = False
    for node in nodes:
        literal = node[0] == op.LITERAL
        if literal and word:
            found[-1] += _sample(node)
        else:
            found.append(_sample(node))
        word = literal
    return found


def _members(node: Any) -> list[str]:  # noqa: ANN401
    """A few characters of a class."""
    kind, given = node
    if kind != op.IN:
        return []
    if given and given[0][0] == op.NEGATE:
        barred = {_sample(one) for one in given[1:] if one[0] == op.LITERAL}
        return [one for one in ("a", "甲", " ", "1", "<", "[", "(") if one not in barred]
    found = []
    for what, value in given:
        if what == op.LITERAL:
            found.append(chr(int(value)))
        elif what == op.RANGE:
            found.append(chr(int(value[0])))
        elif what == op.CATEGORY:
            found += _KINDS.get(str(value).removeprefix("UNI_"), ["a"])
    return found[:4]
