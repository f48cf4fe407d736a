"""What the matching view makes of a character: the codes that its table and its kernel share."""

from __future__ import annotations

HARD, INVISIBLE, SOFT, WIDE, TIGHT, OPERATOR, MARK = range(7)
"""HARD is dropped (punctuation, emoji, controls); INVISIBLE is dropped without a trace; SOFT is
white space or a bracket, dropped but looked across by operators; WIDE is kept and needs no
separator (Han, kana, Hangul); TIGHT is kept, with one space between two of them that something
stood between; OPERATOR is kept beside a TIGHT; MARK is kept behind its letter."""
COMPLEX = 1 << 30
"""Table flag: folding this character takes the full Unicode algorithm."""
KIND_SHIFT = 24
CODE_MASK = (1 << 21) - 1
