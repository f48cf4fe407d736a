"""Choose what covers the rest best: facility location, by lazy greedy.

A choice S is worth the sum, over all records i, of the highest q_j s_ij of its members j: how like
a chosen record is, times that one's quality. That function is monotone and submodular, so the
greedy choice reaches at least 1 - 1/e of the best (Nemhauser, Wolsey and Fisher 1978), and a gain
never grows, so most need not be computed again (Minoux 1978). Greedy gain over a graph of
neighbours, weighed by quality, is the idea of MIG (arXiv 2504.13835), whose graph is one of labels;
here records are each other's labels, so nothing has to be labelled.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np

from cqia.selection.space import Array, Floats, Rows, Space

NEIGHBOURS = 32
"""Neighbours of a record that it can cover or be covered by (this project's choice)."""


class Cover(NamedTuple):
    """The chosen rows in order, what each added, and what every row would still add at the end."""

    rows: Rows
    gains: Floats
    left: Floats


def cover(space: Space, quality: Floats, amount: int) -> Cover:
    """Choose rows.

    Args:
        space: where they lie.
        quality: of each, above 0 and at most 1.
        amount: how many; at most all.
    """
    from cqia.selection.kernels import covered, gain

    starts, reached, values = _graph(space, quality)
    best = np.zeros(space.count)
    bounds = [(-gain(starts, reached, values, best, row), row) for row in range(space.count)]
    heapq.heapify(bounds)
    rows: list[int] = []
    gains: list[float] = []
    while bounds and len(rows) < amount:
        _, row = bounds[0]
        now = -gain(starts, reached, values, best, row)
        if (now, row) > min(bounds[1:3], default=(np.inf, 0)):
            heapq.heapreplace(bounds, (now, row))
            continue
        heapq.heappop(bounds)
        covered(starts, reached, values, best, row)
        rows.append(row)
        gains.append(-now)
    left = np.array([gain(starts, reached, values, best, row) for row in range(space.count)])
    return Cover(np.array(rows, np.int64), np.array(gains, np.float64), left)


def _graph(space: Space, quality: Floats) -> tuple[Array, Array, Array]:
    """What each row reaches and how well: its neighbours, those whose neighbour it is, itself."""
    who, near = space.closest(NEIGHBOURS)
    of = np.repeat(np.arange(space.count), who.shape[1])
    real = who.ravel() >= 0
    a, b, similar = of[real], who.ravel()[real].astype(np.int64), near.ravel()[real]
    self = np.arange(space.count)
    edge = np.concatenate([a * space.count + b, b * space.count + a, self * (space.count + 1)])
    values = np.concatenate([similar, similar, np.ones(space.count, np.float32)])
    edge, first = np.unique(edge, return_index=True)
    source = edge // space.count
    starts = np.searchsorted(source, np.arange(space.count + 1))
    return (
        starts,
        edge % space.count,
        np.minimum(values[first].astype(np.float64), 1) * quality[source],
    )
