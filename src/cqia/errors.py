"""What a user can mend, against what is a bug.

There are two kinds of failure only. A `UserError` says in one line what is wrong, where, and how to
mend it; the command line prints it without a traceback and exits with 2. Everything else is a bug
and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake the user can mend.

    Args:
        what: what is wrong, without a full stop.
        where: file, `file:line`, `file: key`, or column; empty when there is no place to name.
        mend: what to do about it.
    """

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        mend = f"; {self.mend}" if self.mend else ""
        return f"{place}{self.what}{mend}"

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from a worker process."""
        return (_rebuild, (self.what, self.where, self.mend))


def _rebuild(what: str, where: str, mend: str) -> UserError:
    return UserError(what, where=where, mend=mend)


def unknown(kind: str, name: str, known: Iterable[str], *, where: str = "") -> UserError:
    """The error for a name that is not on a list: offers the nearest ones."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    mend = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names)}"
    return UserError(f"unknown {kind} {name!r}", where=where, mend=mend)


def missing_extra(package: str, extra: str) -> UserError:
    """The error for an optional package that is not installed: names the extra."""
    return UserError(
        f"this needs the package {package}, which is not installed",
        mend=f"pip install 'cqia[{extra}]'",
    )
