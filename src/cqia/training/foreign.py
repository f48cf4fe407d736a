"""Configurations for other trainers: LLaMA-Factory, ms-swift and axolotl keep training as they do.

    write("llama-factory", folder, dataset=Path("work/dataset/messages"), base=named("yi-6b"),
          tuning=Tuning(method="lora"))

writes a folder that stands alone and can be carried to another machine: the records as messages,
the trainer's own configuration, and `run.sh`.

These trainers cut or drop records that are too long, and say so in a log at most. Where the base is
a folder on this machine its tokenizer is asked beforehand, such records stay out, and are counted
here. What a trainer's own template does differently stands in docs/foreign-trainers.md.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from cqia import store
from cqia.errors import UserError, unknown
from cqia.training.bases import Base, preset
from cqia.training.foreign_keys import DATA, KEYS, ROLES, Keys
from cqia.training.tuning import Tuning

ZERO3 = {
    "train_batch_size": "auto",
    "train_micro_batch_size_per_gpu": "auto",
    "gradient_accumulation_steps": "auto",
    "gradient_clipping": "auto",
    "bf16": {"enabled": "auto"},
    "fp16": {"enabled": "auto"},
    "zero_optimization": {
        "stage": 3,
        "overlap_comm": True,
        "contiguous_gradients": True,
        "reduce_bucket_size": "auto",
        "stage3_prefetch_bucket_size": "auto",
        "stage3_param_persistence_threshold": "auto",
        "stage3_gather_16bit_weights_on_model_save": True,
    },
}
"""DeepSpeed's stage 3 for the trainers that take its own file."""


def write(
    trainer: str,
    folder: Path,
    *,
    dataset: Path,
    base: Base,
    tuning: Tuning,
    seed: int = 0,
    gpus: int = 1,
) -> store.Facts:
    """Write what a trainer needs into a folder.

    Args:
        trainer: llama-factory, ms-swift or axolotl.
        folder: where it goes; files of an earlier call are replaced.
        dataset: a folder that `cqia assemble --to messages` wrote.
        base: what is fine-tuned; a folder is named by its full path, all else by the hub's name.
        tuning: how; `batch` is shared by the GPUs.
        seed: of order and adapters.
        gpus: processes that the run is launched with.

    Raises:
        UserError: an unknown trainer, records in another form, or something it can't do.
    """
    if trainer not in KEYS:
        raise unknown("trainer", trainer, KEYS)
    if base.kind in ("gguf", "proxy") and not Path(base.origin).is_dir():
        raise UserError(
            f"{base.name} is not a folder yet", mend="make it first, and name its folder as base"
        )
    folder.mkdir(parents=True, exist_ok=True)
    counts = _data(dataset, folder, base, tuning)
    origin = str(Path(base.origin).absolute()) if Path(base.origin).is_dir() else base.origin
    keys = KEYS[trainer](base, origin, tuning, seed, _rows(tuning, gpus))
    _extras(trainer, folder, keys, tuning)
    store.write_bytes(folder / "train.yaml", _yaml(keys).encode())
    script = f'#!/bin/sh\nset -e\ncd "$(dirname "$0")"\n{_command(trainer, tuning, gpus)}\n'
    store.write_bytes(folder / "run.sh", script.encode())
    (folder / "run.sh").chmod(0o755)
    facts = {
        "trainer": trainer,
        "base": base.origin,
        "licence": base.licence,
        "records": counts,
        "sharding": tuning.accelerate,
        "gpus": gpus,
    }
    store.write_json(folder / "facts.json", facts)
    return facts


def _rows(tuning: Tuning, gpus: int) -> int:
    """Rows at a time on one GPU."""
    parts = tuning.accumulation * gpus
    if gpus < 1 or tuning.batch % parts:
        raise UserError(
            f"a batch of {tuning.batch} can't be shared by {gpus} GPUs"
            f" in {tuning.accumulation} portions",
            mend="make batch a multiple of both",
        )
    return tuning.batch // parts


def _data(dataset: Path, folder: Path, base: Base, tuning: Tuning) -> store.Facts:
    """Copy the records that fit; how many were read, kept and dropped, and who counted tokens."""
    source = dataset / DATA
    if not source.is_file():
        raise UserError(
            "no train.jsonl stands here",
            where=str(dataset),
            mend="run: cqia assemble --to messages",
        )
    lengths = _measure(base)
    read = kept = 0
    with source.open("rb") as lines, store.whole(folder / DATA) as place, place.open("wb") as out:
        for number, line in enumerate(lines, start=1):
            turns = _turns(line, f"{source}:{number}")
            read += 1
            size = lengths(turns) if lengths else 0
            if size <= tuning.max_tokens:
                out.write(line)
                kept += 1
            elif tuning.over_long == "error":
                raise UserError(
                    f"{size} tokens are more than max_tokens = {tuning.max_tokens}",
                    where=f"{source}:{number}",
                    mend="drop such records (over_long = drop), or allow more",
                )
    if not kept:
        raise UserError(f"none of {read} records fits max_tokens", where=str(source))
    counted = "the base's tokenizer" if lengths else "nobody: the trainer cuts or drops by itself"
    return {"read": read, "kept": kept, "dropped": read - kept, "tokens_counted_by": counted}


def _turns(line: bytes, where: str) -> list[dict[str, str]]:
    try:
        turns = json.loads(line)["messages"]
        right = turns[-1]["role"] == "assistant" and all(
            turn["role"] in ROLES and isinstance(turn["content"], str) for turn in turns
        )
    except (ValueError, KeyError, TypeError, IndexError):
        right = False
    if not right:
        raise UserError(
            "this is no conversation that ends with an answer",
            where=where,
            mend="name the folder that cqia assemble --to messages wrote",
        )
    return list(turns)


def _measure(base: Base) -> Any:  # noqa: ANN401
    """A function that counts a conversation's tokens; None where the base isn't here."""
    if not Path(base.origin).is_dir():
        return None
    from cqia.training.chat import opened

    chat = opened(Path(base.origin))
    return lambda turns: len(chat.render([turns])[0].ids)


def _extras(trainer: str, folder: Path, keys: Keys, tuning: Tuning) -> None:
    """Files that the configuration names."""
    if trainer == "llama-factory":
        tags = {"role_tag": "role", "content_tag": "content"}
        tags |= {f"{role}_tag": role for role in ROLES}
        entry = {"file_name": DATA, "formatting": "sharegpt"}
        info = {"cqia_train": {**entry, "columns": {"messages": "messages"}, "tags": tags}}
        store.write_json(folder / "dataset_info.json", info)
        if tuning.accelerate == "fsdp":
            shutil.copyfile(preset("fsdp"), folder / "fsdp.yaml")
    if keys.get("deepspeed") == "zero3.json":
        store.write_json(folder / "zero3.json", ZERO3)


def _command(trainer: str, tuning: Tuning, gpus: int) -> str:
    """The line that starts the run."""
    many = f"NPROC_PER_NODE={gpus} "
    if trainer == "ms-swift":
        return f"{many if gpus > 1 else ''}swift sft train.yaml"
    if trainer == "axolotl":
        start = f"accelerate launch --num_processes {gpus} -m axolotl.cli.train"
        return f"{start if gpus > 1 else 'axolotl train'} train.yaml"
    if tuning.accelerate == "fsdp":
        launch = f"accelerate launch --config_file fsdp.yaml --num_processes {gpus}"
        return f"{launch} -m llamafactory.launcher train.yaml"
    return f"{'FORCE_TORCHRUN=1 ' + many if gpus > 1 else ''}llamafactory-cli train train.yaml"


def _yaml(keys: Mapping[str, Any]) -> str:
    """Flat YAML whose values are JSON, which YAML is a superset of; 2e-5 goes out as 0.00002.

    YAML's readers take a number with an exponent and no point for a text.
    """
    lines = []
    for name, value in keys.items():
        exact = isinstance(value, float)
        text = format(Decimal(repr(value)), "f") if exact else json.dumps(value, ensure_ascii=False)
        lines.append(f"{name}: {text}\n")
    return "".join(lines)
