"""Select: choose so many of the candidates by a method, and keep for each why it was taken.

    select(work=work, method="deita", amount=1_000, score="quality@qwen-plus")

Candidates are what curate kept, dedup left and somebody answered. `work/select/NAME/` gets
selected.parquet and left.parquet (`cqia.selection.results`); candidates = selected + left. Nothing
is dropped for good: assemble takes a selection by name, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from cqia import answers, candidates, decisions, store
from cqia.errors import UserError, unknown
from cqia.pool import of_texts, of_vectors, pool, sources_of
from cqia.sampling import sample
from cqia.selection.choose import LEFT, TAKEN, Choice, covering, deita, top
from cqia.selection.dense import read
from cqia.selection.results import NOT_SELECTED, SELECTED, folder_of
from cqia.selection.space import Space
from cqia.thresholds import Threshold, below, means_of, prints
from cqia.workers import Progress

METHODS = {
    "random": "by lot, each source and task by its share: the baseline of every other method",
    "top": "the best scores",
    "deita": "the best scores, unless too similar to one that is taken",
    "cover": "what covers all candidates best, good scores counting more",
    "balance": "by lot, the same amount of every task as far as there is one",
}
SCORED = ("top", "deita")
"""Methods that need a score; `cover` may have one."""
SPACED = ("deita", "cover")
"""Methods that need similarities."""
STRATA = (*candidates.LABELS, "task", "")
BOUNDS = {"grams": 0.2, "vectors": 0.9}
"""From which similarity deita refuses a record: Deita's own for vectors; for n-grams this project's
choice, above what nineteen of twenty records of a mixed collection have to their nearest one."""


def select(
    *,
    work: Path,
    method: str,
    amount: int,
    name: str = "",
    score: str = "",
    lowest: bool = False,
    bound: float | None = None,
    stratify: str = "task_minor",
    thresholds: Sequence[Threshold] = (),
    vectors: Path | None = None,
    writers: Sequence[str] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> store.Facts:
    """Choose records.

    Args:
        work: a working folder in which curate has run.
        method: one of METHODS.
        amount: how many; all where there are no more.
        name: of the selection; empty: the method's.
        score: SCORER@MODEL, for methods that use one; records without it are `Unscored`, never 0.
        lowest: low scores are the good ones, as with ifd or a perplexity.
        bound: similarity from which deita refuses; None: as BOUNDS says.
        stratify: whose shares random keeps beside the source's, and balance makes equal.
        thresholds: what is no candidate for its score.
        vectors: a Parquet file (id, vector) to measure similarity by; None: character n-grams.
        writers: models whose drafted answers stand where a record has none.
        seed: of the lottery, which also decides between equals.
        progress: told of every part read.

    Raises:
        UserError: what can't be asked for, or a dedup older than what was curated since.
    """
    folder = folder_of(work, name or method)
    _check(method, amount, score, bound, stratify, vectors)
    wanted = [_as_threshold(score)] if score else []
    known = read(vectors) if vectors else pl.DataFrame()
    inputs, curated, ran = sources_of(work)
    limit = bound if bound is not None else BOUNDS["vectors" if vectors else "grams"]
    facts: dict[str, Any] = {
        "stage": "select",
        "program": store.program(),
        "inputs": inputs,
        "answers": answers.prints(work, writers),
        "reviewed": decisions.mark(decisions.read(work)),
        "scores": prints(work, [*thresholds, *wanted]),
        "thresholds": [asdict(one) for one in thresholds],
        "vectors": vectors and store.Hashes(work).of(str(vectors)),
        "method": method,
        "amount": amount,
        "score": score,
        "lowest": lowest,
        "bound": limit if method == "deita" else None,
        "stratify": stratify if method in ("random", "balance") else None,
        "writers": list(writers),
        "seed": seed,
    }
    mark = store.fingerprint(facts)
    if done := store.finished(folder, mark):
        return done
    store.begin(folder, mark)
    found = pool(work, curated, ran=ran, writers=writers, seed=seed, progress=progress)
    total = len(found.table) + len(found.rejected)
    table, gone = _fit(work, found.table, thresholds, wanted)
    gone.append(found.rejected)
    if vectors:
        without = ~pl.col("id").is_in(known["id"].implode())
        gone.append(_left(table.filter(without), "NoVector"))
        table = table.filter(~without)
    table = table.drop("row").with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    space: Space | None = None
    if method in SPACED:
        space = of_vectors(table, known) if vectors else of_texts(work, curated, table, writers)
    choice = _choose(table, method, amount, limit, stratify, space, lowest=lowest)
    chosen, left = _named(table, choice, gone)
    if len(chosen) + len(left) != total or total + found.duplicates != found.kept:
        raise RuntimeError(
            f"{folder}: {len(chosen)} + {len(left)} + {found.duplicates} are not {found.kept}"
        )
    store.write_frame(folder / "selected.parquet", chosen)
    store.write_frame(folder / "left.parquet", left)
    rules = left.group_by("rule").len().sort("rule")
    counts = {
        "kept": found.kept,
        "duplicates": found.duplicates,
        "candidates": total,
        "selected": len(chosen),
        "left": len(left),
        "rules": dict(rules.iter_rows()),
    }
    return store.seal(folder, mark, {**facts, **counts})


def _check(
    method: str, amount: int, score: str, bound: float | None, stratify: str, vectors: Path | None
) -> None:
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    if amount < 1:
        raise UserError("an amount is 1 or more", mend="mend --amount")
    if method in SCORED and not score:
        raise UserError(
            f"{method} needs a score",
            mend="name one with --score; `cqia score ngram` makes one without a key",
        )
    if score and method not in (*SCORED, "cover"):
        raise UserError(f"{method} uses no score", mend="leave --score out, or take --min-score")
    if stratify not in STRATA:
        raise unknown("column to stratify by", stratify, STRATA)
    if bound is not None and (method != "deita" or not 0 < bound <= 1):
        raise UserError("a bound is deita's, above 0 and at most 1", mend="mend --bound")
    if vectors and method not in SPACED:
        raise UserError(f"{method} looks at no similarity", mend="leave --vectors out")


def _as_threshold(score: str) -> Threshold:
    """A score by its name: a bound that nothing misses."""
    judge, at, model = score.partition("@")
    if not (judge and at and model):
        raise UserError(f"{score!r} is no score", mend="write it as SCORER@MODEL: ngram@rules")
    return Threshold(judge=judge, model=model, low=float("-inf"))


def _fit(
    work: Path, table: pl.DataFrame, thresholds: Sequence[Threshold], wanted: list[Threshold]
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The candidates that are answered, meet all thresholds and have the score; and the others."""
    gone = [_left(table.filter(pl.col("length") == 0), "NoAnswer")]
    table = table.filter(pl.col("length") > 0)
    before = table
    table, low = below(work, table, [*thresholds, *wanted])
    means = pl.concat(
        [pl.DataFrame(schema={"id": pl.String, "mean": pl.Float64, "rule": pl.String})]
        + [means_of(one.folder(work)).with_columns(rule=pl.lit(f"Score.{one.name}"))
           for one in thresholds]
    )  # fmt: skip
    low = low.join(means, on=["id", "rule"], how="left", maintain_order="left")
    gone.append(low.select("id", "source", "rule", "bound", value="mean"))
    if len(table) + len(low) != len(before):
        raise RuntimeError("a candidate is neither fit nor left")
    for one in wanted:
        scores = means_of(one.folder(work)).rename({"mean": "score"})
        table = table.join(scores, on="id", how="left", maintain_order="left")
        gone[-1] = gone[-1].with_columns(
            bound=pl.when(pl.col("bound").is_infinite()).then(None).otherwise("bound")
        )
    return table, gone


def _left(table: pl.DataFrame, rule: str) -> pl.DataFrame:
    return table.select("id", pl.col("source").cast(pl.String), rule=pl.lit(rule))


def _choose(
    table: pl.DataFrame,
    method: str,
    amount: int,
    bound: float,
    stratify: str,
    space: Space | None,
    *,
    lowest: bool,
) -> Choice:
    if not len(table):
        return Choice(pl.DataFrame(schema=TAKEN), pl.DataFrame(schema=LEFT))
    if method == "top":
        return top(table, amount, lowest=lowest)
    if method == "deita":
        assert space is not None
        return deita(table, space, amount, bound=bound, lowest=lowest)
    if method == "cover":
        assert space is not None
        return covering(table, space, amount, lowest=lowest)
    return by_lot(table, amount, stratify, equal=method == "balance")


def by_lot(table: pl.DataFrame, amount: int, stratify: str, *, equal: bool) -> Choice:
    """A sample that keeps the shares of source and task, or takes as much of every task.

    Args:
        table: the candidates.
        amount: how many.
        stratify: the column of the task; empty: none.
        equal: the same amount of every task; what a small one can't give goes to the others.
    """
    strata = [stratify] if equal else ["source", stratify]
    strata = [one for one in strata if one]
    rows = sample(table, budget=amount, unit="records", strata=strata,
                  temperature=float("inf") if equal and strata else 1.0)  # fmt: skip
    taken = table.filter(pl.col("row").is_in(rows.implode()))
    labels = [pl.col(one).cast(pl.String).fill_null("").replace("", "–") for one in strata]
    name = pl.concat_str(*labels, separator=" / ") if labels else pl.lit("all")
    sizes = table.select("row", stratum=name).with_columns(size=pl.len().over("stratum"))
    taken = taken.join(sizes, on="row", how="left", maintain_order="left")
    share = pl.len().over("stratum")
    reason = pl.format("by lot, one of {} from {} of {}", share, "size", "stratum")
    left = table.join(taken, on="row", how="anti", maintain_order="left")
    return Choice(
        pl.concat([pl.DataFrame(schema=TAKEN), taken.select("row", reason=reason)], how="diagonal"),
        pl.concat(
            [pl.DataFrame(schema=LEFT), left.select("row", rule=pl.lit("NotDrawn"))],
            how="diagonal",
        ),
    )


def _named(
    table: pl.DataFrame, choice: Choice, gone: list[pl.DataFrame]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What was taken and left, with ids for rows."""
    score = pl.col("score") if "score" in table.columns else pl.lit(None, pl.Float64)
    ids = table.select("row", "id", pl.col("source").cast(pl.String), score=score)
    chosen = choice.taken.join(ids, on="row", how="left", maintain_order="left")
    chosen = chosen.with_columns(order=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
    left = choice.left.join(ids.drop("score"), on="row", how="left", maintain_order="left")
    left = left.join(ids.select(other=pl.col("row"), who=pl.col("id")), on="other", how="left",
                     maintain_order="left").drop("other").rename({"who": "other"})  # fmt: skip
    every = pl.concat([pl.DataFrame(schema=NOT_SELECTED), *gone, left], how="diagonal_relaxed")
    return chosen.select(*SELECTED), every.select(*NOT_SELECTED)
