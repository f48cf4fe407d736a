"""Which rows stand in which step: laid out before training, by a hash lottery.

So a run that goes on after a kill needs no state of a sampler, and each row comes once an epoch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

POOL = 32
"""Batches whose rows are sorted by length together: enough to spare nearly all padding, few enough
that an epoch stays mixed (this project's choice)."""


def order(lengths: Sequence[int], *, epochs: int, batch: int, seed: int, group: bool) -> list[int]:
    """The rows of all steps in sequence: each row once an epoch, batch after batch.

    A row's place in an epoch is the hash of seed, epoch and number. group: within every `POOL`
    batches, rows are sorted by length, and the batches then stand in drawn order again.
    """
    stream = [
        row for epoch in range(epochs) for row in _drawn(range(len(lengths)), f"{seed}/{epoch}")
    ]
    if not group:
        return stream
    out: list[int] = []
    for start in range(0, len(stream), batch * POOL):
        pool = sorted(stream[start : start + batch * POOL], key=lambda row: (lengths[row], row))
        last = len(pool) % batch
        rest, pool = pool[:last], pool[last:]
        batches = [pool[at : at + batch] for at in range(0, len(pool), batch)]
        for number in _drawn(range(len(batches)), f"{seed}/pool/{start}"):
            out += batches[number]
        out += rest
    return out


def _drawn(numbers: Sequence[int], key: str) -> list[int]:
    """Numbers in an order that is a hash of a key and each."""
    return sorted(numbers, key=lambda one: hashlib.blake2b(f"{key}/{one}".encode()).digest())
