"""Where the code stands in a Markdown text: fenced blocks and inline code.

Source: the CommonMark specification's fenced code blocks and code spans, kept to what people write:
backtick fences, and inline code of one or two backticks on one line. Every scan is linear.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_FENCE = re.compile(r"[ \t]*(`{3,})([^`\n]*)")
_INLINE = re.compile(r"(?<!`)(?:`[^`\n]+`|``(?:[^`\n]|`(?!`))+``)(?!`)")


def blocks(text: str) -> list[tuple[bool, str]]:
    """The text cut into (is it a fenced block, piece); the pieces joined give the text again.

    A block runs from its opening line to its closing line, or to the end when nothing closes it.
    """
    if "```" not in text:
        return [(False, text)]
    pieces: list[tuple[bool, str]] = []
    held: list[str] = []
    ticks = 0
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        fence = _FENCE.fullmatch(line.rstrip("\n"))
        if ticks == 0 and fence:
            pieces.append((False, "".join(held)))
            held, ticks = [line], len(fence[1])
            continue
        held.append(line)
        if ticks and fence and len(fence[1]) >= ticks and not fence[2].strip():
            pieces.append((True, "".join(held)))
            held, ticks = [], 0
    pieces.append((ticks > 0, "".join(held)))
    return [(code, piece) for code, piece in pieces if piece]


def spans(text: str) -> list[tuple[bool, str]]:
    """The text cut into (is it code, piece), inline code included."""
    pieces: list[tuple[bool, str]] = []
    for code, block in blocks(text):
        if code or "`" not in block:
            pieces.append((code, block))
            continue
        end = 0
        for inline in _INLINE.finditer(block):
            pieces += [(False, block[end : inline.start()]), (True, inline[0])]
            end = inline.end()
        pieces.append((False, block[end:]))
    return [(code, piece) for code, piece in pieces if piece]


def outside(text: str, change: Callable[[str], str]) -> str:
    """Apply a function to what stands outside fenced blocks and inline code."""
    return "".join(piece if code else change(piece) for code, piece in spans(text))
