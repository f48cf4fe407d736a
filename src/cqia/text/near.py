"""Near-duplicates: MinHash bands find candidates, the exact Jaccard similarity decides.

The index lives in files (`cqia.text.shards`) and keeps about 20 bytes a text in memory, however
many texts there are. Two texts collide in a band of r rows with probability s**r, in one of b bands
with 1 - (1 - s**r)**b (Leskovec, Rajaraman, Ullman, *Mining of Massive Datasets*, section 3.4); 42
bands of 6 find a pair at 0.7 with probability 0.995. No accepted pair rests on the estimate: each
is measured on its n-gram sets.

Pairs are the edges of a greedy forest over all like candidates, in the order of bands, hashes and
rows: an edge counts when its ends hang together by no earlier one. An edge that a piece of the
order refuses is refused by the whole order too, so pieces may be searched on different hosts, each
from the forest as far as it is known, and joined in order: the same pairs come out. Copies are told
by the first band, that of whole texts, and by no other, so that every piece skips the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from cqia.text.shards import Rows, Shards, Unit, units, write_shard, written
from cqia.text.shingles import MinHash
from cqia.workers import Workers, spread, width

PAIRS = pl.Schema({"a": pl.UInt32, "b": pl.UInt32, "similarity": pl.Float64})

__all__ = (
    "PAIRS",
    "MinHash",
    "NearIndex",
    "Shards",
    "clusters",
    "search",
    "write_shard",
    "written",
)

BUDGET = 64 << 20
_BLOCK_ROWS = 16_384
_BLOCK_BYTES = 64 << 20
_SKETCH_CHANCE = 1 / 256


def clusters(count: int, pairs: pl.DataFrame) -> pl.Series:
    """The cluster of each of `count` rows, named by its least row: the connected components."""
    from cqia.text.minhash import roots, unite

    parent = np.arange(count, dtype=np.uint32)
    unite(parent, pairs["a"].to_numpy(), pairs["b"].to_numpy())
    roots(parent)
    return pl.Series("cluster", parent)


class NearIndex:
    """Texts in files under `folder`, searched for near-duplicates. What stood there is replaced.

    Texts come as matching views. Results depend on the texts and their order only, neither on how
    they were cut into batches nor on `budget`.

    Args:
        folder: where the files go; 0.6 KB a text beside the text itself.
        minhash: how texts become keys.
        budget: bytes for the keys of one band; with more texts a band takes several passes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        minhash: MinHash | None = None,
        budget: int = BUDGET,
    ) -> None:
        self._folder = folder
        self._minhash = minhash or MinHash()
        self._budget = budget
        self._sizes: list[int] = []

    @property
    def count(self) -> int:
        """The texts so far."""
        return sum(self._sizes)

    def add(self, text: pl.Series) -> None:
        """Append a batch; its rows are numbered on from those before."""
        number = len(self._sizes)
        size = write_shard(self._folder, number, text, self._minhash)
        self._sizes.append(size)

    def pairs(self, threshold: float = 0.7) -> pl.DataFrame:
        """As `search` over all that was added."""
        shards = Shards(folder=self._folder, sizes=tuple(self._sizes), minhash=self._minhash)
        return search(shards, threshold, budget=self._budget)


def search(
    shards: Shards, threshold: float = 0.7, *, budget: int = BUDGET, workers: Workers = 1
) -> pl.DataFrame:
    """Verified pairs a < b with their exact similarity, enough of them to join every cluster.

    A pair whose texts are joined already through others is not measured and not listed:
    `clusters(shards.count, pairs)` is what listing all of them would give.

    Args:
        shards: what is searched.
        threshold: smallest Jaccard similarity, 0-1.
        budget: bytes for the keys of one band; with more texts a band takes several passes.
        workers: a cluster searches as many pieces at a time as it has cores; processes of this
            machine are not used, since each piece profits from what the one before it joined.
    """
    parent = np.arange(shards.count, dtype=np.uint32)
    copies = np.zeros(shards.count, np.bool_)
    wanted = units(shards, budget)
    first = [one for one in wanted if one.band == 0]
    found: list[pl.DataFrame] = []
    for wave in (first, wanted[len(first) :]):
        found += _search(shards, wave, threshold, parent, copies, workers)
    return pl.concat([PAIRS.to_frame(), *found]).sort("a", "b")


def _search(
    shards: Shards,
    wanted: list[Unit],
    threshold: float,
    parent: npt.NDArray[np.uint32],
    copies: npt.NDArray[np.bool_],
    workers: Workers,
) -> Iterator[pl.DataFrame]:
    wide = width(workers)
    if wide < 2:
        for unit in wanted:
            seen = copies.copy()
            yield from _Search(shards, threshold, parent, seen).unit(unit)
            if unit.band == 0:
                copies |= seen
        return
    for at in range(0, len(wanted), wide):
        yield from _wave(shards, wanted[at : at + wide], threshold, parent, copies, workers)


def _wave(
    shards: Shards,
    wave: list[Unit],
    threshold: float,
    parent: npt.NDArray[np.uint32],
    copies: npt.NDArray[np.bool_],
    workers: Workers,
) -> Iterator[pl.DataFrame]:
    """Search some pieces side by side, each from the forest so far; join what they found."""
    from cqia.text.minhash import unite

    folder = shards.folder / f"band-{wave[0].band}-{wave[0].low}"
    folder.mkdir(exist_ok=True)
    np.save(folder / "parent.npy", parent)
    np.save(folder / "copies.npy", copies)
    jobs = [(shards, unit, threshold, str(folder), place) for place, unit in enumerate(wave)]
    for _ in spread(_piece, jobs, workers):
        pass
    for place in range(len(wave)):
        pairs = pl.read_ipc(folder / f"{place}.pairs")
        yield pairs.filter(unite(parent, pairs["a"].to_numpy(), pairs["b"].to_numpy()))
        if wave[0].band == 0:
            copies[np.load(folder / f"{place}.copies.npy")] = True


def _piece(shards: Shards, unit: Unit, threshold: float, where: str, place: int) -> str:
    """Search one piece, from and into files."""
    folder = Path(where)
    parent = np.load(folder / "parent.npy")
    before = np.load(folder / "copies.npy")
    copies = before.copy()
    found = list(_Search(shards, threshold, parent, copies).unit(unit))
    pl.concat([PAIRS.to_frame(), *found]).write_ipc(folder / f"{place}.pairs")
    np.save(folder / f"{place}.copies.npy", np.flatnonzero(copies & ~before))
    return f"band {unit.band}"


@dataclass(frozen=True, slots=True)
class _Search:
    """A search: where the texts stand, and the forest so far, which it lets grow.

    copies: rows that are no longer looked at; later rows of byte-equal texts are marked in it.
    """

    shards: Shards
    threshold: float
    parent: npt.NDArray[np.uint32]
    copies: npt.NDArray[np.bool_]

    def unit(self, unit: Unit) -> Iterator[pl.DataFrame]:
        from cqia.text.minhash import open_buckets

        keys = self.shards.keys(unit.band, unit.low, unit.high, self.copies)
        members, bounds = open_buckets(keys, np.uint64(self.shards.bits), self.parent)
        if len(members):
            yield from self.buckets(members, bounds)

    def buckets(self, members: Rows, bounds: Rows) -> Iterator[pl.DataFrame]:
        """Compare within every bucket; halve what does not fit into memory at once."""
        if len(members) > _BLOCK_ROWS and len(bounds) > 2:
            yield from self.halves(members, bounds)
            return
        heads = self.shards.heads(members)
        fits = int((heads["stop"] - heads["start"]).sum()) <= _BLOCK_BYTES
        if len(bounds) > 2 and not fits:
            yield from self.halves(members, bounds)
        elif len(members) > 4 and not fits:
            for pair in combinations(np.array_split(members, 4), 2):
                part = np.concatenate(pair)
                yield from self.buckets(part, np.array([0, len(part)]))
        else:
            yield self.compare(members, bounds, heads)

    def halves(self, members: Rows, bounds: Rows) -> Iterator[pl.DataFrame]:
        middle = len(bounds) // 2
        cut = bounds[middle]
        yield from self.buckets(members[:cut], bounds[: middle + 1])
        yield from self.buckets(members[cut:], bounds[middle:] - cut)

    def compare(self, members: Rows, bounds: Rows, heads: npt.NDArray[np.void]) -> pl.DataFrame:
        from cqia.text.minhash import connect

        minhash = self.shards.minhash
        data, offsets = self.shards.texts(heads, members)
        a, b, similarity = connect(
            members,
            bounds,
            data,
            offsets,
            np.ascontiguousarray(heads["sketch"]),
            self.parent,
            self.copies,
            minhash.ngram,
            self.threshold,
            _floor(self.threshold, minhash.permutations),
        )
        return pl.DataFrame({"a": a, "b": b, "similarity": similarity}, schema=PAIRS)


def _floor(threshold: float, permutations: int) -> float:
    """Least number of equal sketch bytes: four standard errors below the threshold's expectation.

    A byte agrees with probability s + (1 - s) / 256. Four is this project's choice: it loses one
    pair in thirty thousand at the threshold, fewer above.
    """
    share = threshold + (1 - threshold) * _SKETCH_CHANCE
    return permutations * share - 4 * math.sqrt(permutations * share * (1 - share))
