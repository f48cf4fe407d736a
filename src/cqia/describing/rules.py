"""The root verb and its object by tags alone: the first verb that is not light, the noun after it.

Much lighter than a parser (rjieba tags millions of characters a second) and much less careful: it
takes a noun where the parser takes none. The figure's caption says which of them was at work.
"""

from __future__ import annotations

from collections.abc import Sequence

from cqia.describing.tree import LIGHT, Pair
from cqia.errors import missing_extra

NAME = "rjieba"
REACH = 10
"""Words after the verb that its noun is looked for in."""
_ENDS = ("x", "w", "y")
_HEADS = ("n", "vn", "an", "nz", "nr", "ns", "nt", "l")


class Rules:
    """The lighter fallback.

    Raises:
        UserError: rjieba is missing.
    """

    def __init__(self) -> None:
        try:
            import rjieba
        except ImportError:
            raise missing_extra("rjieba", "parse") from None
        self._tag = rjieba.tag

    def __call__(self, texts: Sequence[str]) -> list[Pair]:
        """The pair of every text."""
        return [pair(self._tag(one)) for one in texts]


def pair(tagged: Sequence[tuple[str, str]]) -> Pair:
    """The first verb that is not light, and the head of the noun phrase after it."""
    verbs = [
        place
        for place, (word, tag) in enumerate(tagged)
        if tag in ("v", "vd", "vi", "vg") and word not in LIGHT
    ]
    if not verbs:
        return "", ""
    verb, noun = verbs[0], ""
    for word, tag in tagged[verb + 1 : verb + 1 + REACH]:
        if tag.startswith(_ENDS):
            break
        if noun and not (tag in _HEADS or word in ("的", "之")):
            break
        if tag in _HEADS:
            noun = word
    return tagged[verb][0], noun
