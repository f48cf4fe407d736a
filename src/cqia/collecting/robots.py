"""What a site's robots.txt allows, as RFC 9309 has it.

A file that is not there (4xx) forbids nothing; one that can't be had (5xx, no answer) forbids all.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import NamedTuple, Protocol

TIMEOUT = 30
LARGEST = 500 << 10
"""Bytes that are read; the RFC asks for at least 500 KiB."""
PATIENCE = 60.0
"""Longest delay that is waited between two pages: a site that asks for more is left alone."""


class Rules(Protocol):
    """What protego's parser offers."""

    def can_fetch(self, url: str, user_agent: str) -> bool: ...

    def crawl_delay(self, user_agent: str) -> float | None: ...


class Robots(NamedTuple):
    """A site's rules. why: what forbids all of it; empty: the rules decide."""

    rules: Rules | None
    why: str = ""

    def allows(self, url: str, agent: str) -> bool:
        """Whether a page may be asked for."""
        return not self.why and (self.rules is None or self.rules.can_fetch(url, agent))

    def delay(self, agent: str) -> float:
        """Seconds that the site wants between two pages."""
        return float((self.rules and self.rules.crawl_delay(agent)) or 0.0)


def robots(site: str, agent: str) -> Robots:
    """Ask a site (`https://host:port`) for its rules."""
    from protego import Protego

    request = urllib.request.Request(f"{site}/robots.txt", headers={"User-Agent": agent})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            body = answer.read(LARGEST)
    except urllib.error.HTTPError as fault:
        fault.close()
        return Robots(None, f"robots.txt: status {fault.code}" if fault.code >= 500 else "")
    except (OSError, http.client.HTTPException) as fault:
        return Robots(None, f"robots.txt: {fault}")
    found = Robots(Protego.parse(body.decode("utf-8", "replace")))
    if (wanted := found.delay(agent)) > PATIENCE:
        return Robots(None, f"robots.txt asks for {wanted:g} s between pages")
    return found
