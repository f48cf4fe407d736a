"""Supervised fine-tuning: TRL's trainer over rows whose tokens are known already.

The training loop, adapters, mixed precision, checkpoints and several processes are TRL's, PEFT's
and accelerate's. What is decided here: which rows stand in which step. The order of all epochs is
laid out beforehand, by a hash lottery and grouped by length, and is then read in sequence; so a run
that is killed and goes on sees the same rows in the same steps, and ends with the same weights.
"""

from __future__ import annotations

import hashlib
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
from cqia.training.preflight import Ids, Trained
from cqia.training.running import last_checkpoint, threads, told
from cqia.training.tuning import Tuning
from cqia.workers import Progress

POOL = 32
"""Batches whose rows are sorted by length together: enough to spare nearly all padding, few enough
that an epoch stays mixed (this project's choice)."""
WEIGHTS = (".safetensors", ".bin", ".json", ".jinja", ".model", ".txt")
"""Endings of the files of a base that what is learnt depends on."""
IGNORED = -100
"""The label of a token that is not learnt."""
PROBE = 32
"""Tokens of a record that packing is tried with."""
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


def fingerprint(base: Path) -> str:
    """A hash of a base's weights, configuration and tokenizer; its place is not in it.

    Raises:
        UserError: no weights stand there.
    """
    files = sorted(one for one in base.glob("*") if one.suffix in WEIGHTS)
    if not any(one.suffix in WEIGHTS[:2] for one in files):
        raise UserError(
            "no weights stand here", where=str(base), mend="name a folder with .safetensors files"
        )
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{path.name}\0{digest}\0".encode())
    return total.hexdigest()[:16]


def leads() -> bool:
    """Is this the process that writes? Of those that accelerate started, the first."""
    return int(os.environ.get("RANK", "0")) == 0


def meet() -> None:
    """Wait until all processes that accelerate started are here; alone, go on."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import PartialState

        PartialState().wait_for_everyone()


def order(lengths: Sequence[int], *, epochs: int, batch: int, seed: int, group: bool) -> list[int]:
    """The rows of all steps in sequence: each row once an epoch, batch after batch.

    A row's place in an epoch is the hash of seed, epoch and number. group: within every `POOL`
    batches, rows are sorted by length, and the batches then stand in drawn order again.
    """
    stream = [
        row for epoch in range(epochs) for row in _drawn(range(len(lengths)), f"{seed}/{epoch}")
    ]
    if not group:
        return stream
    out: list[int] = []
    for start in range(0, len(stream), batch * POOL):
        pool = sorted(stream[start : start + batch * POOL], key=lambda row: (lengths[row], row))
        last = len(pool) % batch
        rest, pool = pool[:last], pool[last:]
        batches = [pool[at : at + batch] for at in range(0, len(pool), batch)]
        for number in _drawn(range(len(batches)), f"{seed}/pool/{start}"):
            out += batches[number]
        out += rest
    return out


def _drawn(numbers: Sequence[int], key: str) -> list[int]:
    """Numbers in an order that is a hash of a key and each."""
    return sorted(numbers, key=lambda one: hashlib.blake2b(f"{key}/{one}".encode()).digest())


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
        _watch(trainer)
        sizes = [(one.numel(), one.requires_grad) for one in trainer.model.parameters()]
        found = last_checkpoint(folder)
        trainer.train(resume_from_checkpoint=found)
        _sound(trainer)
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
    model = _model(base, tuning, dtype, seed)
    _fits(model, ids, base)
    rows = _rows(ids, trained, tuning)
    if tuning.packing:
        _apart(model, ids, base)
    sequence = order(
        [len(one) for one in ids] if not tuning.packing else [0] * len(rows),
        epochs=tuning.epochs,
        batch=tuning.batch,
        seed=seed,
        group=tuning.group_lengths and not tuning.packing,
    )
    trainer = SFTTrainer(
        model=model,
        args=_settings(folder, tuning, dtype, seed, len(sequence)),
        train_dataset=rows.select(sequence),
        processing_class=tokenizer,
        peft_config=_adapters(tuning),
    )
    learnt = [sum(label != IGNORED for label in one) for one in rows["labels"]]
    return trainer, [learnt[row] for row in sequence]


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


def precision(tuning: Tuning) -> str:
    """fp32, bf16 or fp16, as this machine can.

    Raises:
        UserError: what is asked for needs a GPU, and there is none.
    """
    import torch

    gpu = torch.cuda.is_available()
    if tuning.method == "qlora" and not gpu:
        raise UserError("qlora needs a GPU", where="tuning", mend="method = lora or full")
    if tuning.dtype == "fp16" and not gpu:
        raise UserError("fp16 needs a GPU", where="tuning", mend="dtype = fp32 or bf16")
    if tuning.dtype != "auto":
        return tuning.dtype
    return "bf16" if gpu and torch.cuda.is_bf16_supported() else "fp32"


def _model(base: Path, tuning: Tuning, dtype: str, seed: int) -> Any:  # noqa: ANN401
    """The base: in fp32 where all weights are learnt, in dtype where it only carries adapters."""
    import torch
    from transformers import AutoModelForCausalLM, set_seed

    kinds = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    set_seed(seed)
    try:
        return AutoModelForCausalLM.from_pretrained(
            base,
            dtype=torch.float32 if tuning.method == "full" else kinds[dtype],
            quantization_config=_four_bits(kinds[dtype]) if tuning.method == "qlora" else None,
            local_files_only=True,
        )
    except (OSError, ValueError) as fault:
        line = str(fault).strip().partition("\n")[0]
        raise UserError(f"this model can't be loaded: {line}", where=str(base)) from None


def _four_bits(dtype: Any) -> Any:  # noqa: ANN401
    """The base in 4-bit NormalFloat with double quantisation (QLoRA, arXiv 2305.14314)."""
    import importlib.util

    from transformers import BitsAndBytesConfig

    if not importlib.util.find_spec("bitsandbytes"):
        raise UserError("qlora needs the package bitsandbytes", mend="pip install bitsandbytes")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _adapters(tuning: Tuning) -> Any:  # noqa: ANN401
    """PEFT's settings of the adapters, or None when all weights are learnt."""
    from peft import LoraConfig

    if tuning.method == "full":
        return None
    return LoraConfig(
        r=tuning.rank,
        lora_alpha=tuning.alpha,
        lora_dropout=tuning.dropout,
        target_modules=list(tuning.targets) or "all-linear",
        task_type="CAUSAL_LM",
    )


def _settings(folder: Path, tuning: Tuning, dtype: str, seed: int, rows: int) -> Any:  # noqa: ANN401
    """TRL's settings: rows in sequence, once, since the sequence holds all epochs."""
    import torch
    from trl import SFTConfig

    world = int(os.environ.get("WORLD_SIZE", "1"))
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
        dataloader_pin_memory=torch.cuda.is_available(),
        report_to=[],
        disable_tqdm=True,
    )


def _fits(model: Any, ids: Sequence[Ids], base: Path) -> None:  # noqa: ANN401
    """Refuse rows that the model can't read."""
    most = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    longest = max(map(len, ids))
    if most is not None and longest > most:
        raise UserError(
            f"the longest record has {longest} tokens, and this base reads {most}",
            where=str(base),
            mend=f"max_tokens = {most}",
        )
    size = model.get_input_embeddings().num_embeddings
    if (top := max(int(one.max()) for one in ids)) >= size:
        raise UserError(
            f"the tokenizer has token {top}, and the model only {size} of them",
            where=str(base),
            mend="its folder holds the tokenizer of another model",
        )


def _apart(model: Any, ids: Sequence[Ids], base: Path) -> None:  # noqa: ANN401
    """Refuse to pack where a record would see the one before it.

    Transformers keeps packed records apart by their positions, which begin anew; whether this
    model and its kind of attention heed that is tried: what it says of a record's tokens must be
    the same behind another record.
    """
    import torch

    first, second = (torch.tensor(np.asarray(one[:PROBE])) for one in (ids[0], ids[-1]))
    places = torch.cat([torch.arange(len(first)), torch.arange(len(second))])
    model.eval()
    with torch.no_grad():
        alone = model(second[None], use_cache=False).logits[0]
        both = torch.cat([first, second])[None]
        packed = model(both, position_ids=places[None], use_cache=False).logits[0, len(first) :]
    model.train()
    if not torch.allclose(alone.float(), packed.float(), rtol=0.02, atol=0.02):
        raise UserError(
            "packed records would see each other in this model", where=str(base),
            mend="packing = false",
        )  # fmt: skip


def _watch(trainer: Any) -> None:  # noqa: ANN401
    """Stop at the first loss or gradient that is no number: what follows would be worth nothing."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc, unused-ignore]
        """Looks at every step's numbers."""

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ANN401
            for name in ("loss", "grad_norm"):
                if logs and name in logs and not math.isfinite(logs[name]):
                    raise UserError(
                        f"the {name} is {logs[name]} at step {state.global_step}",
                        mend="a smaller learning_rate, a longer warmup, or dtype = fp32",
                    )

    trainer.add_callback(Watch())


def _sound(trainer: Any) -> None:  # noqa: ANN401
    """Refuse weights that are no numbers: the last step's could have become so unseen."""
    import torch

    for name, one in trainer.model.named_parameters():
        if one.requires_grad and not bool(torch.isfinite(one).all()):
            raise UserError(f"the weights of {name} are no numbers", mend="a smaller learning_rate")


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
            yield
    finally:
        logging.set_verbosity(level)
        logging.enable_progress_bar()
        if bars:
            datasets.enable_progress_bars()
