"""How time grows with length: the exponent of it, over attacks that grow.

An attack is first tried short and a little longer. The ones that grow most are measured at four
sizes, each double the one before, and a line is laid through the logarithms: 1 is linear, 2 is
quadratic. A steep one is measured again, up to twice, since another process may have been in the
way, and then once over a text sixteen times as long: a reader may refuse what would take long.
Where even the longest text takes less than `MEANINGFUL`, the exponent says nothing and is not told.
"""

from __future__ import annotations

import math
import re
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import polars as pl

from fuzz.attacks import Attack, attacks
from fuzz.patterns import Site

SIZES = (10_000, 20_000, 40_000, 80_000)
SCREEN = (1_500, 6_000)
MEANINGFUL = 0.005
"""Seconds at the longest text from which an exponent means something."""
STEEP = 1.3
"""Exponents above are a failure."""
LIMIT = 4.0
"""Seconds after which a text counts as endless."""

WARM = ("甲 a", "[1, [2]]", '{"q": "甲"}', "<p>甲</p>", "q,a\n1,2")
"""Read before anything is timed: what is compiled at a first call must not be stopped in that."""

Reads = Callable[[str], object]


class Endless(Exception):
    """A text took longer than `LIMIT`."""


class Growth(NamedTuple):
    """The steepest attack on something. exponent: None where all was too quick to tell."""

    exponent: float | None
    seconds: float
    attack: str
    tried: int

    @property
    def steep(self) -> bool:
        """Whether it is a failure."""
        return self.exponent is not None and self.exponent > STEEP


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `Endless` when the block takes longer; Python's own loops and `re` notice it."""

    def ring(_: int, __: object) -> None:
        raise Endless

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def seconds(read: Reads, text: str, times: int = 1) -> float:
    """The least time that reading a text takes; infinite when it is endless."""
    best = math.inf
    for _ in range(times):
        began = time.process_time()
        try:
            with at_most(LIMIT):
                read(text)
        except Endless:
            return math.inf
        best = min(best, time.process_time() - began)
    return best


def growth(read: Reads, given: Iterable[Attack], sizes: Sequence[int] = SIZES) -> Growth:
    """How the time of reading grows over the steepest of some attacks."""
    tried = 0
    for text in WARM:
        read(text)
    ranked: list[tuple[float, float, Attack]] = []
    for attack in given:
        tried += 1
        short, longer = (seconds(read, attack.text(size)) for size in SCREEN)
        if math.isinf(longer):  # once more: it may have been compiling
            longer = seconds(read, attack.text(SCREEN[1]))
        if math.isinf(longer):
            return Growth(math.inf, math.inf, attack.shown(), tried)
        ranked.append((longer / max(short, 1e-5), longer, attack))
    steepest = sorted(ranked, key=lambda one: -one[0] * (one[1] > 5e-4))[:3]
    slowest = sorted(ranked, key=lambda one: -one[1])[:2]
    worst = Growth(None, 0.0, "", tried)
    for attack in dict.fromkeys(one[2] for one in (*steepest, *slowest)):
        one = fitted(read, attack, sizes)
        for _ in range(2):
            if one.steep and not math.isinf(one.seconds):
                one = min(one, fitted(read, attack, sizes), key=lambda given: given.exponent or 0)
        if one.steep and not math.isinf(one.seconds):
            one = _bounded(read, attack, sizes[-1], one)
        if (one.exponent or 0, one.seconds) > (worst.exponent or 0, worst.seconds):
            worst = one._replace(tried=tried)
    return worst


def fitted(read: Reads, attack: Attack, sizes: Sequence[int] = SIZES) -> Growth:
    """The exponent over one attack."""
    points = []
    for size in sizes:
        spent = seconds(read, attack.text(size), 3)
        points.append((size, spent))
        if spent > LIMIT / 2:
            break
    if math.isinf(points[-1][1]):
        return Growth(math.inf, math.inf, attack.shown(), 1)
    if points[-1][1] < MEANINGFUL:
        return Growth(None, points[-1][1], attack.shown(), 1)
    told = [(math.log(size), math.log(max(spent, 1e-6))) for size, spent in points[-3:]]
    return Growth(_slope(told), points[-1][1], attack.shown(), 1)


def _bounded(read: Reads, attack: Attack, size: int, found: Growth) -> Growth:
    """What holds over a text sixteen times as long, if something ends the growth there."""
    far = seconds(read, attack.text(16 * size))
    slope = math.log(max(far, 1e-6) / found.seconds) / math.log(16)
    if slope > STEEP:
        return found
    return found._replace(exponent=slope, attack=f"{found.attack}, then bounded")


def _slope(points: Sequence[tuple[float, float]]) -> float:
    if len(points) < 2:
        return math.inf
    x = sum(one for one, _ in points) / len(points)
    y = sum(one for _, one in points) / len(points)
    over = sum((one - x) * (other - y) for one, other in points)
    return over / sum((one - x) ** 2 for one, _ in points)


def reader_of(site: Site) -> Reads:
    """What a pattern does with a text: every match of it, or the one at its start."""
    if site.engine == "polars":
        return lambda text: pl.Series([text]).str.extract_all(site.pattern).list.len()
    known = re.compile(site.pattern, site.flags)
    if site.anchored:
        return known.match
    return lambda text: sum(1 for _ in known.finditer(text))


def of_pattern(site: Site, sizes: Sequence[int] = SIZES) -> Growth:
    """How the time of a pattern grows."""
    return growth(reader_of(site), attacks(site.pattern, site.flags), sizes)
