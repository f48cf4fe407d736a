"""What a user can mend, against what is a bug.

There are two kinds of failure only. A `UserError` says in one line what is wrong, where, and how to
mend it; the command line prints it without a traceback and exits with 2. Everything else is a bug
and keeps its traceback.
"""

from __future__ import annotations

import difflib
import errno
import re
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


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SAID = re.compile(
    r"os error (?:28|122|27)\b|No space left on device|Disk quota exceeded|File too large"
    r"|disk is full|^\d+ requested and \d+ written$"
)
"""How Polars, SQLite and NumPy tell of it, which give no number."""


def no_room(fault: BaseException, where: str = "") -> UserError | None:
    """The error for a disk that is full, where that is what a fault or its cause says."""
    if isinstance(fault, UserError):
        return None
    if getattr(fault, "errno", None) in _FULL or _SAID.search(str(fault)[:2_000]):
        named = getattr(fault, "filename", None)
        return UserError(
            "no space left on the disk",
            where=where or (str(named) if named else ""),
            mend="make room; the same command goes on from here",
        )
    cause = fault.__cause__ or fault.__context__
    return no_room(cause, where) if cause is not None else None


def killed(fault: BaseException) -> UserError | None:
    """The error for a worker process that the system or somebody ended, if a fault says that."""
    if type(fault).__name__ != "BrokenProcessPool":
        return None
    return UserError(
        "a worker process was killed, maybe for want of memory",
        mend="the same command goes on from here; --workers 1 takes the least memory",
    )


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
