"""What a target is: a name, and a check that takes any bytes and holds the contract.

The contract of all of them: a `UserError`, or a counted bad row, is the only way to say no.
Anything else that is raised is a finding, as is a check of the target's own that fails, and an
input that takes longer than `SECONDS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cqia.errors import UserError

SECONDS = 5.0
"""The longest that an input of a few kilobytes may take; a hang, in other words."""


class Broken(AssertionError):
    """A check of a target's own that fails."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that reads hostile input."""

    name: str
    check: Callable[[bytes], None]

    def run(self, data: bytes) -> None:
        """Check one input; a user's error is an answer."""
        try:
            self.check(data)
        except UserError as fault:
            hold(bool(fault.what), "a user's error says what is wrong")


def hold(what: bool, why: str) -> None:
    """Hold that something is so."""
    if not what:
        raise Broken(why)
