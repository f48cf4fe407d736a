"""Supervised fine-tuning: TRL's trainer over rows whose tokens are known already.

The training loop, adapters, mixed precision, checkpoints and several processes are TRL's, PEFT's
and accelerate's. What is decided here: which rows stand in which step. The order of all epochs is
laid out beforehand, by a hash lottery and grouped by length, and is then read in sequence; so a run
that is killed and goes on sees the same rows in the same steps, and ends with the same weights.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cqia.errors import UserError, missing_extra
from cqia.llm.local_folder import RENAMED
from cqia.training.guards import apart, fits, sound, watch
from cqia.training.loading import adapters, loaded, precision
from cqia.training.order import order
from cqia.training.preflight import Ids, Trained
from cqia.training.running import last_checkpoint, threads, told
from cqia.training.tuning import Tuning
from cqia.workers import Progress

IGNORED = -100
"""The label of a token that is not learnt."""
SCHEDULES = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}
"""Our names of the schedules -> transformers'."""
LOSS = {"step": pl.Int64, "epoch": pl.Float64, "loss": pl.Float64, "tokens": pl.Int64}
"""A row a step: tokens are those that are learnt in it."""


class Run(NamedTuple):
    """What came of a run. losses: `LOSS`. resumed: the step it went on from; 0: the start."""

    losses: pl.DataFrame
    parameters: int
    trained: int
    resumed: int


def leads() -> bool:
    """Is this the process that writes? Of those that accelerate started, the first."""
    return int(os.environ.get("RANK", "0")) == 0


def processes() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def meet() -> None:
    """Wait until all processes that accelerate started are here; alone, go on."""
    if processes() > 1:
        from accelerate import PartialState

        PartialState().wait_for_everyone()


def fit(
    folder: Path,
    *,
    base: Path,
    tokenizer: Any,  # noqa: ANN401
    ids: Sequence[Ids],
    trained: Sequence[Trained],
    tuning: Tuning,
    seed: int,
    model: Path,
    progress: Progress | None = None,
) -> Run:
    """Fine-tune, and write the model.

    Args:
        folder: where checkpoints stand; the run goes on from the last whole one.
        base: the model's folder.
        tokenizer: with the chat template that the rows were written by; it is saved along.
        ids: the rows' tokens.
        trained: which of them are learnt.
        tuning: how.
        seed: of the rows' order, the adapters' first weights and dropout.
        model: the folder that the model, or the adapters beside the base, are written to.
        progress: told of every step.

    Raises:
        UserError: the loss is no number any more, or something is asked for that this machine or
            base can't do.
    """
    try:
        import peft  # noqa: F401
        import trl  # noqa: F401
    except ImportError as fault:
        raise missing_extra(str(fault.name), "train") from None
    meet()
    with threads(tuning.threads), quiet():
        trainer, learnt = _trainer(folder, base, tokenizer, ids, trained, tuning, seed)
        told(trainer, progress)
        watch(trainer)
        sizes = [(one.numel(), one.requires_grad) for one in trainer.model.parameters()]
        found = last_checkpoint(folder)
        trainer.train(resume_from_checkpoint=found)
        sound(trainer)
        if trainer.is_fsdp_enabled:
            trainer.accelerator.state.fsdp_plugin.set_state_dict_type("FULL_STATE_DICT")
        trainer.save_model(str(model))
    if leads():
        (model / "training_args.bin").unlink(missing_ok=True)
    return Run(
        losses=_losses(trainer.state.log_history, learnt, tuning),
        parameters=sum(size for size, _ in sizes),
        trained=sum(size for size, learns in sizes if learns),
        resumed=int(found.rpartition("-")[2]) if found else 0,
    )


def _trainer(
    folder: Path,
    base: Path,
    tokenizer: Any,  # noqa: ANN401
    ids: Sequence[Ids],
    trained: Sequence[Trained],
    tuning: Tuning,
    seed: int,
) -> tuple[Any, list[int]]:
    """TRL's trainer, and how many tokens each row teaches, in the order of the steps."""
    from trl import SFTTrainer

    dtype = precision(tuning)
    model = loaded(base, tuning, dtype, seed)
    fits(model, ids, base)
    rows = _rows(ids, trained, tuning)
    if tuning.packing:
        apart(model, ids, base)
    sequence = order(
        [len(one) for one in ids] if not tuning.packing else [0] * len(rows),
        epochs=tuning.epochs,
        batch=tuning.batch,
        seed=seed,
        group=tuning.group_lengths and not tuning.packing,
    )
    learnt = [sum(label != IGNORED for label in one) for one in rows["labels"]]
    teaches = [learnt[row] for row in sequence]
    if processes() > 1:
        rows, sequence = _filled(rows, sequence, tuning.batch)
    trainer = SFTTrainer(
        model=model,
        args=_settings(folder, tuning, dtype, seed, len(sequence)),
        train_dataset=rows.select(sequence),
        processing_class=tokenizer,
        peft_config=adapters(tuning),
    )
    return trainer, teaches


def _filled(rows: Any, sequence: list[int], batch: int) -> tuple[Any, list[int]]:  # noqa: ANN401
    """Rows that teach nothing, so that the last step has some for every process.

    Left to itself, accelerate would give the processes without a row the first ones once more.
    """
    from datasets import concatenate_datasets

    blank = rows.select([0]).map(
        lambda row: {"labels": [IGNORED] * len(row["labels"])}, features=rows.features
    )
    filled = concatenate_datasets([rows, blank])
    return filled, sequence + [len(rows)] * (-len(sequence) % batch)


def _rows(ids: Sequence[Ids], trained: Sequence[Trained], tuning: Tuning) -> Any:  # noqa: ANN401
    """The rows as TRL takes them, several to a sequence where they are packed."""
    import pyarrow as pa
    from datasets import Dataset
    from trl import pack_dataset

    def lists(values: Sequence[npt.NDArray[np.int32]]) -> Any:  # noqa: ANN401
        offsets = np.cumsum([0, *map(len, values)]).astype(np.int32)
        return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(values)))

    labels = [
        np.where(learns, one, IGNORED).astype(np.int32)
        for one, learns in zip(ids, trained, strict=True)
    ]
    made = Dataset(pa.table({"input_ids": lists(ids), "labels": lists(labels)}))
    return pack_dataset(made, tuning.max_tokens, "bfd") if tuning.packing else made


def _settings(folder: Path, tuning: Tuning, dtype: str, seed: int, rows: int) -> Any:  # noqa: ANN401
    """TRL's settings: rows in sequence, once, since the sequence holds all epochs."""
    import torch
    from trl import SFTConfig

    world = processes()
    portion, left = divmod(tuning.batch, tuning.accumulation * world)
    if left:
        raise UserError(
            f"a batch of {tuning.batch} can't be shared by {world} processes with"
            f" {tuning.accumulation} portions each",
            where="tuning",
            mend=f"make batch a multiple of {tuning.accumulation * world}",
        )
    steps = math.ceil(rows / tuning.batch)
    return SFTConfig(
        output_dir=str(folder),
        num_train_epochs=1,
        train_sampling_strategy="sequential",
        per_device_train_batch_size=portion,
        gradient_accumulation_steps=tuning.accumulation,
        learning_rate=float(tuning.learning_rate),
        lr_scheduler_type=SCHEDULES[tuning.schedule],
        warmup_steps=math.ceil(tuning.warmup * steps),
        weight_decay=tuning.weight_decay,
        max_grad_norm=tuning.clip,
        bf16=dtype == "bf16",
        fp16=dtype == "fp16",
        activation_checkpointing=tuning.gradient_checkpointing,
        max_length=tuning.max_tokens if tuning.packing else None,
        packing=tuning.packing,
        dataset_kwargs={"skip_prepare_dataset": True},
        save_strategy="steps" if tuning.save_every else "no",
        save_steps=tuning.save_every or 1,
        save_total_limit=2,
        logging_steps=1,
        logging_nan_inf_filter=False,
        seed=seed,
        data_seed=seed,
        use_cpu=not torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        report_to=[],
        disable_tqdm=True,
    )


def _losses(
    history: Sequence[dict[str, Any]], learnt: Sequence[int], tuning: Tuning
) -> pl.DataFrame:
    """A row a step, of this run and those that it goes on from."""
    found = {one["step"]: one["loss"] for one in history if "loss" in one}
    table = []
    for step in sorted(found):
        high = min(step * tuning.batch, len(learnt))
        tokens = sum(learnt[(step - 1) * tuning.batch : high])
        epoch = tuning.epochs * high / len(learnt)
        table.append({"step": step, "epoch": epoch, "loss": found[step], "tokens": tokens})
    return pl.DataFrame(table, schema=LOSS)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' bars and notes off the terminal."""
    import datasets
    from transformers.utils import logging

    level = logging.get_verbosity()
    bars = datasets.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", RENAMED, FutureWarning)
            yield
    finally:
        logging.set_verbosity(level)
        logging.enable_progress_bar()
        if bars:
            datasets.enable_progress_bars()
