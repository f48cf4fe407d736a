"""When has a source been read enough to say "at least 96 % of it pass", with 95 % confidence?

Two lower bounds stand side by side. Clopper and Pearson's (1934) exact one holds for a number of
records that was fixed beforehand. Who looks after every record and stops at the first good moment
needs one that holds at all times: Robbins' (1970) mixture of likelihood ratios, which Ville's
inequality bounds. It is the wider of the two, and the one that says stop.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from cqia.reviewing.book import Book
from cqia.reviewing.queue import LATEST

RATE = 0.96
"""The pass rate that a source must reach; the paper's own is not stated, this is a default."""
CONFIDENCE = 0.95


class Passing(NamedTuple):
    """How a source stands.

    passed: approved as they are. exact: lower bound for a number fixed beforehand. always: lower
    bound at any moment. upper: at any moment. state: reached, missed (even the upper bound is below
    the rate), or open. ahead: records still needed if all pass.
    """

    source: str
    read: int
    passed: int
    share: float
    exact: float
    always: float
    upper: float
    state: str
    ahead: int


def exact(passed: int, read: int, confidence: float = CONFIDENCE) -> float:
    """Clopper and Pearson's one-sided lower bound of a proportion; 0 where nothing passed."""
    from scipy.stats import beta

    if passed == 0:
        return 0.0
    return float(beta.ppf(1 - confidence, passed, read - passed + 1))


def always(passed: int, read: int, confidence: float = CONFIDENCE) -> float:
    """The lower bound that holds at all times at once.

    It is where the mixture over a uniform prior, B(k + 1, n - k + 1), is 1 / (1 - confidence) times
    as likely as the rate: smaller rates are rejected.
    """
    from scipy.optimize import brentq

    if passed == 0:
        return 0.0
    share = passed / read
    return float(
        brentq(lambda p: _gain(p, passed, read) + math.log(1 - confidence), 1e-12, share)
        if share < 1
        else math.exp((math.log(1 - confidence) - math.log(read + 1)) / read)
    )


def _gain(rate: float, passed: int, read: int) -> float:
    """The log of how much likelier the mixture is than one rate."""
    from scipy.special import betaln

    failed = read - passed
    said = passed * math.log(rate) + failed * math.log1p(-rate)
    return float(betaln(passed + 1, failed + 1)) - said


def passing(
    source: str, passed: int, read: int, *, rate: float = RATE, confidence: float = CONFIDENCE
) -> Passing:
    """How a source with so many read and passed stands."""
    low = always(passed, read, confidence) if read else 0.0
    upper = 1 - always(read - passed, read, confidence) if read else 1.0
    state = "reached" if low >= rate else "missed" if upper < rate else "open"
    ahead = 0
    if state == "open":
        least, most = 1, 1
        while always(passed + most, read + most, confidence) < rate and most < 1_000_000:
            least, most = most, most * 2
        while least < most:
            middle = (least + most) // 2
            enough = always(passed + middle, read + middle, confidence) >= rate
            least, most = (least, middle) if enough else (middle + 1, most)
        ahead = most
    share = passed / read if read else float("nan")
    low_fixed = exact(passed, read, confidence) if read else 0.0
    return Passing(source, read, passed, share, low_fixed, low, upper, state, ahead)


def standing(
    book: Book, round_: int, *, rate: float = RATE, confidence: float = CONFIDENCE
) -> list[Passing]:
    """How each source of a round stands.

    A record passes when nobody who decided it did anything but approve; gold items are no sample
    and don't count.
    """
    found = book.rows(
        "select source, count(*) as read, sum(fine) as passed from (select d.source,"
        f" d.record, min(d.action = 'approve') as fine from ({LATEST}) d"
        " join item using (round, record) where d.round = ? and item.gold = ''"
        " group by d.record) group by source order by source",
        "review",
        round_,
    )
    return [
        passing(one["source"], one["passed"], one["read"], rate=rate, confidence=confidence)
        for one in found
    ]
