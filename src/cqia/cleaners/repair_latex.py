"""LaTeX commands whose backslash was read as an escape."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.text.guarded import amend, tally

_REST = {
    "\x07": "lpha|ngle|pprox|rccos|rcsin|rctan|symp|leph|malg|st|rray|rg",
    "\x08": (
        "ackslash|ar|ecause|egin|eta|f|ig|igcap|igcup|igg|iggl|iggr|igl|igodot|igoplus|igotimes"
        "|igr|igstar|igtriangleup|igwedge|inom|mod|m|oldsymbol|ot|owtie|ox|oxed|reve|ullet"
    ),
    "\x0b": "arepsilon|arnothing|arphi|arpi|arrho|arsigma|artheta|dash|dots|ec|ee|ert|space",
    "\x0c": "box|cfrac|lat|orall|rac|rown|f",
    "\t": "imes|heta|herefore|riangle|rianglelefteq|frac|binom|ilde",
    "\r": "ho|ightarrow|ight|angle|ceil|floor|ightharpoonup|ightleftharpoons",
}
"""Escape character -> what is left of the commands that it swallowed the head of."""

_HEAD = {"\x07": r"\a", "\x08": r"\b", "\x0b": r"\v", "\x0c": r"\f", "\t": r"\t", "\r": r"\r"}
_BRACED = r"\text(?:bf|it|rm|sf|tt)?(?=\{)".replace(r"\text", "\text")
BROKEN = re.compile(
    "|".join(f"{one}(?:{rest})(?![A-Za-z])" for one, rest in _REST.items()) + f"|{_BRACED}"
)
GUARD = r"[\x07\x08\t\x0B\x0C\r][a-z]"


def repaired(text: str) -> str:
    """The text with the broken commands whole again."""
    return BROKEN.sub(lambda found: _HEAD[found[0][0]] + found[0][1:], text)


def _broken(text: str) -> int:
    return len(BROKEN.findall(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairLatex(Cleaner):
    r"""Gives back the backslash that a careless reader took: form feed + `rac` is `\frac` again.

    Someone read `\frac`, `\beta`, `\alpha`, `\vec`, `\times`, `\right` as escape sequences. The
    character left behind and the rest of the command tell together which command stood there. Only
    whole commands are repaired (no letter may follow), and behind a tab or a carriage return only
    those whose rest is no word of its own (`\tan` and `\to` stay lost). A newline is too common
    to be told from `\n` in `\neq` and `\nabla`, which stay lost too. Must run before
    `RepairUnicode`, which deletes the evidence.
    """

    def clean(self, text: pl.Expr) -> pl.Expr:
        return amend(text, GUARD, repaired)

    def counts(self, text: pl.Expr) -> pl.Expr:
        return tally(text, GUARD, ("escapes",), lambda one: (_broken(one),))
