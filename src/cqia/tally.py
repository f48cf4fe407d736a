"""Settle and count a curated source from what stands on disk.

Counting from the finished parts, not from memory, makes a run that was killed and taken up again
end with the same numbers as one that ran through.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cqia import store
from cqia.filters.base import Filter
from cqia.ledger import DROP, SAME_ID, TABLES, time_of
from cqia.recipe import Step, keys
from cqia.record import SCHEMA


def settle(folder: Path, steps: Sequence[Step]) -> dict[str, Any]:
    """Give ids that were read twice a number, then count everything.

    Returns:
        items, bad, read, kept, dropped; rules (drops of each); found (records changed by each
        cleaner, and what it counted); unmeasured (null measures); bounds.

    Raises:
        RuntimeError: read is not kept + dropped.
    """
    _mark_same_ids(folder)
    paths = store.parts(folder)
    total = {"items": 0, "bad": 0, "read": 0, "kept": 0, "dropped": 0}
    rules: dict[str, int] = {}
    found: dict[str, int] = {}
    unmeasured: dict[str, int] = {}
    for path in paths:
        counts = store.read_json(path / "counts.json")
        total["items"] += counts["items"]
        total["read"] += counts["read"]
        for table in ("bad", "kept"):
            total[table] += _height(path / f"{table}.parquet")
        dropped = pl.read_parquet(path / "dropped.parquet", columns=["rule"])
        total["dropped"] += len(dropped)
        for rule, count in dropped.group_by("rule").len().sort("rule").iter_rows():
            rules[rule] = rules.get(rule, 0) + count
        _add(found, _sums(path / "changes.parquet"))
        measures = pl.read_parquet(path / "measures.parquet").drop("id", "file", "row")
        _add(unmeasured, measures.null_count().row(0, named=True) if len(measures) else {})
    if total["read"] != total["kept"] + total["dropped"]:
        raise RuntimeError(f"{folder}: read is not kept + dropped: {total}")
    order = [SAME_ID, *keys(steps)]
    return {
        **total,
        "rules": {name: rules[name] for name in order if name in rules},
        "found": dict(sorted(found.items())),
        "unmeasured": {name: count for name, count in unmeasured.items() if count},
        "bounds": {
            name: [step.low, step.high]
            for name, step in zip(keys(steps), steps, strict=True)
            if isinstance(step, Filter)
        },
    }


def _height(path: Path) -> int:
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for name, count in more.items():
        total[name] = total.get(name, 0) + count


def _sums(path: Path) -> dict[str, int]:
    """How many records each cleaner changed, and how much of each kind was found."""
    frame = pl.read_parquet(path).select(pl.exclude("^before_.*$", "id"))
    changed = frame["cleaners"].explode().drop_nulls().value_counts()
    sums = {name: count for name, count in changed.iter_rows()}
    numbers = frame.drop("cleaners").sum()
    if len(frame):
        sums |= {name: int(value or 0) for name, value in numbers.row(0, named=True).items()}
    return {name: value for name, value in sums.items() if value}


def _mark_same_ids(folder: Path) -> None:
    """Drop items whose id was read before: `ID~2`, `ID~3`, … by the rule SameId.

    Ids are unique within a part already; this makes them unique over all parts. A part is written
    anew only when one of its ids is a repeat, and doing it twice changes nothing. Eight bytes an id
    are in memory at a time; texts are read of those that may be repeats.
    """
    paths = store.parts(folder)
    if len(paths) < 2:
        return
    hashes = np.concatenate([_bases(path)["base"].hash().to_numpy() for path in paths])
    hashes.sort()
    again = pl.Series(np.unique(hashes[1:][hashes[1:] == hashes[:-1]]))
    del hashes
    if again.is_empty():
        return
    ids = pl.concat(
        _bases(path)
        .filter(pl.col("base").hash().is_in(again.implode()))
        .with_columns(part=pl.lit(number, pl.Int32))
        for number, path in enumerate(paths)
    )
    repeats = ids.filter(pl.col("base").is_duplicated()).with_columns(
        time=pl.int_range(1, pl.len() + 1).over("base")
    )
    name = pl.concat_str("base", pl.lit("~"), pl.col("time").cast(pl.String))
    repeats = repeats.with_columns(new=pl.when(pl.col("time") > 1).then(name).otherwise("base"))
    moved = repeats.filter(pl.col("new") != pl.col("id")).sort("part", maintain_order=True)
    for group in moved.partition_by("part", maintain_order=True):
        _rename(folder, paths[int(group["part"][0])], group.select("id", "new"))


def _bases(path: Path) -> pl.DataFrame:
    """A part's ids in the order read, and what they are without the number of a repeat."""
    ids = pl.read_parquet(path / "measures.parquet", columns=["id"])
    return ids.with_columns(base=pl.col("id").str.replace(r"~\d+$", ""))


def _rename(folder: Path, path: Path, names: pl.DataFrame) -> None:
    """Write one part anew with repeated ids renamed, and their records dropped by SameId."""
    old = {table: pl.read_parquet(path / f"{table}.parquet") for table in TABLES}
    for table in ("kept", "dropped", "measures", "changes"):
        old[table] = old[table].with_columns(
            id=pl.col("id").replace(names["id"].to_list(), names["new"].to_list())
        )
    measures = old["measures"].with_columns(time_of(pl.col("id")).alias(SAME_ID))
    pool = pl.concat([old["kept"], old["dropped"]], how="diagonal")
    pool = measures.select("id", time=SAME_ID).join(pool, on="id", maintain_order="left")
    again = pl.col("time") > 1
    pool = pool.with_columns(
        rule=pl.when(again).then(pl.lit(SAME_ID)).otherwise("rule"),
        value=pl.when(again).then(pl.col("time").cast(pl.Float64)).otherwise("value"),
        low=pl.when(~again).then("low"),
        high=pl.when(again).then(1.0).otherwise("high"),
    )
    new = {
        "kept": pool.filter(pl.col("rule").is_null()).select(*SCHEMA),
        "dropped": pool.filter(pl.col("rule").is_not_null()).select(*SCHEMA, *DROP),
        "measures": measures,
        "changes": old["changes"],
        "bad": old["bad"],
    }
    counts = store.read_json(path / "counts.json")
    done = folder / f"{path.name[:6]}.done"
    done.unlink()
    with store.part(folder, path.name) as fresh:
        for table, frame in new.items():
            store.write_frame(fresh / f"{table}.parquet", frame)
        store.write_json(fresh / "counts.json", counts)
    store.write_bytes(done, b"")
