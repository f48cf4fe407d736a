"""How hostile text becomes a page: escaped, cut, and with every hidden character made visible."""

from __future__ import annotations

import difflib
import re

from markupsafe import Markup, escape

LIMIT = 20_000
"""Characters of one text that a page shows; the page says how many more there are."""
COMPARED = 6_000
"""Characters of two texts together that are compared one by one; longer ones line by line."""
CONTEXT = 40
"""Characters of an unchanged stretch that are shown on either side of a change."""

_HIDDEN = re.compile(
    "([\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f])"
)


def shown(text: object, limit: int = LIMIT) -> Markup:
    """A text as it may stand in a page: nothing in it is obeyed, and nothing in it hides."""
    whole = "" if text is None else str(text)
    return _safe(whole[:limit]) + _more(len(whole) - limit)


def line(text: object, limit: int = 120) -> Markup:
    """A text on one line, cut to so many characters."""
    whole = "" if text is None else str(text)
    cut = " ".join(whole[: limit * 4].split())[:limit]
    return _safe(cut if len(cut) >= len(whole.strip()) else cut + "…")


def marked(before: object, after: object, *, whole: bool = False) -> Markup:
    """Two texts as one, with what went and what came marked; unchanged stretches are cut."""
    a, b = str(before or "")[:LIMIT], str(after or "")[:LIMIT]
    one, two = (a, b) if len(a) + len(b) <= COMPARED else (_lines(a), _lines(b))
    pieces = difflib.SequenceMatcher(None, one, two, autojunk=False).get_opcodes()
    out = Markup()
    for tag, i, j, k, n in pieces:
        went, came = "".join(one[i:j]), "".join(two[k:n])
        if tag == "equal":
            cut = whole or len(went) <= 2 * CONTEXT
            middle = went if cut else f"{went[:CONTEXT]} … {went[-CONTEXT:]}"
            out += _safe(middle)
            continue
        out += Markup("<del>{}</del>").format(_safe(went)) if went else Markup()
        out += Markup("<ins>{}</ins>").format(_safe(came)) if came else Markup()
    return out + _more(max(len(str(before or "")), len(str(after or ""))) - LIMIT)


def ours(text: str) -> Markup:
    """A script or style of our own, which an offline page carries inside; never a record's text."""
    assert "</" not in text
    return Markup(text)


def data(json_: str) -> Markup:
    """JSON inside a script element: nothing in it can end the element."""
    return Markup(json_.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def number(value: object) -> str:
    """A number with as many places as one reads."""
    if value is None or (isinstance(value, float) and value != value):
        return "–"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)


def percent(value: float | None) -> str:
    """A share in hundredths."""
    return "–" if value is None or value != value else f"{100 * value:.1f}%"


def _safe(text: str) -> Markup:
    if not _HIDDEN.search(text):
        return escape(text)
    pieces = _HIDDEN.split(text)
    out = []
    for place, piece in enumerate(pieces):
        if place % 2:
            out.append(Markup('<span class="hidden">U+{:04X}</span>').format(ord(piece)))
        else:
            out.append(escape(piece))
    return Markup("").join(out)


def _more(count: int) -> Markup:
    if count <= 0:
        return Markup()
    return Markup('<span class="hidden">… +{}</span>').format(f"{count:,}")


def _lines(text: str) -> list[str]:
    return [piece for piece in re.split(r"(?<=[\n。！？])", text) if piece]
