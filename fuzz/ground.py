"""What targets share: a folder for their files, edited samples, the way from file to records."""

from __future__ import annotations

import atexit
import contextlib
import functools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from cqia.raw.faults import Batch
from cqia.raw.files import kind_of
from cqia.raw.plan import plan, read
from cqia.recipe import apply
from cqia.sources.base import Form, Source
from cqia.stages.curate import records_of
from fuzz.draw import Draw
from fuzz.target import hold

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
LARGEST = 20_000
"""Bytes of the largest sample that is edited."""


@functools.cache
def folder() -> Path:
    """A folder that is gone when the process ends."""
    held = tempfile.TemporaryDirectory(prefix="fuzz-")
    atexit.register(held.cleanup)
    return Path(held.name)


def placed(name: str, body: bytes) -> str:
    """A file with these bytes; its path."""
    path = folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return str(path)


@functools.cache
def samples(name: str, kind: str) -> tuple[bytes, ...]:
    """The project's own samples of a source, of one kind and not packed; at least one, empty."""
    found = [
        path.read_bytes()[:LARGEST]
        for path in sorted((SAMPLES / name).glob("*"))
        if path.is_file() and kind_of(path.name) == kind and path.suffix not in (".gz", ".zst")
    ]
    return (b"", *found[:6])


def edited(draw: Draw, body: bytes) -> bytes:
    """Some bytes with a few places cut out, doubled, or filled with pieces of hostile text."""
    for _ in range(draw.below(7)):
        place = draw.below(max(len(body), 1)) if len(body) < 65_536 else draw.below(65_536)
        span = draw.byte()
        put = draw.text(4).encode("utf-8", "ignore")
        how = draw.below(4)
        if how == 0:
            body = body[:place] + body[place + span :]
        elif how == 1:
            body = body[:place] + body[place : place + span] * 3 + body[place + span :]
        elif how == 2:
            body = body[:place] + put + body[place:]
        else:
            body = body[:place] + put + body[place + span :]
    return body[: 4 * LARGEST]


class Told(NamedTuple):
    """What reading a file came to."""

    items: int
    bad: int


def batches(
    file: str, kind: str, schema: pl.Struct | None, header: tuple[str, ...] = ()
) -> list[Batch]:
    """All batches of a file, each held to the form that batches have."""
    found = []
    for task in plan([file], [kind]):
        for batch in read(task, schema, header):
            held(batch)
            found.append(batch)
    return found


def held(batch: Batch) -> None:
    """Hold that every item and every bad row has its place."""
    for frame in batch:
        hold(not frame["file"].null_count(), "every row names its file")
        hold(not frame["row"].null_count(), "every row has its number")
    hold(not batch.bad["reason"].null_count(), "a bad row says why")


def curated(source: Source, form: Form, file: str, *, steps: bool = True) -> Told:
    """Read a file as a source does, and hold that nothing is lost on the way."""
    items = bad = 0
    for batch in batches(file, form.kind, form.schema):
        records, faults = records_of(batch, source, form)
        hold(records["id"].n_unique() == len(records), "ids are unique in a batch")
        hold(len(faults) >= len(batch.bad), "bad rows stay bad")
        if steps:
            outcome = apply(records, source.steps)
            both = len(outcome.kept) + len(outcome.dropped)
            hold(both == len(records) == len(outcome.measures), "read = kept + dropped")
        items += len(batch.items)
        bad += len(batch.bad)
    return Told(items, bad)


@contextlib.contextmanager
def changed(place: object, **values: object) -> Iterator[None]:
    """Other constants in a module until the block ends."""
    before = {name: getattr(place, name) for name in values}
    for name, value in values.items():
        setattr(place, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(place, name, value)
