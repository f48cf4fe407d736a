"""Dedup: which kept records say the same, within and across sources, and which are benchmark items.

Four rules, in order; each turns away all but the best of its group:

- ExactDuplicate: instruction, input and output have the same matching view.
- SameQuestion: the same question is answered more often than its source wants (`Source.answers`).
- NearDuplicate: verified Jaccard similarity of character n-grams, connected components.
- Contamination.NAME: too much of a benchmark item stands in the record (only where asked for).

The best of a group is chosen by `prefer` (votes, comments, length, verified), then by the order
read. Texts are never copied: the stage writes ids, and what each was measured against.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from cqia import ledger, store
from cqia.contamination import Benchmark, search
from cqia.duplicates import by_key, by_similarity, ranked, verdicts
from cqia.errors import UserError, unknown
from cqia.record import TEXT
from cqia.text.matching import exact_key, matching_view
from cqia.text.near import PAIRS, MinHash, NearIndex
from cqia.workers import Progress

PREFERENCES = ("votes", "comments", "length", "verified")
VIEWS = {"record": TEXT, "prompt": TEXT[:2], "output": TEXT[2:], "none": ()}
"""The texts that near-duplicates are looked for in."""

_READ = ("source", *TEXT, "question", "votes", "comments", "human_verified")

DROPPED = {
    "id": pl.String,
    "source": pl.String,
    "rule": pl.String,
    "value": pl.Float64,
    "bound": pl.Float64,
    "keeper": pl.String,
}


def dedup(
    *,
    work: Path,
    threshold: float = 0.7,
    ngram: int = 5,
    permutations: int = 252,
    bands: int = 42,
    near: str = "record",
    prefer: Sequence[str] = ("votes", "length"),
    benchmarks: Sequence[Benchmark] = (),
    seed: int = 1,
    progress: Progress | None = None,
) -> store.Facts:
    """Find duplicates among all kept records of a working folder.

    Args:
        work: the working folder; every source curated in it takes part.
        threshold: smallest Jaccard similarity of a near-duplicate, 0-1.
        ngram: characters in a shingle.
        permutations: MinHash functions; a multiple of `bands`.
        bands: bands of the signature; more and shorter bands find more (Leskovec, Rajaraman and
            Ullman, Mining of Massive Datasets, 3.4).
        near: the text compared: record, prompt (instruction and input), output, or none.
        prefer: what makes a record the better one, most important first.
        benchmarks: benchmark files to look for.
        seed: of the hash functions.
        progress: told of every part read.

    Returns:
        The manifest: counts by rule, and `read = kept + dropped`.

    Raises:
        UserError: nothing was curated, or a parameter can't be.
    """
    _check(near, prefer, threshold, permutations, bands)
    sources = {name: store.manifest(work / "curate" / name) or {} for name in ledger.curated(work)}
    facts: dict[str, Any] = {
        "stage": "dedup",
        "program": store.program(),
        "inputs": {name: facts["fingerprint"] for name, facts in sources.items()},
        "threshold": threshold,
        "ngram": ngram,
        "permutations": permutations,
        "bands": bands,
        "near": near,
        "prefer": list(prefer),
        "benchmarks": [one.facts(store.Hashes(work)) for one in benchmarks],
        "seed": seed,
    }
    mark, folder = store.fingerprint(facts), work / "dedup"
    if done := store.finished(folder, mark):
        return done
    store.begin(folder, mark)
    answers = {name: one["answers"] for name, one in sources.items()}
    pairs = PAIRS.to_frame()
    parts = _parts(work, list(sources))
    with store.scratch(folder) as scratch:
        keys = _keys(parts, list(sources), VIEWS[near], scratch, progress)
        table = ranked(keys, prefer, answers)
        gone = by_key(table)
        if VIEWS[near]:
            minhash = MinHash(ngram=ngram, permutations=permutations, bands=bands, seed=seed)
            alive = _alive(table, gone)
            pairs = _pairs(alive, scratch, threshold, minhash, progress)
    near_ones, groups = by_similarity(table, pairs, threshold)
    gone = pl.concat([gone, near_ones])
    for one in benchmarks:
        alive = _alive(table, gone)
        gone = pl.concat([gone, _by_benchmark(parts, alive, one, folder, progress)])
    return _finish(folder, mark, facts, parts, table, gone, groups, pairs)


def _check(
    near: str, prefer: Sequence[str], threshold: float, permutations: int, bands: int
) -> None:
    if near not in VIEWS:
        raise unknown("text to compare", near, VIEWS, where="dedup: near")
    for name in prefer:
        if name not in PREFERENCES:
            raise unknown("preference", name, PREFERENCES, where="dedup: prefer")
    if not 0 < threshold <= 1:
        raise UserError(
            f"a similarity lies between 0 and 1, not at {threshold}", where="dedup: threshold"
        )
    if bands < 1 or permutations % bands:
        raise UserError(
            f"{permutations} permutations can't be cut into {bands} bands",
            where="dedup: permutations",
            mend="make it a multiple of bands",
        )


def _parts(work: Path, sources: Sequence[str]) -> list[Path]:
    return [part for name in sources for part in store.parts(work / "curate" / name)]


def _keys(
    parts: Sequence[Path],
    sources: Sequence[str],
    fields: Sequence[str],
    scratch: Path,
    progress: Progress | None,
) -> pl.DataFrame:
    """One small row a kept record, in the order read: keys of its texts, and what is preferred.

    The matching views of `fields` are left in `scratch`, a file a part, so that they are made once.
    """
    rows = []
    for number, part in enumerate(parts):
        frame = pl.read_parquet(part / "kept.parquet", columns=list(_READ))
        views = {field: matching_view(frame[field]).fill_null("") for field in TEXT}
        instruction, input_, output = views.values()
        if fields:
            text = pl.select(text=pl.concat_str([views[field] for field in fields]))
            text.write_ipc(scratch / f"{number}.arrow")
        rows.append(
            frame.select(
                pl.col("source").cast(pl.Enum(sources)),
                record=exact_key(instruction, input_, output),
                prompt=exact_key(instruction, input_),
                question=exact_key(frame["source"], frame["question"].fill_null("")),
                asked=pl.col("question").is_not_null(),
                votes=pl.col("votes").fill_null(-1).clip(-1, 2**31 - 1).cast(pl.Int32),
                comments=pl.col("comments").fill_null(-1).clip(-1, 2**31 - 1).cast(pl.Int32),
                verified=pl.col("human_verified"),
                length=pl.col("output").str.len_chars(),
            )
        )
        if progress:
            progress(number + 1, len(parts), "keys")
    return pl.concat(rows).with_row_index("row")


def _alive(table: pl.DataFrame, gone: pl.DataFrame) -> pl.Series:
    """The rows that no rule has turned away, in the order read."""
    return table["row"].filter(~table["row"].is_in(gone["row"].implode())).sort()


def _pairs(
    alive: pl.Series,
    scratch: Path,
    threshold: float,
    minhash: MinHash,
    progress: Progress | None,
) -> pl.DataFrame:
    """Verified near-duplicates among the survivors: row numbers a < b and their similarity."""
    files = sorted(scratch.glob("*.arrow"), key=lambda path: int(path.stem))
    with NearIndex(scratch / "index", minhash=minhash) as found:
        at = 0
        for number, file in enumerate(files, start=1):
            text = pl.read_ipc(file)["text"]
            inside = alive.filter((alive >= at) & (alive < at + len(text))) - at
            found.add(text.gather(inside))
            at += len(text)
            file.unlink()
            if progress:
                progress(number, len(files), "signatures")
        pairs = found.pairs(threshold)
    return pairs.with_columns(a=alive.gather(pairs["a"]), b=alive.gather(pairs["b"]))


def _by_benchmark(
    parts: Sequence[Path],
    alive: pl.Series,
    benchmark: Benchmark,
    folder: Path,
    progress: Progress | None,
) -> pl.DataFrame:
    """Hits of a benchmark's items in the survivors, with both texts for a person to confirm."""
    found = search(benchmark, _texts(parts, alive, progress))
    hits = found.hits
    store.write_frame(folder / "contamination" / f"{benchmark.name}.parquet", hits)
    store.write_json(folder / "contamination" / f"{benchmark.name}.json", found.counts)
    if not benchmark.drop:
        hits = hits.clear()
    worst = hits.group_by("row").agg(
        value=pl.col("share").max(),
        bound=pl.lit(benchmark.threshold),
        keeper=pl.lit(None, dtype=pl.UInt32),
    )
    return verdicts(worst, f"Contamination.{benchmark.name}")


def _texts(
    parts: Sequence[Path], rows: pl.Series, progress: Progress | None
) -> Iterator[pl.DataFrame]:
    """The records of these rows, part by part: row, id and the text columns."""
    at = 0
    for number, part in enumerate(parts, start=1):
        frame = pl.read_parquet(part / "kept.parquet", columns=["id", *TEXT])
        frame = frame.with_row_index("row", offset=at)
        at += len(frame)
        yield frame.filter(pl.col("row").is_in(rows.implode()))
        if progress:
            progress(number, len(parts), "contamination")


def _names(parts: Sequence[Path], rows: pl.Series) -> pl.DataFrame:
    """Row -> id for the rows that are named in a result; the others stay on disk."""
    wanted = rows.drop_nulls().unique().cast(pl.UInt32)
    found, at = [], 0
    for part in parts:
        ids = pl.read_parquet(part / "kept.parquet", columns=["id"]).with_row_index(
            "row", offset=at
        )
        at += len(ids)
        found.append(ids.filter(pl.col("row").is_in(wanted.implode())))
    return pl.concat(found)


def _finish(
    folder: Path,
    mark: str,
    facts: dict[str, Any],
    parts: Sequence[Path],
    table: pl.DataFrame,
    gone: pl.DataFrame,
    groups: pl.DataFrame,
    pairs: pl.DataFrame,
) -> store.Facts:
    """Write the results with ids in place of row numbers, and the manifest."""
    source = table.select("row", pl.col("source").cast(pl.String))
    gone = gone.sort("row").join(source, on="row", how="left", maintain_order="left")
    rows = pl.concat([gone["row"], gone["keeper"], groups["row"], pairs["a"], pairs["b"]])
    names = _names(parts, rows)

    def named(frame: pl.DataFrame, row: str, id: str) -> pl.DataFrame:
        """The frame with the ids of the rows in column `row` as column `id`."""
        ids = names.select(pl.col("row").alias("_row"), pl.col("id").alias("_id"))
        joined = frame.join(ids, left_on=row, right_on="_row", how="left", maintain_order="left")
        return joined.drop(row).rename({"_id": id})

    dropped = named(named(gone, "row", "id"), "keeper", "keeper")
    store.write_frame(folder / "dropped.parquet", dropped.select(*DROPPED))
    store.write_frame(folder / "groups.parquet", named(groups, "row", "id").select("id", "group"))
    linked = named(named(pairs, "a", "a"), "b", "b").select("a", "b", "similarity")
    store.write_frame(folder / "pairs.parquet", linked)
    rules = dropped.group_by("rule", maintain_order=True).len().sort("rule")
    across = linked_across(gone.join(source, left_on="keeper", right_on="row", suffix="_kept"))
    counts = {
        "read": len(table),
        "kept": len(table) - len(dropped),
        "dropped": len(dropped),
        "rules": dict(rules.iter_rows()),
        "across": across,
        "contamination": {
            one["name"]: store.read_json(folder / "contamination" / f"{one['name']}.json")
            for one in facts["benchmarks"]
        },
    }
    return store.seal(folder, mark, {**facts, **counts})


def linked_across(pairs: pl.DataFrame) -> dict[str, int]:
    """How many records of one source were dropped for a record of another: "a -> b": n."""
    other = pairs.filter(pl.col("source") != pl.col("source_kept"))
    counts = other.group_by("source", "source_kept").len().sort("source", "source_kept")
    return {f"{one} -> {kept}": n for one, kept, n in counts.iter_rows()}
