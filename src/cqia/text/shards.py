"""The files of a near-duplicate index: shards of texts, sketches and band keys.

A shard is written by whoever has its texts, in this process or on another host, and read by
whoever searches: nothing of it is in memory in between. Rows are numbered through all shards.
"""

from __future__ import annotations

import math
import mmap
import os
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from cqia.text.buffers import Bytes, Offsets, flat
from cqia.text.shingles import MinHash

Rows = npt.NDArray[np.int64]
_ADD_ROWS = 4_096
_AROUND = 64 << 10


def write_shard(folder: Path, number: int, text: pl.Series, minhash: MinHash) -> int:
    """Write the shard `number` of an index; returns its rows.

    Args:
        folder: where the index stands; 0.6 KB a text beside the text.
        number: the shard's place among all.
        text: matching views.
        minhash: how texts become keys.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [_place(folder, number, kind) for kind in ("texts", "heads", "keys")]
    own = [path.with_name(f"{path.name}.{socket.gethostname()}-{os.getpid()}") for path in paths]
    keys = np.empty((1 + minhash.bands, len(text)), np.uint64)
    slices = [text.slice(at, _ADD_ROWS) for at in range(0, len(text), _ADD_ROWS)]
    at, end = 0, 0
    with own[0].open("wb") as texts, own[1].open("wb") as heads:
        for part in slices:
            found, sketch = minhash.keys(part)
            data, offsets = flat(part)
            places = offsets - offsets[0] + end
            head = np.empty(len(part), _head(minhash))
            head["start"], head["stop"], head["sketch"] = places[:-1], places[1:], sketch
            texts.write(data[offsets[0] : offsets[-1]].tobytes())
            heads.write(head.tobytes())
            keys[:, at : at + len(part)] = found
            at, end = at + len(part), int(places[-1])
    own[2].write_bytes(keys.tobytes())
    for mine, path in zip(own, paths, strict=True):
        mine.replace(path)
    return len(text)


def written(folder: Path, number: int) -> bool:
    """Whether the shard `number` stands there whole."""
    return _place(folder, number, "keys").exists()


def _place(folder: Path, number: int, kind: str) -> Path:
    return folder / f"{number:06d}.{kind}"


def _copy(path: Path, starts: Offsets, places: Rows, offsets: Offsets, out: Bytes) -> None:
    """Copy to `out[offsets[p]:offsets[p + 1]]`, for each place p, a file's bytes from `starts[p]`.

    Few spans are read one by one; for many the file is mapped, since the kernel brings `_AROUND`
    bytes with each page. The map ends with the call, so that no page stays resident.
    """
    from cqia.text.minhash import gather

    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if len(places) * _AROUND < size:
            number, room = file.fileno(), out.data
            ends = offsets[places + 1].tolist()
            spans = zip(starts[places].tolist(), offsets[places].tolist(), ends, strict=True)
            for start, first, end in spans:
                room[first:end] = os.pread(number, end - first, start)
        elif size:
            pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            gather(np.frombuffer(pages, np.uint8), starts, places, offsets, out)


def _head(minhash: MinHash) -> np.dtype[np.void]:
    return np.dtype([("start", "<u8"), ("stop", "<u8"), ("sketch", "u1", minhash.permutations)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """An index as it is read: the rows of all its shards, numbered on from one to the next."""

    folder: Path
    sizes: tuple[int, ...]
    """Rows of each shard."""
    minhash: MinHash

    @property
    def count(self) -> int:
        """All rows."""
        return sum(self.sizes)

    @property
    def bits(self) -> int:
        """What a row's number takes of a key; the rest is as much of its hash as there is room."""
        return max(1, (self.count - 1).bit_length())

    def keys(
        self, band: int, low: int, high: int, copies: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.uint64]:
        """Sorted keys of a band, a hash above a row's bits: hashes from low to high, no copies."""
        from cqia.text.minhash import sort_hashes

        found, end = np.empty(self.count, np.uint64), 0  # takes memory as far as it is written
        for key in self._keys(band, low, high, copies):
            found[end : end + len(key)] = key
            end += len(key)
        return sort_hashes(found[:end], np.empty(end, np.uint64), self.bits)

    def _keys(
        self, band: int, low: int, high: int, copies: npt.NDArray[np.bool_]
    ) -> Iterator[npt.NDArray[np.uint64]]:
        from cqia.text.minhash import EMPTY

        at = 0
        for number, size in enumerate(self.sizes):
            with _place(self.folder, number, "keys").open("rb") as file:
                file.seek(8 * size * band)
                key = np.fromfile(file, np.uint64, size)
            keep = (key >= low) & (key <= high) & (key != EMPTY) & ~copies[at : at + size]
            row = np.flatnonzero(keep).astype(np.uint64) + np.uint64(at)
            bits = np.uint64(self.bits)
            yield key[keep] >> bits << bits | row
            at += size

    def heads(self, members: Rows) -> npt.NDArray[np.void]:
        """Where each row's text stands in its shard, and its sketch."""
        out = np.empty(len(members), _head(self.minhash))
        size = out.dtype.itemsize
        starts = np.empty(len(members), np.int64)
        for number, places, rows in self._by_shard(members):
            starts[places] = size * rows
            file = _place(self.folder, number, "heads")
            _copy(file, starts, places, size * np.arange(len(out) + 1), out.view(np.uint8))
        return out

    def texts(self, heads: npt.NDArray[np.void], members: Rows) -> tuple[Bytes, Offsets]:
        """The rows' texts end to end, as UTF-8, and n + 1 offsets into them."""
        offsets = np.concatenate([[0], np.cumsum(heads["stop"] - heads["start"])]).astype(np.int64)
        out = np.empty(offsets[-1], np.uint8)
        starts = heads["start"].astype(np.int64)
        for number, places, _ in self._by_shard(members):
            _copy(_place(self.folder, number, "texts"), starts, places, offsets, out)
        return out, offsets

    def _by_shard(self, members: Rows) -> Iterator[tuple[int, Rows, Rows]]:
        """Each shard that has some of the rows: its number, their places, their rows in it."""
        bases = np.cumsum([0, *self.sizes])
        shard = np.searchsorted(bases, members, side="right") - 1
        order = np.argsort(shard, kind="stable")
        numbers, firsts = np.unique(shard[order], return_index=True)
        for number, (start, stop) in zip(
            numbers.tolist(), pairwise([*firsts.tolist(), len(members)]), strict=True
        ):
            places = order[start:stop]
            yield number, places, members[places] - bases[number]


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of a search: one band's keys whose hash lies between low and high, both included."""

    band: int
    low: int
    high: int


def units(shards: Shards, budget: int) -> list[Unit]:
    """All pieces of a search, the whole texts' own band first.

    Args:
        shards: what is searched.
        budget: bytes for the keys of one piece and for sorting them; with more texts a band takes
            several.
    """
    passes = max(1, math.ceil(16 * shards.count / budget))
    edges = [(1 << 64) * at // passes for at in range(passes + 1)]
    bands: Sequence[int] = range(1 + shards.minhash.bands)
    return [Unit(band, low, high - 1) for band in bands for low, high in pairwise(edges)]
