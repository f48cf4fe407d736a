"""Distil: learn from a judge's scores, tell what that is worth, and score all records with it.

The predictions stand beside the judge's own scores as those of the model `distilled-MODEL`, so that
a threshold in assemble can use them, and they are never taken for the judge's. What they are worth
is told by held-out folds first: correlation with its interval, error beside that of always saying
the mean, calibration, and what a pre-filter would spare and lose.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from cqia import ledger, store
from cqia.errors import UserError
from cqia.record import TEXT
from cqia.regressor import Floats, Held, Regressor, held_out
from cqia.scores import SCORES, folder_of, read
from cqia.tables import FORMATS, render
from cqia.text.matching import exact_key, matching_view

LEAST = 100
"""Scored records below which nothing is learnt (this project's choice)."""
SHARES = (0.99, 0.95, 0.9)
"""Of the records that the judge finds good enough: shares that a pre-filter keeps."""


class Distilled(NamedTuple):
    """The manifest; calibration by tenths of the prediction; and what a pre-filter would do."""

    facts: store.Facts
    calibration: pl.DataFrame
    prefilter: pl.DataFrame


def distil(work: Path, judge: str, model: str, *, low: float = 8.0) -> Distilled:
    """Learn a judge's scores by a model, and predict those of every kept record.

    Args:
        work: a working folder in which `score` has run.
        judge: whose scores.
        model: by which model.
        low: the score from which a record counts as good enough, for the pre-filter's table.

    Raises:
        UserError: nothing was scored so, or too little to learn from.
    """
    said = read(work, judge, model).filter(state="read").group_by("id").agg(pl.col("score").mean())
    frames = [_texts(work, name) for name in ledger.curated(work)]
    scored = pl.concat(frames).join(said.drop_nulls(), on="id", how="inner", maintain_order="left")
    scores = scored["score"].to_numpy().astype(np.float64)
    groups = _questions(scored)
    if len(scored) < LEAST or len(set(groups)) < 10 or np.ptp(scores) == 0:
        raise UserError(
            f"{len(scored)} records of {len(set(groups))} questions are scored by {judge}@{model},"
            f" {LEAST} and different scores are needed to learn from",
            mend=f"score more: cqia score {judge} --model {model} --work {work}",
        )
    held = held_out(scored, scores, groups)
    regressor = Regressor()
    regressor.fit(regressor.features(scored), scores, groups)
    name = f"distilled-{model}"
    folder = folder_of(work, judge, name)
    facts: dict[str, Any] = {
        "stage": "distil",
        "program": store.program(),
        "judge": judge,
        "model": name,
        "family": "distilled",
        "from": (store.manifest(folder_of(work, judge, model)) or {})["fingerprint"],
        "low": low,
    }
    mark = store.fingerprint(facts)
    store.begin(folder, mark)
    count = 0
    for number, frame in enumerate(frames):
        table = _predicted(frame, regressor)
        count += len(table)
        with store.part(folder, f"{number:05d}") as place:
            store.write_frame(place / "scores.parquet", table)
    calibration, prefilter = _calibration(held, scores), _prefilter(held, scores, low)
    for title, shown in (("calibration", calibration), ("prefilter", prefilter)):
        for kind in FORMATS:
            store.write_bytes(folder / f"{title}.{kind}", render(shown, kind).encode())
    worth = {
        "learnt_from": held.n,
        "questions": held.questions,
        "pearson": held.pearson,
        "spearman": held.spearman,
        "error": held.error,
        "error_of_the_mean": held.baseline,
    }
    done = {"records": count, "states": {"read": count}, "complete": True, "held_out": worth}
    return Distilled(store.seal(folder, mark, {**facts, **done}), calibration, prefilter)


def _texts(work: Path, name: str) -> pl.DataFrame:
    """A source's kept records that have an answer."""
    parts = [
        pl.read_parquet(part / "kept.parquet", columns=["id", "source", *TEXT])
        for part in store.parts(work / "curate" / name)
    ]
    frame = pl.concat(parts).with_columns(pl.col("source").cast(pl.String))
    return frame.filter(pl.col("output").str.strip_chars() != "")


def _questions(frame: pl.DataFrame) -> list[int]:
    """A number a question, equal where instruction and input are."""
    views = [matching_view(frame[name]) for name in TEXT[:2]]
    numbers: Sequence[int] = exact_key(*views).rank("dense").to_list()
    return list(numbers)


def _predicted(frame: pl.DataFrame, regressor: Regressor) -> pl.DataFrame:
    """A frame's rows as `score` would write them, with what the regressor says for a score."""
    values = regressor.predict(regressor.features(frame)) if len(frame) else np.zeros(0)
    made = frame.select("id", "source").with_columns(
        repeat=pl.lit(0, pl.Int64),
        state=pl.lit("read"),
        score=pl.Series(values, dtype=pl.Float64),
    )
    return pl.concat([pl.DataFrame(schema=SCORES), made], how="diagonal")


def _calibration(held: Held, scores: Floats) -> pl.DataFrame:
    """Tenths of the records by prediction: n, mean prediction, mean score, its standard error."""
    rank = pl.Series(held.predicted).rank("ordinal")
    frame = pl.DataFrame({"predicted": held.predicted, "score": scores, "rank": rank})
    tenth = ((pl.col("rank") - 1) * 10 // pl.len() + 1).alias("tenth")
    return (
        frame.group_by(tenth)
        .agg(
            n=pl.len(),
            predicted=pl.col("predicted").mean(),
            score=pl.col("score").mean(),
            error=pl.col("score").std() / pl.len().sqrt(),
        )
        .sort("tenth")
    )


def _prefilter(held: Held, scores: Floats, low: float) -> pl.DataFrame:
    """Which bound on the prediction keeps so many of the good records, and what it spares."""
    good = scores >= low
    rows = []
    for share in SHARES:
        if not good.any():
            continue
        bound = float(np.quantile(held.predicted[good], 1 - share))
        passed = held.predicted >= bound
        rows.append(
            {
                "bound": bound,
                "good": int(good.sum()),
                "good_kept": float(passed[good].mean()),
                "spared": float(1 - passed.mean()),
                "bad_spared": float(1 - passed[~good].mean()) if (~good).any() else None,
            }
        )
    names = ("bound", "good", "good_kept", "spared", "bad_spared")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Float64))
