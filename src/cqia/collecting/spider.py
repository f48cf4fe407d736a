"""The spider: asks politely, keeps every answer, and settles every address it took up.

Scrapy fetches, paces and repeats; here stands what a polite collection adds: only the sites that
were named, robots.txt, `Retry-After`, and an outcome for each address.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from http.client import responses
from urllib.parse import urldefrag, urljoin, urlsplit

import scrapy
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request, Response
from selectolax.lexbor import LexborHTMLParser
from twisted.python.failure import Failure

from cqia.collecting.archive import DONE, Archive, Page
from cqia.collecting.job import Job
from cqia.collecting.robots import Robots
from cqia.raw.nesting import too_deep

REDIRECTS = 5
"""Redirects in a row that are followed."""
SLOWEST = 60.0
"""Seconds between two pages up to which 429 and 503 slow a site's collection down."""
LONGEST_WAIT = 120.0
"""Seconds of `Retry-After` that are waited; what asks for more is left for another run."""

_FAULTS = {
    "DownloadTimeoutError": "timeout",
    "DownloadCancelledError": "too large",
    "ResponseDataLossError": "cut off",
    "CannotResolveHostError": "no such host",
    "DownloadConnectionRefusedError": "connection refused",
    "DownloadFailedError": "connection failed",
}
"""Scrapy's exception -> outcome."""


class Collector(scrapy.Spider):
    """Collects the pages of a job into an archive.

    outcomes: how many addresses ended how; a `lead` is a page that was read for its links only.
    """

    name = "cqia"

    def __init__(
        self, job: Job, archive: Archive, robots: dict[str, Robots], held: list[Page]
    ) -> None:
        super().__init__()
        self.job, self.archive, self.robots = job, archive, robots
        self.outcomes: Counter[str] = Counter()
        self.faults: list[dict[str, str]] = []
        self.done = {page.url for page in held if page.status in DONE}
        self.taken: set[str] = set(self.done)
        self.asked = 0
        self._held = held
        self._follow = re.compile(job.follow) if job.follow else None
        self._keep = re.compile(job.keep or job.follow)

    async def start(self) -> AsyncIterator[Request]:
        """Take up the start addresses, and what the archive's pages lead to."""
        for url in self.job.start:
            for request in self.take(url):
                yield request
        hops: dict[str, int] = {}
        for page in self._held:
            if page.location:
                hops[urljoin(page.url, page.location)] = hops.get(page.url, 0) + 1
            for request in self.lead(*page, hops.get(page.url, 0)):
                yield request
        self._held = []

    def take(self, url: str, redirects: int = 0) -> Iterator[Request]:
        """A request for an address that was not taken up yet and may be asked for."""
        url = urldefrag(url).url
        if url in self.taken:
            return
        self.taken.add(url)
        if not self.robots[site(url)].allows(url, self.job.agent):
            self.settle(url, "forbidden by robots.txt")
        elif self.asked >= self.job.limit:
            self.settle(url, "left: the limit was reached")
        else:
            self.asked += 1
            meta = {"redirects": redirects, "handle_httpstatus_all": True}
            yield Request(url, self.keep, errback=self.fail, meta=meta, dont_filter=True)

    def keep(self, response: Response) -> Iterator[Request]:
        """Put a response into the archive and go on from it."""
        url, status = response.request.url if response.request else response.url, response.status
        headers, body = response.meta["raw"]
        wanted = self._keep.search(url) is not None
        line = f"{status} {responses.get(status, '')}".strip()
        self.archive.add(url, line, headers, body, lead=not wanted)
        kind = (response.headers.get("Content-Type") or b"").decode("latin-1").lower()
        location = (response.headers.get("Location") or b"").decode("latin-1") or None
        html = "html" in kind
        if status == 200:
            self.settle(url, "other content" if not html else "page" if wanted else "lead")
        elif not 300 <= status < 400:
            self.settle(url, f"status {status}")
        hops = response.meta["redirects"]
        yield from self.lead(url, status, html, location, response.body, hops)

    def lead(
        self,
        url: str,
        status: int,
        html: bool,
        location: str | None,
        body: bytes,
        hops: int = 0,
    ) -> Iterator[Request]:
        """The requests that a response leads to."""
        if 300 <= status < 400 and location:
            target = urljoin(url, location)
            known = url in self.done
            if site(target) not in self.robots:
                if not known:
                    self.settle(url, "redirect to another site")
            elif hops >= REDIRECTS:
                if not known:
                    self.settle(url, "too many redirects")
            else:
                if not known:
                    self.settle(url, "redirect")
                yield from self.take(target, hops + 1)
        elif status == 200 and html and self._follow:
            for target in links(url, body):
                if site(target) in self.robots and self._follow.search(target):
                    yield from self.take(target)

    def fail(self, failure: Failure) -> None:
        """An address that brought no response."""
        kind = type(failure.value).__name__
        said = str(failure.value)
        outcome = said if isinstance(failure.value, IgnoreRequest) else _FAULTS.get(kind, kind)
        request = failure.request  # type: ignore[attr-defined]
        self.settle(request.url, outcome)

    def settle(self, url: str, outcome: str) -> None:
        """Say how an address ended."""
        self.outcomes[outcome] += 1
        if outcome not in ("page", "lead", "redirect", "other content"):
            self.faults.append({"url": url, "outcome": outcome})
        self.job.tell(self.outcomes["page"], self.job.limit, url)


def site(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def links(url: str, body: bytes) -> Iterator[str]:
    """The addresses that a page links to; what is no address is passed over.

    A page whose tags nest too deep would keep the parser busy for hours, and has none.
    """
    if too_deep(body.decode("latin-1")):
        return
    page = LexborHTMLParser(body)
    base = page.css_first("base[href]")
    root = urljoin(url, (base.attributes.get("href") if base else None) or "")
    for node in page.css("a[href]"):
        try:
            target = urljoin(root, (node.attributes.get("href") or "").strip())
            parts = urlsplit(target)
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and parts.hostname:
            yield urldefrag(target).url


class Raw:
    """Keeps a response's bytes as they came, before Scrapy unpacks them."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Set them aside."""
        headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, values in response.headers.items()
            for value in values
        ]
        request.meta["raw"] = (headers, response.body)
        return response


class Patience(RetryMiddleware):
    """Repeats as Scrapy does, but waits as long as the site asks, and slows down for it."""

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Hold the site's next request back when it says too many."""
        if response.status in (429, 503):
            wait = _seconds((response.headers.get("Retry-After") or b"").decode("latin-1"))
            slots = self.crawler.engine.downloader.slots
            slot = slots.get(request.meta.get("download_slot", ""))
            if wait > LONGEST_WAIT:
                return response
            if slot:
                slot.delay = min(max(slot.delay, 0.05) * 2, max(SLOWEST, slot.delay))
                slot.lastseen = max(slot.lastseen, time.monotonic() + wait)
        return super().process_response(request, response)


def _seconds(said: str) -> float:
    """The seconds of a `Retry-After`; a date, or nothing, is none."""
    return float(said) if re.fullmatch(r"\d{1,6}", said.strip()) else 0.0
