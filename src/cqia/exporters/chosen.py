"""The assembled dataset as exporters read it: part by part, and the manifests that tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cqia import answers, decisions, ledger, store
from cqia.errors import UserError
from cqia.paper import TYPES
from cqia.record import SCHEMA

SPLITS = ("train", "validation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The dataset: its records part by part, and the manifests that say how it came to be."""

    work: Path
    facts: store.Facts
    """The manifest of assemble."""
    sources: tuple[store.Facts, ...]
    """The manifests of curate of the sources in the dataset, in the dataset's order."""
    duplicates: store.Facts | None
    """The manifest of dedup, where it ran."""
    drafted: pl.DataFrame
    """Answers of the named models, for records without one: `cqia.answers.drafted`."""
    decided: pl.DataFrame
    """What people decided: `cqia.decisions.read`."""

    def batches(self, source: str) -> Iterator[tuple[str, pl.DataFrame]]:
        """Batches of one source's records in the order read, by split.

        Their columns are those of `cqia.record.SCHEMA`, and `writer` (`cqia.answers.put`).
        """
        for part in store.parts(self.work / "curate" / source):
            records = decisions.records(part, self.decided, list(SCHEMA))
            wanted = ledger.told_of(self.work / "assemble" / "chosen.parquet", part)
            wanted = wanted.select("id", "split")
            found = records.join(wanted, on="id", how="inner", maintain_order="left")
            found = answers.put(found, self.drafted)
            for split in self.splits():
                if len(rows := found.filter(pl.col("split") == split)):
                    yield split, rows.drop("split")

    def splits(self) -> list[str]:
        """The splits that hold a record."""
        return [name for name in SPLITS if self.facts["splits"].get(name)]


def opened(work: Path) -> Chosen:
    """The dataset that was assembled.

    Raises:
        UserError: none was, or something was curated or deduplicated since.
    """
    facts = store.manifest(work / "assemble")
    if facts is None:
        raise UserError("nothing was assembled here", where=str(work), mend="run: cqia assemble")
    curated = {name: store.manifest(work / "curate" / name) or {} for name in ledger.curated(work)}
    doubles = store.manifest(work / "dedup")
    now = {
        "curate": {name: one["fingerprint"] for name, one in curated.items()},
        "dedup": doubles and doubles["fingerprint"],
    }
    if facts["inputs"] != now:
        raise UserError(
            "records were curated or deduplicated after this dataset was assembled",
            where=str(work),
            mend="run: cqia assemble",
        )
    written = answers.prints(work, facts["writers"])
    if facts["answers"] != written:
        raise UserError(
            "answers were drafted anew after this dataset was assembled",
            where=str(work),
            mend="run: cqia assemble",
        )
    decided = decisions.read(work)
    if facts["reviewed"] != decisions.mark(decided):
        raise UserError(
            "people decided of records after this dataset was assembled",
            where=str(work),
            mend="run: cqia assemble",
        )
    full = [one for name, one in curated.items() if facts["sources"][name]["records"]]
    order = list(TYPES)
    full.sort(key=lambda one: order.index(one["type"]) if one["type"] in order else len(order))
    return Chosen(
        work=work,
        facts=facts,
        sources=tuple(full),
        duplicates=doubles,
        drafted=answers.drafted(work, facts["writers"]),
        decided=decided,
    )
