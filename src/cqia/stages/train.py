"""Train: fine-tune a base model on records, and tell what it has learnt from.

    train(folder=Path("work/train/zhihu"), records=records, base=base, tuning=Tuning(), seed=0)

writes into the folder, beside the manifest:

    model/              the model, or the adapters that belong to the base
    preflight.parquet   a row a record: kept or dropped, by which rule, how many tokens
    loss.parquet        a row a step
    timing.json         how long this run took; it is no part of the result

A run that is killed goes on from its last whole checkpoint, and on a CPU ends with the same weights
bit by bit as one that was not. With the same records, base, tuning and seed nothing is done again.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import polars as pl

from cqia import store
from cqia.training import sft
from cqia.training.chat import opened
from cqia.training.loading import fingerprint
from cqia.training.preflight import RULES, Checked, check
from cqia.training.tuning import Tuning
from cqia.workers import Progress

CODE = (
    "training/chat.py",
    "training/chatml.py",
    "training/guards.py",
    "training/loading.py",
    "training/order.py",
    "training/preflight.py",
    "training/sft.py",
    "training/tuning.py",
    "stages/train.py",
)
"""What a trained model depends on: a change elsewhere trains nothing anew."""
READ = ("id", "source", "system", "history", "instruction", "input", "output")
"""Columns of a record that training reads."""


def train(
    *,
    folder: Path,
    records: pl.DataFrame,
    base: Path,
    tuning: Tuning,
    seed: int,
    progress: Progress | None = None,
) -> store.Facts:
    """Fine-tune a model.

    Args:
        folder: where the result goes.
        records: columns of `cqia.record.SCHEMA`, at least id, source, instruction and output; a
            record that stands there twice is learnt twice. Their order doesn't matter.
        base: the folder of a model with its tokenizer.
        tuning: how.
        seed: of the rows' order, adapters and dropout.
        progress: told of every step.

    Returns:
        The manifest.

    Raises:
        UserError: nothing would be learnt, or the loss is no number any more.
    """
    records = records.select(name for name in READ if name in records.columns)
    records = records.sort("id", "output") if {"id", "output"} <= set(records.columns) else records
    facts: store.Facts = {
        "stage": "train",
        "program": store.program(*CODE),
        "records": digest(records),
        "base": fingerprint(base),
        "tuning": repr(tuning),
        "seed": seed,
    }
    mark = store.fingerprint(facts)
    if done := store.finished(folder, mark):
        return done
    chat = opened(base)
    checked = check(
        records,
        chat,
        max_tokens=tuning.max_tokens,
        over_long=tuning.over_long,
        progress=progress,
    )
    if sft.leads():
        store.begin(folder, mark)
        store.write_frame(folder / "preflight.parquet", checked.rows)
    start = time.monotonic()
    with _place(folder) as place:
        run = sft.fit(
            folder / "checkpoints",
            base=base,
            tokenizer=chat.tokenizer,
            ids=checked.ids,
            trained=checked.trained,
            tuning=tuning,
            seed=seed,
            model=place,
            progress=progress,
        )
    said = _said(checked, run, base, tuning.method != "full")
    if not sft.leads():
        return {"fingerprint": mark, **facts, **said}
    store.write_frame(folder / "loss.parquet", run.losses)
    seconds = time.monotonic() - start
    store.write_json(folder / "timing.json", {"seconds": seconds, "resumed_from": run.resumed})
    done = store.seal(folder, mark, {**facts, **said})
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    return done


def digest(records: pl.DataFrame) -> str:
    """A hash of records' texts, ids and order."""
    total = hashlib.sha256()
    for part in records.iter_slices(10_000):
        for row in part.iter_rows():
            total.update(orjson.dumps(row))
    return total.hexdigest()[:16]


@contextmanager
def _place(folder: Path) -> Iterator[Path]:
    """Where the model is written to; it appears as `folder/model` when it is whole."""
    if sft.leads():
        with store.part(folder, "model") as place:
            yield place
    else:
        yield folder / "model.unfinished"


def _said(checked: Checked, run: sft.Run, base: Path, adapter: bool) -> store.Facts:
    """The manifest's account of a run.

    Raises:
        RuntimeError: records are missing in it.
    """
    rows, losses = checked.rows, run.losses
    rules = {rule: int((rows["rule"] == rule).sum()) for rule in RULES}
    kept = len(checked.ids)
    if kept + sum(rules.values()) != len(rows):
        raise RuntimeError(f"{len(rows)} records were read, {kept} kept, and dropped: {rules}")
    return {
        "base_name": base.name,
        "adapter": adapter,
        "read": len(rows),
        "kept": kept,
        "dropped": {rule: n for rule, n in rules.items() if n},
        "sources": dict(rows.filter("kept")["source"].value_counts().sort("source").iter_rows()),
        "answer_tokens": int(rows.filter("kept")["answer_tokens"].sum()),
        "trained_tokens": int(losses["tokens"].sum()),
        "steps": len(losses),
        "first_loss": losses["loss"][0],
        "last_loss": losses["loss"][-1],
        "parameters": run.parameters,
        "trained_parameters": run.trained,
    }
