"""Do reviewers say the same? Every pair, all together, with intervals, over a round's overlap."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import NamedTuple

from cqia.reviewing.book import Book, Row
from cqia.reviewing.queue import LATEST
from cqia.statistics.agreement import Agreement, cohen, fleiss, krippendorff

Ratings = dict[str, dict[str, str]]
"""Record -> name -> action."""


class Measured(NamedTuple):
    """A measure of agreement: its name, who, and its value."""

    measure: str
    who: str
    found: Agreement


def ratings(book: Book, round_: int) -> Ratings:
    """What each person did with each record of a round that several people decided."""
    found: Ratings = {}
    rows: list[Row] = book.rows(f"select * from ({LATEST}) where round = ?", "review", round_)
    for row in rows:
        found.setdefault(row["record"], {})[row["name"]] = row["action"]
    return {record: said for record, said in sorted(found.items()) if len(said) > 1}


def measure(said: Ratings) -> list[Measured]:
    """Cohen's kappa of each pair, Fleiss' kappa and Krippendorff's alpha of all.

    Fleiss' kappa wants equally many raters an item: it is of the records that the commonest number
    of people decided, the others are left out and counted.
    """
    names = sorted({name for one in said.values() for name in one})
    found = []
    for a, b in itertools.combinations(names, 2):
        first = [one.get(a) for one in said.values()]
        second = [one.get(b) for one in said.values()]
        if any(x is not None and y is not None for x, y in zip(first, second, strict=True)):
            found.append(Measured("Cohen", f"{a} × {b}", cohen(first, second)))
    if not said:
        return found
    size = max(Counter(len(one) for one in said.values()).items(), key=lambda one: (one[1], one[0]))
    even = [
        sorted(one.values()) if len(one) == size[0] else [None] * size[0] for one in said.values()
    ]
    found.append(Measured("Fleiss", f"{size[0]}", fleiss(even)))
    kinds = {kind: float(n) for n, kind in enumerate(sorted(set(_all(said))))}
    table = [[kinds[one[n]] if n in one else None for n in names] for one in said.values()]
    found.append(Measured("Krippendorff", f"{len(names)}", krippendorff(table)))
    return found


def _all(said: Ratings) -> list[str]:
    return [action for one in said.values() for action in one.values()]
