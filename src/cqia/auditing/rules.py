"""Rules over single texts: what is found, how bad it is, and how it is mended.

A rule has a cheap guard (a Rust regex over the whole column) and an exact function for the few
texts that the guard lets through. A rule that can be mended has a function that leaves none of its
finds; one without is for a person, because what is right can't be known: lost characters, private
glyphs, tags that may be code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from cqia.cleaners.repair_latex import BROKEN, repaired
from cqia.cleaners.repair_latex import GUARD as LATEX_GUARD
from cqia.cleaners.repair_unicode import (
    BREAK,
    CONTROL,
    INVISIBLE,
    JOINER,
    LOST,
    PRIVATE,
    SPACE,
    in_python,
)
from cqia.text.fences import outside, spans
from cqia.text.markup import ENTITY, TAG, decoded, is_html, talks
from cqia.text.personal import RULES

Spans = list[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRule:
    """One kind of defect that a text shows by itself."""

    kind: str
    severity: str
    about: str
    """What it is, for people."""
    guard: str
    """Rust regex: a text that does not hit it has none."""
    find: Callable[[str], Spans]
    mend: Callable[[str], str] | None = None


def _by(pattern: re.Pattern[str]) -> Callable[[str], Spans]:
    return lambda text: [found.span() for found in pattern.finditer(text)]


def _swap(pattern: re.Pattern[str], to: str) -> Callable[[str], str]:
    return lambda text: pattern.sub(to, text)


_CONTROL = in_python(CONTROL + r"\x0B\x0C")
_INVISIBLE = in_python(INVISIBLE)
_SPACE = in_python(SPACE)
_LINE_END = re.compile("\r\n?|[\u2028\u2029]")
_MOJIBAKE = re.compile(
    "锟斤拷|烫烫烫|屯屯屯|ï»¿|â€[\u0080-\u00bf™œ\u009d]|(?:[Ãâåäæçèéï][\u0080-\u00bf€-™]){2,}"
)
_WRITTEN = re.compile(r"(?<!\\)\\(?:n(?![A-Za-z])|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}(?![0-9A-Fa-f]))")


def _controls(text: str) -> Spans:
    """Controls but for those that are what is left of a LaTeX command."""
    broken = [found.start() for found in BROKEN.finditer(text)]
    return [found.span() for found in _CONTROL.finditer(text) if found.start() not in broken]


def _drop_controls(text: str) -> str:
    return _CONTROL.sub(lambda one: "\n" if one[0] in "\x0b\x0c" else "", text)


def _line_ends(text: str) -> Spans:
    broken = [found.start() for found in BROKEN.finditer(text)]
    return [found.span() for found in _LINE_END.finditer(text) if found.start() not in broken]


def _invisible(text: str) -> Spans:
    """Invisible characters, and joiners that join nothing; those inside emoji are right."""
    return sorted([*_by(_INVISIBLE)(text), *_by(LOST)(text)])


def _show(text: str) -> str:
    return LOST.sub("", _INVISIBLE.sub("", text))


def _prose(text: str, pattern: re.Pattern[str]) -> Spans:
    """Finds outside Markdown code."""
    found: Spans = []
    at = 0
    for code, piece in spans(text):
        if not code:
            found += [(at + one.start(), at + one.end()) for one in pattern.finditer(piece)]
        at += len(piece)
    return found


def _entities(text: str) -> Spans:
    if talks(text):
        return []
    return [(start, end) for start, end in _prose(text, ENTITY) if end > start]


def _decode(text: str) -> str:
    return text if talks(text) else outside(text, decoded)


def _tags(text: str) -> Spans:
    return _prose(text, TAG) if is_html(text) else []


def _escapes(text: str) -> Spans:
    """Escape sequences as text; a text that talks about characters or code has them rightly."""
    if re.search(r"换行符|转义|正则|字符串|编码|print|printf|Unicode|unicode", text):
        return []
    return _prose(text, _WRITTEN)


TEXT_RULES: tuple[TextRule, ...] = (
    TextRule(
        kind="latex",
        severity="error",
        about="a LaTeX command whose backslash was read as an escape: form feed + rac for \\frac",
        guard=LATEX_GUARD,
        find=_by(BROKEN),
        mend=repaired,
    ),
    TextRule(
        kind="control",
        severity="error",
        about="control characters (C0, C1, DEL)",
        guard=rf"[{CONTROL}\x0B\x0C]",
        find=_controls,
        mend=_drop_controls,
    ),
    TextRule(
        kind="line_end",
        severity="note",
        about="line ends that are no line feed: CR, CR LF, U+2028, U+2029",
        guard=rf"[\r{BREAK}]",
        find=_line_ends,
        mend=_swap(_LINE_END, "\n"),
    ),
    TextRule(
        kind="invisible",
        severity="warning",
        about="zero-width, bidi and byte-order characters, joiners that join nothing",
        guard=rf"[{INVISIBLE}]|{JOINER}",
        find=_invisible,
        mend=_show,
    ),
    TextRule(
        kind="space",
        severity="note",
        about="no-break, ideographic and typographic spaces",
        guard=f"[{SPACE}]",
        find=_by(_SPACE),
        mend=_swap(_SPACE, " "),
    ),
    TextRule(
        kind="replacement",
        severity="error",
        about="U+FFFD: characters lost in a conversion",
        guard=r"\x{FFFD}",
        find=_by(re.compile("\ufffd+")),
    ),
    TextRule(
        kind="private_use",
        severity="warning",
        about="private-use characters: a font's own glyphs; they may stand for lost text",
        guard=f"[{PRIVATE}]",
        find=_by(in_python(PRIVATE)),
    ),
    TextRule(
        kind="mojibake",
        severity="error",
        about="text decoded by the wrong charset",
        guard="锟斤拷|烫烫烫|屯屯屯|ï»¿|â€|[Ãâåäæçèéï][\u0080-\u00bf€-™]",
        find=_by(_MOJIBAKE),
    ),
    TextRule(
        kind="entity",
        severity="warning",
        about="HTML entities outside code",
        guard="&(?:[A-Za-z]|#)",
        find=_entities,
        mend=_decode,
    ),
    TextRule(
        kind="html",
        severity="warning",
        about="HTML tags outside code; may be code without a fence, so they are left",
        guard="</?[A-Za-z]",
        find=_tags,
    ),
    TextRule(
        kind="escape",
        severity="warning",
        about=r"escape sequences written out (\n, \u4e2d) outside code: JSON encoded twice",
        guard=r"\\(?:n|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})",
        find=_escapes,
    ),
    *(
        TextRule(
            kind=f"personal.{kind}",
            severity="error",
            about=f"personal data, becomes {rule.mark}",
            guard=rule.guard,
            find=rule.spans,
            mend=rule.mask,
        )
        for kind, rule in RULES.items()
    ),
)
"""In the order they mend: a command's backslash before the controls that tell of it."""
