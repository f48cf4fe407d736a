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

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from cqia import ledger, store
from cqia.contamination import Benchmark, Wanted, counted, hits, wanted
from cqia.duplicates import Keys, by_key, by_similarity, verdicts
from cqia.errors import UserError, unknown
from cqia.kept import Kept
from cqia.record import TEXT
from cqia.text.buffers import compact
from cqia.text.matching import exact_key, matching_view
from cqia.text.near import PAIRS, MinHash, Shards, search, write_shard, written
from cqia.workers import Progress, Workers, fitting

PREFERENCES = ("votes", "comments", "length", "verified")
VIEWS = {"record": TEXT, "prompt": TEXT[:2], "output": TEXT[2:], "none": ()}
"""The texts that near-duplicates are looked for in."""

MOST = 2**32 - 1
"""Records that fit into a row's number."""

_READ = ("source", *TEXT, "question", "votes", "comments", "human_verified")

DROPPED = pl.Schema(
    {
        "id": pl.String(),
        "source": pl.String(),
        "part": pl.String(),
        "rule": pl.String(),
        "value": pl.Float64(),
        "bound": pl.Float64(),
        "keeper": pl.String(),
    }
)
GROUPS = pl.Schema({"id": pl.String(), "group": pl.UInt32()})
LINKED = pl.Schema({"a": pl.String(), "b": pl.String(), "similarity": pl.Float64()})


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
    workers: Workers = 1,
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
        workers: processes, or a cluster; the result is the same.
        progress: told of every part read.

    Returns:
        The manifest: counts by rule, and `read = kept + dropped`.

    Raises:
        UserError: nothing was curated, a parameter can't be, or there are too many records.
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
    workers = fitting(workers, sum((part / "kept.parquet").stat().st_size for part in parts))
    with store.scratch(folder) as scratch:
        here = Kept(parts=parts, scratch=scratch, workers=workers, progress=progress)
        if here.count > MOST:
            raise UserError(
                f"{here.count:,} records are more than are compared at once ({MOST:,})",
                where=str(work),
                mend="curate and dedup groups of sources in folders of their own",
            )
        files = _keys(here, VIEWS[near])
        keys = Keys(
            files=files, heights=here.heights, prefer=tuple(dict.fromkeys(prefer)),
            answers=answers, scratch=scratch,
        )  # fmt: skip
        gone = by_key(keys)
        if VIEWS[near]:
            minhash = MinHash(ngram=ngram, permutations=permutations, bands=bands, seed=seed)
            pairs = _pairs(here, here.alive(gone), threshold, minhash)
        near_ones, groups = by_similarity(keys, pairs, threshold)
        gone = pl.concat([gone, near_ones])
        for one, about in zip(benchmarks, facts["benchmarks"], strict=True):
            alive, version = here.alive(gone), store.fingerprint(about)
            gone = pl.concat([gone, _by_benchmark(here, alive, one, version, folder)])
        return _finish(folder, mark, facts, here, gone, groups, pairs)


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


def _keys(here: Kept, fields: Sequence[str]) -> list[Path]:
    """Files of one small row a kept record: keys of its texts, and what is preferred.

    The matching views of `fields` are left in `scratch`, a file a part, so that they are made once.
    """
    count = len(here.parts)
    here.each("keys", _keys_of, [here.scratch] * count, [tuple(fields)] * count)
    return [here.scratch / f"{number}.keys" for number in range(count)]


def _keys_of(number: int, part: Path, scratch: Path, fields: tuple[str, ...]) -> str:
    frame = pl.read_parquet(part / "kept.parquet", columns=list(_READ))
    views = {field: matching_view(frame[field]).fill_null("") for field in TEXT}
    instruction, input_, output = views.values()
    if fields:
        text = pl.select(text=pl.concat_str([views[field] for field in fields]))
        _leave(scratch / f"{number}.views", text)
    keys = frame.select(
        "source",
        record=exact_key(instruction, input_, output),
        prompt=exact_key(instruction, input_),
        question=exact_key(frame["source"], frame["question"].fill_null("")),
        asked=pl.col("question").is_not_null(),
        votes=pl.col("votes").fill_null(-1).clip(-1, 2**31 - 1).cast(pl.Int32),
        comments=pl.col("comments").fill_null(-1).clip(-1, 2**31 - 1).cast(pl.Int32),
        verified=pl.col("human_verified"),
        length=pl.col("output").str.len_chars(),
    )
    _leave(scratch / f"{number}.keys", keys)
    return part.name


def _leave(path: Path, frame: pl.DataFrame) -> None:
    """Leave a frame for another step; a job that runs twice leaves the same."""
    with store.whole(path) as own:
        frame.write_ipc(own)


def _pairs(
    here: Kept, alive: Sequence[pl.Series], threshold: float, minhash: MinHash
) -> pl.DataFrame:
    """Verified near-duplicates among the survivors: row numbers a < b and their similarity."""
    folder, count = here.scratch / "index", len(here.parts)
    here.each("signatures", _shard, alive, [folder] * count, [minhash] * count)
    sizes = tuple(int(mine.sum()) for mine in alive)
    shards = Shards(folder=folder, sizes=sizes, minhash=minhash)
    pairs = search(shards, threshold, workers=here.workers)
    rows = pl.concat([pl.Series([], dtype=pl.Boolean), *alive]).arg_true()
    return pairs.with_columns(a=rows.gather(pairs["a"]), b=rows.gather(pairs["b"]))


def _shard(number: int, part: Path, alive: pl.Series, folder: Path, minhash: MinHash) -> str:
    views = folder.parent / f"{number}.views"
    if not written(folder, number):
        text = pl.read_ipc(views)["text"]
        write_shard(folder, number, text.filter(alive), minhash)
    views.unlink(missing_ok=True)
    return part.name


def _by_benchmark(
    here: Kept, alive: Sequence[pl.Series], benchmark: Benchmark, mark: str, folder: Path
) -> pl.DataFrame:
    """Hits of a benchmark's items in the survivors, with both texts for a person to confirm."""
    count = len(here.parts)
    into = here.scratch / benchmark.name
    into.mkdir()
    given: list[list[Any]] = [[benchmark] * count, [mark] * count, [into] * count]
    here.each("contamination", _hits_of, alive, *given)
    every, at = [], 0
    for number, height in enumerate(here.heights):
        some = pl.read_ipc(into / f"{number}.hits")
        every.append(some.with_columns(pl.col("row") + at))
        at += height
    found = counted(_wanted(benchmark, mark), every)
    store.write_frame(folder / "contamination" / f"{benchmark.name}.parquet", found.hits)
    store.write_json(folder / "contamination" / f"{benchmark.name}.json", found.counts)
    hit = found.hits if benchmark.drop else found.hits.clear()
    worst = hit.group_by("row").agg(
        value=pl.col("share").max(),
        bound=pl.lit(benchmark.threshold),
        keeper=pl.lit(None, dtype=pl.UInt32),
    )
    return verdicts(worst, f"Contamination.{benchmark.name}")


@functools.lru_cache(maxsize=1)
def _wanted(benchmark: Benchmark, mark: str) -> Wanted:
    """A benchmark made ready, once a process; `mark` changes when its files do."""
    return wanted(benchmark)


def _hits_of(
    number: int, part: Path, alive: pl.Series, benchmark: Benchmark, mark: str, into: Path
) -> str:
    frame = pl.read_parquet(part / "kept.parquet", columns=["id", *TEXT])
    frame = frame.with_row_index("row").filter(alive)
    _leave(into / f"{number}.hits", hits(_wanted(benchmark, mark), frame))
    return part.name


def _finish(
    folder: Path,
    mark: str,
    facts: dict[str, Any],
    here: Kept,
    gone: pl.DataFrame,
    groups: pl.DataFrame,
    pairs: pl.DataFrame,
) -> store.Facts:
    """Write the results with ids in place of row numbers, part by part, and the manifest."""
    gone = gone.sort("row")
    far = pl.concat([gone["keeper"].drop_nulls(), pairs["b"]]).unique().sort()
    names = [
        compact(pl.read_parquet(part / "kept.parquet", columns=["id"])["id"][mine])
        for part, mine in zip(here.parts, here.by_part(far), strict=True)
    ]
    ids = pl.concat([pl.Series("id", [], pl.String), *names])

    def far_id(rows: pl.Series) -> pl.Series:
        """The ids of rows of any part; null where there is none."""
        return ids.gather(far.search_sorted(rows.fill_null(0)).set(rows.is_null(), None))

    with (
        store.row_groups(folder / "dropped.parquet", DROPPED) as dropped,
        store.row_groups(folder / "groups.parquet", GROUPS) as grouped,
        store.row_groups(folder / "pairs.parquet", LINKED) as linked,
    ):
        for part, one, group, pair in zip(
            here.parts, here.cut(gone, "row"), here.cut(groups, "row"), here.cut(pairs, "a"),
            strict=True,
        ):  # fmt: skip
            near = pl.read_parquet(part / "kept.parquet", columns=["id"])["id"]
            dropped(
                one.with_columns(
                    id=near[one["row"]],
                    source=pl.lit(part.parent.name),
                    part=pl.lit(part.name),
                    keeper=far_id(one["keeper"]),
                )
            )
            grouped(group.with_columns(id=near[group["row"]]))
            linked(pair.with_columns(a=near[pair["a"]], b=far_id(pair["b"])))
    rules = gone.group_by("rule").len().cast({"rule": pl.String}).sort("rule")
    counts = {
        "read": here.count,
        "kept": here.count - len(gone),
        "dropped": len(gone),
        "rules": dict(rules.iter_rows()),
        "across": _across(here, gone.drop_nulls("keeper")),
        "contamination": {
            one["name"]: store.read_json(folder / "contamination" / f"{one['name']}.json")
            for one in facts["benchmarks"]
        },
    }
    return store.seal(folder, mark, {**facts, **counts})


def _across(here: Kept, gone: pl.DataFrame) -> dict[str, int]:
    """How many records of one source were dropped for a record of another: "a -> b": n."""
    owners = pl.Series([part.parent.name for part in here.parts])
    bases = np.cumsum(here.heights)
    own, other = (
        owners.gather(np.searchsorted(bases, gone[end].to_numpy(), side="right"))
        for end in ("row", "keeper")
    )
    pairs = pl.DataFrame({"own": own, "other": other}).filter(pl.col("own") != pl.col("other"))
    counts = pairs.group_by("own", "other").len().sort("own", "other")
    return {f"{one} -> {kept}": n for one, kept, n in counts.iter_rows()}
