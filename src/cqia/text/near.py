"""Near-duplicates: MinHash bands find candidates, the exact Jaccard similarity decides.

The index lives in files (texts, sketches, one key file a band) and keeps about 20 bytes a text in
memory, however many texts there are. Two texts collide in a band of r rows with probability
s**r, in one of b bands with 1 - (1 - s**r)**b (Leskovec, Rajaraman, Ullman, *Mining of Massive
Datasets*, section 3.4); 42 bands of 6 find a pair at 0.7 with probability 0.995. No accepted pair
rests on the estimate: each is measured on its n-gram sets.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from cqia.text.buffers import flat
from cqia.text.shingles import MinHash

Rows = npt.NDArray[np.int64]
PAIRS = pl.Schema({"a": pl.UInt32, "b": pl.UInt32, "similarity": pl.Float64})

__all__ = ("PAIRS", "MinHash", "NearIndex", "clusters")

_ADD_ROWS = 4_096
_READ_KEYS = 1 << 20
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
    they were cut into batches nor on `threads` or `budget`.

    Args:
        folder: where the files go; 1.5 KB a text of 600 Chinese characters beside the text itself.
        minhash: how texts become keys.
        budget: bytes for the keys of one band; with more texts a band takes several passes.
        threads: how many signatures are computed at a time.
    """

    def __init__(
        self,
        folder: Path,
        *,
        minhash: MinHash | None = None,
        budget: int = 256 << 20,
        threads: int = 1,
    ) -> None:
        self.count = 0
        self._minhash = minhash or MinHash()
        self._budget = budget
        self._threads = threads
        self._head = np.dtype(
            [("start", "<u8"), ("stop", "<u8"), ("sketch", "u1", self._minhash.permutations)]
        )
        self._end = 0
        self._files = ExitStack()
        folder.mkdir(parents=True, exist_ok=True)
        self._texts = self._open(folder / "texts")
        self._heads = self._open(folder / "heads")
        self._keys = [self._open(folder / f"keys-{n}") for n in range(1 + self._minhash.bands)]

    def _open(self, path: Path) -> BinaryIO:
        return self._files.enter_context(path.open("w+b"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; they are scratch and may be deleted."""
        self._files.close()

    def add(self, text: pl.Series) -> None:
        """Append a batch; its rows are numbered on from those before."""
        parts = [text.slice(at, _ADD_ROWS) for at in range(0, len(text), _ADD_ROWS)]
        with ThreadPoolExecutor(self._threads) as pool:
            for part, (keys, sketch) in zip(
                parts, pool.map(self._minhash.keys, parts), strict=True
            ):
                self._append(part, keys, sketch)

    def _append(
        self, text: pl.Series, keys: npt.NDArray[np.uint32], sketch: npt.NDArray[np.uint8]
    ) -> None:
        data, offsets = flat(text)
        places = offsets - offsets[0] + self._end
        head = np.empty(len(text), self._head)
        head["start"], head["stop"], head["sketch"] = places[:-1], places[1:], sketch
        self._texts.write(data[offsets[0] : offsets[-1]].tobytes())
        self._heads.write(head.tobytes())
        for file, row in zip(self._keys, keys, strict=True):
            file.write(row.tobytes())
        self._end = int(places[-1])
        self.count += len(text)

    def pairs(self, threshold: float = 0.7) -> pl.DataFrame:
        """Verified pairs a < b with their exact similarity, enough of them to join every cluster.

        A pair whose texts are joined already through others is not measured and not listed:
        `clusters(index.count, pairs)` is what listing all of them would give.
        """
        for file in (self._texts, self._heads, *self._keys):
            file.flush()
        search = _Search(
            head=self._head,
            heads=self._heads.fileno(),
            texts=self._texts.fileno(),
            parent=np.arange(self.count, dtype=np.uint32),
            copies=np.zeros(self.count, np.bool_),
            ngram=self._minhash.ngram,
            threshold=threshold,
            floor=_floor(threshold, self._minhash.permutations),
        )
        found = [frame for keys in self._bands(search) for frame in search.band(keys)]
        return pl.concat([PAIRS.to_frame(), *found]).sort("a", "b")

    def _bands(self, search: _Search) -> Iterator[npt.NDArray[np.uint64]]:
        """Sorted `hash << 32 | row` of one band after another, in passes by range of the hash."""
        passes = max(1, math.ceil(8 * self.count / self._budget))
        edges = np.linspace(0, 1 << 32, passes + 1).astype(np.uint64)
        for file in self._keys:
            for low, high in pairwise(edges):
                keys = np.concatenate(list(self._read(file, low, high, search.copies)))
                keys.sort()
                yield keys

    def _read(
        self, file: BinaryIO, low: np.uint64, high: np.uint64, copies: npt.NDArray[np.bool_]
    ) -> Iterator[npt.NDArray[np.uint64]]:
        from cqia.text.minhash import EMPTY

        yield np.empty(0, np.uint64)
        for start in range(0, self.count, _READ_KEYS):
            raw = os.pread(file.fileno(), 4 * _READ_KEYS, 4 * start)
            key = np.frombuffer(raw, np.uint32).astype(np.uint64)
            keep = (key >= low) & (key < high) & (key != EMPTY)
            keep &= ~copies[start : start + len(key)]
            row = np.flatnonzero(keep).astype(np.uint64)
            yield key[keep] << np.uint64(32) | (row + np.uint64(start))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """One run over the bands: the clusters so far, and the files the texts are read from."""

    head: np.dtype[np.void]
    heads: int
    texts: int
    parent: npt.NDArray[np.uint32]
    copies: npt.NDArray[np.bool_]
    ngram: int
    threshold: float
    floor: float

    def band(self, keys: npt.NDArray[np.uint64]) -> Iterator[pl.DataFrame]:
        from cqia.text.minhash import open_buckets

        members, bounds = open_buckets(keys, self.parent)
        if len(members):
            yield from self.buckets(members, bounds)

    def buckets(self, members: Rows, bounds: Rows) -> Iterator[pl.DataFrame]:
        """Compare within every bucket; halve what does not fit into memory at once."""
        if len(members) > _BLOCK_ROWS and len(bounds) > 2:
            yield from self.halves(members, bounds)
            return
        heads = self.read_heads(members)
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

    def read_heads(self, members: Rows) -> npt.NDArray[np.void]:
        size = self.head.itemsize
        raw = b"".join(os.pread(self.heads, size, size * row) for row in members.tolist())
        return np.frombuffer(raw, self.head)

    def compare(self, members: Rows, bounds: Rows, heads: npt.NDArray[np.void]) -> pl.DataFrame:
        from cqia.text.minhash import connect

        places = zip(heads["start"].tolist(), heads["stop"].tolist(), strict=True)
        texts = b"".join(os.pread(self.texts, stop - start, start) for start, stop in places)
        a, b, similarity = connect(
            members,
            bounds,
            np.frombuffer(texts, np.uint8),
            np.concatenate([[0], np.cumsum(heads["stop"] - heads["start"])]).astype(np.int64),
            np.ascontiguousarray(heads["sketch"]),
            self.parent,
            self.copies,
            self.ngram,
            self.threshold,
            self.floor,
        )
        return pl.DataFrame({"a": a, "b": b, "similarity": similarity}, schema=PAIRS)


def _floor(threshold: float, permutations: int) -> float:
    """Least number of equal sketch bytes: four standard errors below the threshold's expectation.

    A byte agrees with probability s + (1 - s) / 256. Four is this project's choice: it loses one
    pair in thirty thousand at the threshold, fewer above.
    """
    share = threshold + (1 - threshold) * _SKETCH_CHANCE
    return permutations * share - 4 * math.sqrt(permutations * share * (1 - share))
