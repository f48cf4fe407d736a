"""The candidates of a selection: what curate kept, dedup left and nobody rejected; where they lie.

Their order is that of the lottery, so that nothing depends on the order in which they were read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from cqia import answers, candidates, decisions, ledger, store
from cqia.errors import UserError
from cqia.record import TEXT
from cqia.sampling import lot
from cqia.selection.dense import Dense
from cqia.selection.grams import Grams
from cqia.workers import Progress

READ = 2_000
"""Characters of a record that its n-grams are made of (this project's choice)."""


def sources_of(work: Path) -> tuple[store.Facts, list[str], bool]:
    """What candidates depend on, the sources' names, and whether dedup ran.

    Raises:
        UserError: nothing was curated, or after duplicates were looked for.
    """
    names = ledger.curated(work)
    curated = {n: (store.manifest(work / "curate" / n) or {})["fingerprint"] for n in names}
    doubles = store.manifest(work / "dedup")
    if doubles and doubles.get("inputs", curated) != curated:
        raise UserError(
            "sources were curated after duplicates were looked for",
            where=str(work),
            mend=f"run: cqia dedup --work {work}",
        )
    inputs = {"curate": curated, "dedup": doubles and doubles["fingerprint"]}
    return inputs, names, bool(doubles)


class Pool(NamedTuple):
    """The candidates in the order of the lottery, those that people rejected, and two amounts."""

    table: pl.DataFrame
    rejected: pl.DataFrame
    duplicates: int
    kept: int


def pool(
    work: Path,
    names: list[str],
    *,
    ran: bool,
    writers: Sequence[str],
    seed: int,
    progress: Progress | None,
) -> Pool:
    """Look the candidates up, with what people decided of them."""
    decided = decisions.read(work)
    kept = candidates.read(
        work, names, prompts=False, writers=writers, decided=decided, progress=progress
    )
    table, doubled = candidates.without_duplicates(work, kept, ran=ran, decided=decided)
    table, rejected = decisions.without_rejected(table, decided)
    table = table.with_columns(lot(seed).alias("lot")).sort("lot", "id").with_row_index("row")
    return Pool(table, rejected, len(doubled), len(kept))


def of_texts(work: Path, names: list[str], table: pl.DataFrame, writers: Sequence[str]) -> Grams:
    """The candidates' n-grams, in the table's order."""
    decided, drafted = decisions.read(work), answers.drafted(work, writers)
    columns = ["id", *TEXT, "answer_from"]
    text = pl.concat_str(*TEXT, separator="\n", ignore_nulls=True).str.head(READ)
    wanted = table.select("id", place=pl.int_range(pl.len()))
    found = [pl.DataFrame(schema={"id": pl.String, "text": pl.String, "place": pl.Int64})]
    for name in names:
        for part in store.parts(work / "curate" / name):
            frame = answers.put(decisions.records(part, decided, columns), drafted)
            found.append(frame.select("id", text=text).join(wanted, on="id"))
    texts = pl.concat(found).sort("place")["text"]
    if len(texts) != len(table):
        raise RuntimeError(f"{len(texts)} texts of {len(table)} candidates")
    return Grams.of(texts)


def of_vectors(table: pl.DataFrame, vectors: pl.DataFrame) -> Dense:
    """The candidates' own vectors, in the table's order."""
    found = table.select("id").join(vectors, on="id", how="inner", maintain_order="left")
    rows = found["vector"].to_list()
    return Dense.of(np.array(rows, np.float64).reshape(len(rows), -1))
