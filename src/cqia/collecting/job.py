"""What is to be collected, and how politely."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from urllib.parse import urlsplit

from cqia.errors import UserError

LEAST_DELAY = 0.5
"""Least number of seconds between two pages of a site; this machine may be asked faster."""


def _quiet(done: int, all_: int, what: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A collection.

    Raises:
        UserError: no address to start from, a wrong one, no contact, or a number out of bounds.
    """

    start: tuple[str, ...]
    contact: str
    """An e-mail address or a URL that a site's keeper can turn to; it stands in the user agent."""
    follow: str = ""
    """Regular expression: links to follow, on the sites of `start` alone; empty: none."""
    keep: str = ""
    """Regular expression: pages that are wanted; the others are leads to them. Empty: `follow`."""
    limit: int = 1_000
    """Addresses asked for in one run."""
    delay: float = 2.0
    """Seconds between two pages of a site; robots.txt may ask for more."""
    timeout: float = 30.0
    """Seconds until an answer must be there."""
    largest: int = 10 << 20
    """Bytes of the largest answer that is taken."""
    retries: int = 3
    """How often an address is asked again after a timeout, a cut connection, 429 or 5xx."""
    tell: Callable[[int, int, str], None] = _quiet
    """Told of every address that is settled: pages, limit, address."""

    def __post_init__(self) -> None:
        if not self.start:
            raise UserError("no address to start from", mend="name one: cqia collect https://…")
        for url in self.start:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise UserError(f"{url!r} is no address", mend="write it whole: https://host/path")
        if not re.search(r"@\w|^https?://\w", self.contact):
            raise UserError(
                "a site's keeper must be able to reach you",
                mend="give an e-mail address or a URL with --contact, or in CQIA_CONTACT",
            )
        if "\n" in self.contact or "\r" in self.contact:
            raise UserError("the contact is one line", mend="mend --contact")
        local = all(urlsplit(url).hostname in ("127.0.0.1", "localhost") for url in self.start)
        if self.delay < LEAST_DELAY and not local:
            raise UserError(
                f"a delay of {self.delay:g} s is not polite",
                mend=f"wait at least {LEAST_DELAY:g} s between two pages",
            )
        for name, pattern in (("follow", self.follow), ("keep", self.keep)):
            try:
                re.compile(pattern)
            except re.error as fault:
                what = f"{pattern!r} is no regular expression ({fault})"
                raise UserError(what, mend=f"mend --{name}") from None
        least = (("limit", 1), ("timeout", 0.1), ("largest", 1), ("retries", 0), ("delay", 0))
        for name, bound in least:
            if getattr(self, name) < bound:
                raise UserError(f"--{name} is at least {bound:g}", mend=f"mend --{name}")

    @property
    def agent(self) -> str:
        """The user agent: who asks, and whom to turn to."""
        return f"cqia/{version('cqia')} (+{self.contact})"
