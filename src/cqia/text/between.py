"""What stands between two marks, found in one walk over the text.

A regular expression (`<!--.*?-->`) looks for the end anew from every beginning that has none, and
so takes time with the square of a text that is full of beginnings.
"""

from __future__ import annotations

from collections.abc import Iterator


def spans(text: str, first: str, last: str) -> Iterator[tuple[int, int]]:
    """Where each `first … last` begins and ends, both marks included; none is in another."""
    start = text.find(first)
    while start >= 0 and (end := text.find(last, start + len(first))) >= 0:
        end += len(last)
        yield start, end
        start = text.find(first, end)


def insides(text: str, first: str, last: str) -> list[str]:
    """The texts between the marks."""
    return [text[a + len(first) : b - len(last)] for a, b in spans(text, first, last)]


def without(text: str, first: str, last: str) -> str:
    """The text without what stands between the marks, and without them."""
    kept, done = [], 0
    for start, end in spans(text, first, last):
        kept.append(text[done:start])
        done = end
    return "".join([*kept, text[done:]]) if done else text
