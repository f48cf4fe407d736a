"""Pretrain: a proxy base model from the texts at hand.

    pretrain(folder=Path("work/base/mine"), texts=texts, shape=SHAPES["proxy-3m"], tokens=300_000)

writes `model/` (a Hugging Face folder with tokenizer and chat template), `loss.parquet` (step,
tokens, loss) and the manifest. The length is given in tokens, never in minutes: the same texts,
shape and seed give the same weights on a CPU, however fast it is. A run that is killed goes on from
the Trainer's last checkpoint to the same weights.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from cqia import store
from cqia.exporters.chosen import SPLITS, Chosen
from cqia.training import running
from cqia.training.proxy import Rows, Shape, decoder, digest, packed, steps, tokenizer
from cqia.workers import Progress

CHECKPOINTS = 20
"""How many checkpoints a run makes; the last two stand on disk."""
STEP = 1_024
"""Tokens a step: small models learn more from many small steps (this project's choice)."""
LOSSES = 200
"""How many points of the loss curve are kept."""


def pretrain(
    *,
    folder: Path,
    texts: Iterable[str],
    shape: Shape,
    tokens: int | None = None,
    epochs: float = 1.0,
    seed: int = 0,
    batch: int | None = None,
    rate: float = 2e-3,
    threads: int = 1,
    origins: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> store.Facts:
    """Make a tokenizer and a decoder, and pre-train it on the texts.

    Args:
        folder: where the result goes.
        texts: what is learnt; empty ones are left out and counted.
        shape: the decoder's.
        tokens: how many tokens are seen; None: `epochs` decides.
        epochs: passes over the texts.
        seed: of the order, the first weights and the tokenizer's sample.
        batch: rows of `context` tokens a step; None: about STEP tokens.
        rate: the highest learning rate, reached after a twentieth of the steps; then a cosine.
        threads: of torch on a CPU; a small model is not faster with more (docs/bases.md).
        origins: what stands in the manifest of where the texts are from: sources, licences.
        progress: told of every step.

    Raises:
        UserError: too little text, or numbers out of bounds.
    """
    given = list(texts)
    batch = batch or max(1, STEP // shape.context)
    full = [text for text in given if text.strip()]
    facts = {
        "stage": "pretrain",
        "program": store.program("training/proxy.py", "training/chatml.py", "stages/pretrain.py"),
        "proxy": True,
        "texts": digest(full),
        "shape": asdict(shape),
        "tokens": tokens,
        "epochs": epochs if tokens is None else None,
        "seed": seed,
        "batch": batch,
        "rate": rate,
        "threads": threads,
        "origins": dict(origins or {}),
    }
    mark, checkpoints = store.fingerprint(facts), folder / "checkpoints"
    if done := store.finished(folder, mark):
        shutil.rmtree(checkpoints, ignore_errors=True)
        return done
    store.begin(folder, mark)
    began = time.monotonic()
    own = tokenizer(full, shape, seed)
    rows = packed(full, own, shape, seed)
    size = min(batch, len(rows))
    count = steps(len(rows), size, shape, tokens, epochs)
    model = decoder(own, shape, seed)
    with running.threads(threads), running.quiet():
        losses = _learn(model, rows, checkpoints, count, size, rate, seed, progress)
    with store.part(folder, "model") as place, running.quiet():
        model.save_pretrained(place)
        own.save_pretrained(place)
    losses = losses.with_columns(tokens=pl.col("step") * size * shape.context)
    store.write_frame(folder / "loss.parquet", losses.select("step", "tokens", "loss"))
    store.write_json(folder / "timing.json", {"seconds": round(time.monotonic() - began, 1)})
    result = {
        "parameters": model.num_parameters(),
        "vocabulary": len(own),
        "steps": count,
        "tokens_seen": count * size * shape.context,
        "tokens_given": int(rows.size),
        "records": {"read": len(given), "kept": len(full), "dropped": len(given) - len(full)},
        "characters": sum(map(len, full)),
        "template": "chatml",
        "loss": losses["loss"][-1],
    }
    facts = store.seal(folder, mark, {**facts, **result})
    shutil.rmtree(checkpoints, ignore_errors=True)
    return facts


def texts(chosen: Chosen) -> Iterator[str]:
    """The records of a dataset's train split as plain texts, one paragraph a part."""
    parts = ("system", "instruction", "input", "output")
    for facts in chosen.sources:
        for split, records in chosen.batches(facts["source"]):
            if split == SPLITS[0]:
                for row in records.select(*parts, "history").iter_rows(named=True):
                    turns = [turn[one] for turn in row["history"] for one in parts[1::2]]
                    whole = [row["system"], *turns, *(row[one] for one in parts[1:])]
                    yield "\n".join(part for part in whole if part)


def origins(chosen: Chosen) -> dict[str, Any]:
    """What a proxy's manifest says of its texts: each source's licence, and the dataset."""
    licences = {one["source"]: one["licence"] for one in chosen.sources}
    return {"licences": licences, "assemble": chosen.facts["fingerprint"]}


def _learn(
    model: Any,  # noqa: ANN401
    rows: Any,  # noqa: ANN401
    folder: Path,
    count: int,
    batch: int,
    rate: float,
    seed: int,
    progress: Progress | None,
) -> pl.DataFrame:
    """Let the Trainer run to the end from its last whole checkpoint; step and loss."""
    from transformers import Trainer, TrainingArguments

    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=count,
        per_device_train_batch_size=batch,
        dataloader_drop_last=True,
        dataloader_pin_memory=False,
        learning_rate=rate,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, count // 20),
        weight_decay=0.1,
        adam_beta2=0.95,
        max_grad_norm=1.0,
        logging_steps=max(1, count // LOSSES),
        save_strategy="steps",
        save_steps=max(1, count // CHECKPOINTS),
        save_total_limit=2,
        seed=seed,
        data_seed=seed,
        report_to=[],
        disable_tqdm=True,
    )
    trainer = Trainer(model=model, args=arguments, train_dataset=Rows(rows))
    running.told(trainer, progress)
    trainer.train(resume_from_checkpoint=running.last_checkpoint(folder))
    found = [(one["step"], one["loss"]) for one in trainer.state.log_history if "loss" in one]
    return pl.DataFrame(found, schema={"step": pl.Int64, "loss": pl.Float64}, orient="row")
