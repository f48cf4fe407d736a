"""The candidates for a dataset: what curate kept and dedup left, a small row each, and counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from cqia import answers, contamination, decisions, store
from cqia.errors import UserError
from cqia.record import SCHEMA, TEXT
from cqia.workers import Progress

LABELS = ("task_minor", "task_major", "domain")
"""List columns that strata are made of, joined to one text."""

TASK = r"(?:^|, )task:([^,]+)"
"""How a reader of a collection of tasks writes an item's own task into the metadata."""


def read(
    work: Path,
    sources: list[str],
    *,
    prompts: bool,
    writers: Sequence[str] = (),
    decided: pl.DataFrame | None = None,
    progress: Progress | None,
) -> pl.DataFrame:
    """One small row a kept record, in the order read: no texts, only what choices depend on.

    writers: models whose drafted answers stand for those that are missing.
    decided: what people decided; a part's records that they brought back stand after its others.
    """
    import polars_hash as plh

    parts = [(name, part) for name in sources for part in store.parts(work / "curate" / name)]
    size = {name: pl.col(name).str.len_chars() for name in TEXT}
    asked = plh.concat_str("source", pl.lit("\x1f"), "question").nchash.xxh3_64()
    rows = []
    drafted = answers.drafted(work, writers)
    decided = pl.DataFrame(schema=decisions.DECISIONS) if decided is None else decided
    for number, (_, part) in enumerate(parts, start=1):
        frame = answers.put(decisions.records(part, decided, list(SCHEMA)), drafted)
        rows.append(
            frame.select(
                "id",
                pl.col("source").cast(pl.Enum(sources)),
                pl.lit(part.name, pl.Categorical).alias("part"),
                *(pl.col(name).list.join("、").cast(pl.Categorical) for name in LABELS),
                pl.col("answer_from", "writer").cast(pl.Categorical),
                "human_verified",
                task=pl.col("metadata").str.extract(TASK).cast(pl.Categorical),
                characters=pl.sum_horizontal(size.values()),
                length=size["output"],
                question=pl.when(pl.col("question").is_not_null()).then(asked),
                prompt=_prompt(frame) if prompts else pl.lit(None, pl.UInt64),
                turns=pl.col("history").list.len() > 0,
                system=pl.col("system") != "",
            )
        )
        if progress:
            progress(number, len(parts), "read")
    return pl.concat(rows)


def _prompt(frame: pl.DataFrame) -> pl.Series:
    """A key of instruction and input as they are matched; null where nothing can be matched."""
    from cqia.text.matching import exact_key, matching_view

    views = [matching_view(frame[name]) for name in TEXT[:2]]
    empty = (views[0] == "") & (views[1] == "")
    return exact_key(*views).set(empty, None)


def without_duplicates(
    work: Path, kept: pl.DataFrame, *, ran: bool, decided: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The candidates, and the duplicates' sources and rules.

    A duplicate that people brought back is a candidate.

    Raises:
        RuntimeError: candidates and duplicates are not all that curate kept.
    """
    if not ran:
        return kept, pl.DataFrame(schema={"id": pl.String, "source": pl.String, "rule": pl.String})
    doubled = pl.read_parquet(work / "dedup" / "dropped.parquet", columns=["id", "source", "rule"])
    if decided is not None:
        back = decisions.returned(decided).implode()
        doubled = doubled.filter(~pl.col("id").is_in(back))
    table = kept.join(doubled, on="id", how="anti", maintain_order="left")
    if len(table) + len(doubled) != len(kept):
        raise RuntimeError(
            f"{work}: candidates and duplicates are not what curate kept:"
            f" {len(table)} + {len(doubled)} != {len(kept)}"
        )
    return table, doubled


def without_contaminated(
    work: Path, table: pl.DataFrame, writers: Sequence[str], decided: pl.DataFrame, folder: Path
) -> tuple[pl.DataFrame, pl.DataFrame, store.Facts]:
    """The candidates, those that a drafted answer makes a benchmark's, and what was looked at.

    Answers are drafted after dedup, so dedup's benchmarks are looked for once more, in the records
    that got one; hits are left in `folder`, or out, as dedup's settings say. Answers that stand
    word for word under several questions are counted; near-duplicates are not looked for.

    Raises:
        UserError: a benchmark's file is another one than dedup looked for.
    """
    columns = {"id": pl.String, "source": pl.String, "rule": pl.String, "bound": pl.Float64}
    gone = pl.DataFrame(schema=columns)
    if not writers:
        return table, gone, {}
    drafted = answers.drafted(work, writers).join(table, on="id", how="semi")
    texts = _texts(work, decided, drafted)
    found: dict[str, store.Facts] = {}
    for about in (store.manifest(work / "dedup") or {}).get("benchmarks", []):
        name, least = about["name"], about["threshold"]
        one = contamination.Benchmark(
            name=name, files=tuple(about["files"]), fields=tuple(about["fields"]),
            threshold=least, ngram=about["ngram"], drop=about["drop"],
        )  # fmt: skip
        if one.facts(store.Hashes(work))["files"] != about["files"]:
            raise UserError(f"benchmark {name} has changed since dedup", mend="run dedup again")
        hits, counts = contamination.search(one, [texts])
        store.write_frame(folder / "contamination" / f"{name}.parquet", hits)
        hit = table.filter(pl.col("id").is_in(hits["id"].implode())) if one.drop else table.clear()
        rule = {"rule": pl.lit(f"Contamination.{name}"), "bound": pl.lit(least, pl.Float64)}
        gone = pl.concat([gone, hit.select("id", pl.col("source").cast(pl.String), **rule)])
        table = table.join(hit, on="id", how="anti", maintain_order="left")
        found[name] = {"records_hit": counts["records_hit"], "drop": one.drop}
    same = int(drafted["answer"].is_duplicated().sum())
    return table, gone, {"answers": len(texts), "same_answer": same, "contamination": found}


def _texts(work: Path, decided: pl.DataFrame, drafted: pl.DataFrame) -> pl.DataFrame:
    """The records that got a drafted answer, with it: row, id and texts."""
    columns = ["id", *TEXT, "answer_from"]
    found = [pl.DataFrame(schema=dict.fromkeys(["id", *TEXT], pl.String))]
    for path in sorted((work / "curate").glob("*/manifest.json")):
        for part in store.parts(path.parent):
            records = decisions.records(part, decided, columns)
            records = records.join(drafted, on="id", how="semi", maintain_order="left")
            written = answers.put(records, drafted).filter(pl.col("writer").str.contains("/"))
            found.append(written.select("id", *TEXT))
    return pl.concat(found).with_row_index("row")


def unanswered(waiting: pl.DataFrame) -> pl.DataFrame:
    """Instructions that nobody has answered yet are left, whoever wants them."""
    nothing = pl.lit(None, pl.Float64)
    return waiting.select(
        "id", pl.col("source").cast(pl.String), rule=pl.lit("NoAnswer"), bound=nothing
    )


def counts(
    names: Sequence[str],
    kept: pl.DataFrame,
    doubled: pl.DataFrame,
    chosen: pl.DataFrame,
    left: pl.DataFrame,
) -> store.Facts:
    """The manifest's numbers: of everything, and of each source."""
    sources: dict[str, store.Facts] = {}
    for name in names:
        mine = pl.col("source").cast(pl.String) == name
        one = chosen.filter(mine)
        sources[name] = {
            "kept": len(kept.filter(mine)),
            "duplicates": _tally(doubled.filter(mine)["rule"]),
            "left": _tally(left.filter(mine)["rule"]),
            "records": len(one),
            "characters": int(one["characters"].sum()),
            "splits": _tally(one["split"]),
            "answer_from": _tally(one["answer_from"]),
            "writers": _tally(one["writer"]),
            "human_verified": int(one["human_verified"].sum()),
            "turns": int(one["turns"].sum()),
            "system": int(one["system"].sum()),
        }
    return {
        "kept": len(kept),
        "duplicates": len(doubled),
        "candidates": len(kept) - len(doubled),
        "chosen": len(chosen),
        "left": len(left),
        "rules": _tally(left["rule"]),
        "splits": _tally(chosen["split"]),
        "sources": sources,
    }


def _tally(values: pl.Series) -> dict[str, int]:
    """How often each value occurs, by value."""
    counts = values.cast(pl.String).rename("value").value_counts(name="n").sort("value")
    return dict(counts.iter_rows())
