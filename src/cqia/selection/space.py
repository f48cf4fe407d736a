"""Where records lie to one another: what the methods that look for diversity ask of it."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]


class Spread(NamedTuple):
    """What a greedy pass looked at, in its order, and what it took of that.

    nearest, who: of each row looked at, the highest similarity to one taken before it, and that
    row; 0 and -1 when nothing was taken yet or nothing is like it.
    """

    seen: Rows
    taken: npt.NDArray[np.bool_]
    nearest: Floats
    who: Rows


class Space(Protocol):
    """Similarities of rows, 0 to 1; no n x n table of them is ever made."""

    @property
    def count(self) -> int:
        """How many rows there are."""
        ...

    def spread(self, order: Rows, amount: int, bound: float) -> Spread:
        """Take rows in order, unless one that is taken is as similar as `bound` or more."""
        ...

    def closest(self, most: int, *, among: Rows | None = None) -> tuple[Array, Array]:
        """Of every row the most similar rows and their similarities, the most similar first.

        most: how many; where there are fewer, the row is -1 and the similarity 0. among: only
        these rows, a row itself included; None: all, a row itself not.
        """
        ...
