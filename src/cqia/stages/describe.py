"""Describe: the dataset in tables, for papers and cards: its sources, its lengths, and the funnel.

Describes what there is: the assembled dataset, or else what dedup left, or else what curate kept.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from cqia import decisions, ledger, paper, store
from cqia.describing import records as described
from cqia.record import TEXT
from cqia.tables import FORMATS, render
from cqia.workers import Workers

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
_WHO = ["source", "answer_from", "human_verified"]
_LENGTH = ["source", "text", "length"]


def describe(*, work: Path, folder: Path | None = None, workers: Workers = 1) -> store.Facts:
    """Write the tables `sources`, `lengths` and `funnel` as Markdown, CSV and JSON.

    Args:
        work: the working folder.
        folder: where the tables go; None: `work/describe`. Nothing else in it is touched.
        workers: processes, or a cluster.

    Returns:
        The stage that is described, the records, and the tables' paths.

    Raises:
        UserError: nothing was curated, or a stage is older than what it is made of.
        RuntimeError: the numbers of the funnel don't add up.
    """
    curated = {name: store.manifest(work / "curate" / name) or {} for name in ledger.curated(work)}
    known = sorted(curated.values(), key=lambda one: paper.place(one["type"], one["source"]))
    stage, inputs = described.stage(
        work, {name: one["fingerprint"] for name, one in curated.items()}
    )
    amounts, lengths = _counted(work, list(curated), stage, workers)
    tables = {
        "sources": _sources(known, amounts),
        "lengths": _lengths(known, lengths),
        "funnel": _funnel(work, known, amounts, stage),
    }
    folder = folder or work / "describe"
    paths = {name: {kind: str(folder / f"{name}.{kind}") for kind in FORMATS} for name in tables}
    for name, table in tables.items():
        for kind in FORMATS:
            store.write_bytes(folder / f"{name}.{kind}", render(table, kind).encode())
    facts = {"stage": "describe", "inputs": inputs, "described": stage}
    return {**facts, "records": int(amounts["records"].sum()), "tables": paths}


def _counted(
    work: Path, sources: list[str], stage: str, workers: Workers
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two small tables, whatever the number of records.

    Amounts: records and characters by source, answer_from and human_verified. Lengths: `n` records
    by source, text (prompt: instruction and input; output) and length in characters.
    """
    few = ("source", "human_verified", *TEXT)
    found = described.each(work, sources, stage, _count, columns=few, workers=workers)
    amounts, lengths = (pl.concat(tables) for tables in zip(*found, strict=True))
    return (
        amounts.group_by(_WHO).agg(pl.col("records", "characters").sum()).sort(_WHO),
        lengths.group_by(_LENGTH).agg(pl.col("n").sum()).sort(_LENGTH),
    )


def _count(records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The amounts and lengths of some records."""
    size = {name: pl.col(name).str.len_chars().cast(pl.Int64) for name in TEXT}
    few = records.select(
        *_WHO, prompt=size["instruction"] + size["input"], output=size["output"]
    ).with_columns(pl.col("source").cast(pl.String))
    amounts = few.group_by(_WHO).agg(
        records=pl.len().cast(pl.Int64), characters=(pl.col("prompt") + pl.col("output")).sum()
    )
    lengths = [
        few.group_by("source", length=name)
        .agg(n=pl.len().cast(pl.Int64))
        .select("source", pl.lit(name).alias("text"), "length", "n")
        for name in ("prompt", "output")
    ]
    return amounts, pl.concat(lengths)


def _sources(known: list[store.Facts], amounts: pl.DataFrame) -> pl.DataFrame:
    """The paper's source table in its four types, with its quantities beside this run's.

    A type of several sources has a subtotal. The paper's sums are over the rows of its Table 1 that
    are here.
    """
    rows: list[dict[str, Any]] = []
    for kind, group in itertools.groupby(known, key=lambda facts: facts["type"]):
        here = list(group)
        title = paper.TYPES.get(kind, kind)
        for facts in here:
            mine = amounts.filter(source=facts["source"])
            rows.append(
                {
                    "type": title,
                    "source": facts["source"],
                    "title": facts["title"],
                    **_amounts(mine),
                    "paper": paper.quantity(facts["source"]),
                    **_answers(mine),
                    "licence": facts["licence"],
                    "origin": facts["origin"],
                }
            )
        if len(here) > 1:
            rows.append(_sum(title, "小计", here, amounts))
    rows.append(_sum("total", "", known, amounts))
    return _frame(rows).with_columns(pl.col("paper").cast(pl.Int64))


def _sum(kind: str, title: str, known: list[store.Facts], amounts: pl.DataFrame) -> dict[str, Any]:
    """A row for several sources together."""
    names = [facts["source"] for facts in known]
    mine = amounts.filter(pl.col("source").is_in(names))
    theirs = [row.quantity for row in paper.TABLE_1 if row.source in names]
    found = {"type": kind, "source": "", "title": title, **_amounts(mine)}
    found |= {"paper": sum(theirs) if theirs else None, **_answers(mine)}
    return {**found, "licence": "", "origin": ""}


def _amounts(mine: pl.DataFrame) -> dict[str, int]:
    return {"records": int(mine["records"].sum()), "characters": int(mine["characters"].sum())}


def _answers(mine: pl.DataFrame) -> dict[str, Any]:
    """Who wrote the answers, and the share of records that a person checked."""
    counts = mine.group_by(who="answer_from").agg(pl.col("records").sum()).sort("who")
    said = ", ".join(f"{who} {n}" for who, n in counts.iter_rows())
    checked, all_ = (int(one["records"].sum()) for one in (mine.filter("human_verified"), mine))
    return {"answer_from": said, "human_verified": checked / all_ if all_ else None}


def _lengths(known: list[store.Facts], lengths: pl.DataFrame) -> pl.DataFrame:
    """Lengths in characters: of instruction and input together, and of the output."""
    names = [facts["source"] for facts in known]
    return _frame(
        {"source": name or "total", "text": title, **_statistics(mine.filter(text=text))}
        for name in [*names, ""]
        for mine in [lengths.filter(source=name) if name else lengths]
        for title, text in (("instruction+input", "prompt"), ("output", "output"))
    )


def _statistics(lengths: pl.DataFrame) -> dict[str, float | int | None]:
    """Number, mean, standard deviation (of a sample) and percentiles (linear between values)."""
    each = lengths.group_by("length").agg(pl.col("n").sum()).sort("length")
    values, counts = each["length"].to_list(), each["n"].to_list()
    n, total = sum(counts), sum(value * count for value, count in zip(values, counts, strict=True))
    squares = sum(value * value * count for value, count in zip(values, counts, strict=True))
    # In whole numbers, so that neither the order of parts nor rounding shows.
    spread = math.sqrt((n * squares - total * total) / (n * (n - 1))) if n > 1 else None
    found: dict[str, Any] = {"n": n, "mean": total / n if n else None, "sd": spread}
    ends = list(itertools.accumulate(counts))

    def at(rank: int) -> int:
        """The value at a place of the sorted lengths, from 0."""
        return int(values[bisect.bisect_right(ends, rank)])

    for percent in PERCENTILES:
        name = "median" if percent == 50 else f"p{percent}"
        low, part = divmod(percent * (n - 1), 100)
        found[name] = None
        if n:
            found[name] = at(low) + (at(min(low + 1, n - 1)) - at(low)) * part / 100
    return {**found, "max": values[-1] if n else None}


def _funnel(
    work: Path, known: list[store.Facts], amounts: pl.DataFrame, stage: str
) -> pl.DataFrame:
    """Where every raw item went: one row a step, with what went out and what was left after it.

    An item may become several records, so items, unreadable and read stand beside one another; from
    read on every row takes away what it drops.

    Raises:
        RuntimeError: what is left at the end is not what is described.
    """
    returned = decisions.returned(decisions.read(work)) if stage == "assemble" else None
    ran = stage != "curate" and store.manifest(work / "dedup") is not None
    gone = _gone(work, "dedup", ran, returned) + _gone(work, "assemble", stage == "assemble")
    chosen = (store.manifest(work / "assemble") or {}) if stage == "assemble" else {}
    rows: list[dict[str, Any]] = []
    for facts in known:
        name = facts["source"]

        def row(stage: str, rule: str, dropped: int | None, left: int, name: str = name) -> None:
            rows.append(
                {"source": name, "stage": stage, "rule": rule, "dropped": dropped, "left": left}
            )

        row("read", "items", None, facts["items"])
        row("read", "unreadable", facts["bad"], facts["items"] - facts["bad"])
        left = facts["read"]
        row("read", "records", None, left)
        for rule, dropped in facts["rules"].items():
            left -= dropped
            row("curate", rule, dropped, left)
        if left != facts["kept"]:
            raise RuntimeError(f"{name}: the rules leave {left} records, kept are {facts['kept']}")
        back = chosen["sources"][name]["kept"] - left if chosen else 0
        if back:
            left += back
            row("review", "brought back by hand", -back, left)
        for where, source, rule, dropped in gone:
            if source == name:
                left -= dropped
                row(where, rule, dropped, left)
        there = _amounts(amounts.filter(source=name))["records"]
        if left != there:
            raise RuntimeError(f"{name}: the funnel leaves {left} records, there are {there}")
        row(stage, "in the dataset", None, left)
    return _frame(rows)


def _gone(
    work: Path, stage: str, ran: bool, back: pl.Series | None = None
) -> list[tuple[str, str, str, int]]:
    """stage, source, rule and number of the records that dedup or assemble left out."""
    if not ran:
        return []
    file = {"dedup": "dropped.parquet", "assemble": "left.parquet"}[stage]
    counts = pl.read_parquet(work / stage / file, columns=["id", "source", "rule"])
    if stage == "dedup" and back is not None:
        counts = counts.filter(~pl.col("id").is_in(back.implode()))
    counts = counts.group_by("source", "rule").len().sort("source", "rule")
    return [(stage, source, rule, count) for source, rule, count in counts.iter_rows()]


def _frame(rows: Iterable[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), infer_schema_length=None)
