"""What one row of a statement is trained on: a draw from the assembled dataset, or a control of it.

    dataset = training_records(work)
    drawn = draw_subset(dataset, subset, amount=900, unit="records", seed=1)

Draws are lotteries by hash of seed and id, so that a row's records depend on nothing else. Controls
are made from the drawn records: `shuffle` puts the characters of every answer into a random order,
`swap` gives every prompt the answer of another one. Neither may help a model, and a statement in
which one does says something of its own making.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl
import polars_hash as plh

from cqia import store
from cqia.answers import family_of
from cqia.errors import UserError
from cqia.exporters.chosen import opened
from cqia.sampling import lot, shares
from cqia.stages.assemble import Take
from cqia.statement import Subset
from cqia.training.budget import Drawn as Budgeted
from cqia.training.budget import Unit, draw

COLUMNS = (
    "id", "source", "question", "instruction", "input", "output", "system", "history",
    "writer",
)  # fmt: skip
"""Columns of the dataset's batches that training needs."""


class Drawn(NamedTuple):
    """A row's records (COLUMNS), and what is to be told of the draw."""

    records: pl.DataFrame
    facts: store.Facts


def records_of(work: Path, split: str, sources: Iterable[str] = ()) -> pl.DataFrame:
    """The assembled dataset's records of a split, in the order read: COLUMNS and `family`.

    Raises:
        UserError: nothing was assembled, or the split is empty.
    """
    chosen = opened(work)
    wanted = set(sources)
    frames = [
        frame.select(*COLUMNS, family=pl.lit(facts["family"]))
        for facts in chosen.sources
        if not wanted or facts["source"] in wanted
        for name, frame in chosen.batches(facts["source"])
        if name == split
    ]
    if not frames:
        raise UserError(
            f"the dataset has no {split} records",
            where=str(work),
            mend="hold some out: [assemble] validation = 0.1" if split != "train" else "",
        )
    return pl.concat(frames)


def draw_subset(
    dataset: pl.DataFrame,
    subset: Subset,
    *,
    amount: int | None,
    unit: Unit,
    repeat: bool,
    seed: int,
) -> Drawn:
    """Draw a subset's records.

    Args:
        dataset: records of COLUMNS; with `answer_tokens` where the unit is tokens.
        subset: what is wanted.
        amount: how many, in `unit`; None: all.
        unit: records, tokens (of answers) or all.
        repeat: go through a source again that is smaller than the amount.
        seed: of the lottery and the control.

    A share of a mixture that is smaller than its source's largest answer is left out, and told as
    short: a record is never cut.

    Raises:
        UserError: a source of the subset has no records, or no share holds one.
    """
    frames, told = [], []
    for sources, part, unit_ in _pools(dataset, subset, amount, unit):
        pool = dataset.filter(pl.col("source").is_in(sources)) if sources else dataset
        if not len(pool):
            raise UserError(f"subset {subset.name!r}: the dataset has nothing of {sources}")
        if part == 0:
            continue
        tokens = pool["answer_tokens"] if unit_ == "tokens" else None
        if subset.weights and tokens is not None and (part or 0) < max(tokens):
            told.append({"sources": list(sources), "unit": unit_, "wanted": part, "got": 0})
            told[-1]["short"] = part
            continue
        found = draw(pool, amount=part, unit=unit_, seed=seed, repeat=repeat, tokens=tokens)
        frames.append(found.records)
        told.append(_told(sources, found, pool))
    if not frames:
        raise UserError(
            f"subset {subset.name!r}: every share is smaller than a record",
            mend="name a larger amount",
        )
    records = pl.concat(frames)
    facts = {"draws": told, "records": len(records), "control": subset.control, "kind": subset.kind}
    return Drawn(controlled(records, subset.control, seed), facts)


def _told(sources: tuple[str, ...], found: Budgeted, pool: pl.DataFrame) -> store.Facts:
    """What is to be told of one pool's draw."""
    return {
        "sources": list(sources),
        "available": len(pool),
        "unit": found.unit,
        "wanted": found.wanted,
        "got": found.got,
        "short": found.short,
        "seen": {str(times): count for times, count in found.seen.items()},
    }


def with_tokens(records: pl.DataFrame, base: Path) -> pl.DataFrame:
    """The records with `answer_tokens`: how many tokens a base's tokenizer makes of each answer."""
    from cqia.training.chat import opened as chat_opened

    tokenizer = chat_opened(base).tokenizer
    texts = records["output"].to_list()
    found = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
    lengths = [len(ids) for ids in found]
    return records.with_columns(pl.Series("answer_tokens", lengths, pl.Int64))


def _pools(
    dataset: pl.DataFrame, subset: Subset, amount: int | None, unit: Unit
) -> list[tuple[tuple[str, ...], int | None, Unit]]:
    """The pools that a subset is drawn from: sources, amount and its unit."""
    if subset.takes:
        return [
            (_of(dataset, take), take.amount, "records" if take.amount else "all")
            for take in subset.takes
        ]
    if subset.weights:
        parts = shares(amount or len(dataset), [share for _, share in subset.weights])
        pairs = zip(subset.weights, parts, strict=True)
        return [((name,), part, unit) for (name, _), part in pairs]
    return [(subset.sources, amount, unit)]


def _of(dataset: pl.DataFrame, take: Take) -> tuple[str, ...]:
    """The sources of a take."""
    if take.source:
        return (take.source,)
    return tuple(dataset.filter(family=take.family)["source"].unique().sort())


def controlled(records: pl.DataFrame, control: str, seed: int) -> pl.DataFrame:
    """The records as they are, or made into a control."""
    if control == "swap":
        return swapped(records, seed)
    return shuffled(records, seed) if control == "shuffle" else records


def swapped(records: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Every prompt gets the answer of the next one in the lottery; the last that of the first."""
    order = records.with_row_index("row").select("row", key=lot(seed)).sort("key")["row"]
    answers = records["output"].gather(order)
    moved = pl.concat([answers.tail(1), answers.head(len(answers) - 1)])
    back = order.arg_sort()
    return records.with_columns(output=moved.gather(back))


def shuffled(records: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The characters of every answer in a random order, without white space at the ends.

    An answer that begins with a line feed would melt with the template's own.
    """
    letters = records.select("output").with_row_index("row")
    letters = letters.select("row", letter=pl.col("output").str.split("")).explode("letter")
    letters = letters.with_row_index("place")
    key = plh.concat_str(pl.lit(f"{seed}/"), pl.col("place").cast(pl.String)).nchash.xxh3_64()
    mixed = letters.with_columns(key.alias("key")).sort("row", "key")
    texts = mixed.group_by("row", maintain_order=True).agg(pl.col("letter").str.join(""))
    return records.with_columns(texts["letter"].str.strip_chars().alias("output"))


def writer_family(records: pl.DataFrame, writers: Mapping[str, str]) -> str:
    """Who wrote the answers: a family, `human`, `unknown` (a model that nobody names), or `mixed`.

    Args:
        records: with `source` and `writer`.
        writers: the family of a source's answers, where it is known; it goes before what the
            records say, unless a model drafted the answer here.
    """
    known = pl.col("source").replace_strict(dict(writers), default=None, return_dtype=pl.String)
    drafted = pl.when(pl.col("writer").str.contains("/")).then("writer")
    pairs = records.select(pl.coalesce(drafted, known + "/", "writer")).to_series().unique()
    families = sorted({family_of(one) for one in pairs})
    return families[0] if len(families) == 1 else "mixed"
