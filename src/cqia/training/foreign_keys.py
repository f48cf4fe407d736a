"""The keys that other trainers call our settings by.

Those of LLaMA-Factory 0.9.5, ms-swift 4.6.0 and axolotl 0.19.0, read from their sources, folders
`hparams/`, `arguments/`, `utils/schemas/`. The tests ask the trainers' own parsers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cqia import store
from cqia.training.bases import Base
from cqia.training.tuning import Tuning

DATA = "train.jsonl"
ROLES = ("system", "user", "assistant")

Keys = dict[str, Any]


def _precision(tuning: Tuning) -> str:
    """What `auto` means where no machine can be asked."""
    if tuning.dtype != "auto":
        return tuning.dtype
    return "fp32" if tuning.accelerate == "cpu" else "bf16"


def _common(tuning: Tuning, rows: int, seed: int) -> Keys:
    """Keys of transformers' TrainingArguments that two of the trainers share."""
    return {
        "output_dir": "output",
        "num_train_epochs": tuning.epochs,
        "learning_rate": tuning.learning_rate,
        "lr_scheduler_type": tuning.schedule,
        "warmup_ratio": tuning.warmup,
        "per_device_train_batch_size": rows,
        "gradient_accumulation_steps": tuning.accumulation,
        "weight_decay": tuning.weight_decay,
        "max_grad_norm": tuning.clip,
        "seed": seed,
        "data_seed": seed,
        "save_strategy": "steps" if tuning.save_every else "no",
        "save_steps": tuning.save_every or 500,
        "logging_steps": 1,
        "report_to": "none",
        "bf16": _precision(tuning) == "bf16",
        "fp16": _precision(tuning) == "fp16",
        **({"use_cpu": True} if tuning.accelerate == "cpu" else {}),
    }


def _chatml(base: Base) -> bool:
    """Is the conversation written in plain ChatML?"""
    path = Path(base.origin) / "chat_template.jinja"
    if base.template == "chatml" or not Path(base.origin).is_dir():
        return base.template == "chatml"
    if not path.is_file():
        return True
    text = path.read_text("utf-8")
    return "<|im_start|>" in text and "You are" not in text


def llama_factory(base: Base, origin: str, tuning: Tuning, seed: int, rows: int) -> Keys:
    """LLaMA-Factory's keys: transformers' arguments beside its own."""
    keys: Keys = {
        "model_name_or_path": origin,
        "trust_remote_code": base.code,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full" if tuning.method == "full" else "lora",
        "dataset_dir": ".",
        "dataset": "cqia_train",
        "cutoff_len": tuning.max_tokens,
        "packing": tuning.packing,
        "neat_packing": tuning.packing,
        "train_on_prompt": False,
        "mask_history": False,
        "disable_gradient_checkpointing": not tuning.gradient_checkpointing,
        **_common(tuning, rows, seed),
    }
    if _chatml(base):
        keys["template"] = "chatml"
    if tuning.method != "full":
        keys |= {
            "lora_rank": tuning.rank,
            "lora_alpha": tuning.alpha,
            "lora_dropout": tuning.dropout,
            "lora_target": ",".join(tuning.targets) or "all",
        }
    if tuning.method == "qlora":
        keys |= {"quantization_bit": 4, "quantization_method": "bnb"}
    if tuning.accelerate == "zero3":
        keys["deepspeed"] = "zero3.json"
    return keys


def ms_swift(base: Base, origin: str, tuning: Tuning, seed: int, rows: int) -> Keys:
    """ms-swift's keys: transformers' arguments beside its own."""
    names = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
    keys: Keys = {
        "model": origin,
        "use_hf": True,
        "dataset": [DATA],
        "split_dataset_ratio": 0,
        "tuner_type": "full" if tuning.method == "full" else "lora",
        "torch_dtype": names[_precision(tuning)],
        "max_length": tuning.max_tokens,
        "truncation_strategy": "delete",
        "packing": tuning.packing,
        "loss_scale": "default",
        "add_version": False,
        "gradient_checkpointing": tuning.gradient_checkpointing,
        **_common(tuning, rows, seed),
    }
    if kind := _model_type(base):
        keys["model_type"] = kind
    if _chatml(base):
        keys["template"] = "chatml"
    if tuning.method != "full":
        keys |= {
            "lora_rank": tuning.rank,
            "lora_alpha": tuning.alpha,
            "lora_dropout": tuning.dropout,
            "target_modules": list(tuning.targets) or ["all-linear"],
        }
    if tuning.method == "qlora":
        keys |= {"quant_method": "bnb", "quant_bits": 4}
    if tuning.accelerate == "zero3":
        keys["deepspeed"] = "zero3"
    elif tuning.accelerate == "fsdp":
        keys["fsdp"] = "fsdp2"
    return keys


def _model_type(base: Base) -> str:
    """A folder's family, which ms-swift can't always tell by itself."""
    config = Path(base.origin) / "config.json"
    return str(store.read_json(config).get("model_type", "")) if config.is_file() else ""


def axolotl(base: Base, origin: str, tuning: Tuning, seed: int, rows: int) -> Keys:
    """The keys of axolotl."""
    keys: Keys = {
        "base_model": origin,
        "trust_remote_code": base.code,
        "chat_template": "chatml" if base.template == "chatml" else "tokenizer_default",
        "datasets": [
            {
                "path": DATA,
                "ds_type": "json",
                "type": "chat_template",
                "field_messages": "messages",
                "message_property_mappings": {"role": "role", "content": "content"},
                "roles_to_train": ["assistant"],
                "train_on_eos": "turn",
            }
        ],
        "dataset_prepared_path": "prepared",
        "val_set_size": 0,
        "output_dir": "output",
        "sequence_len": tuning.max_tokens,
        "excess_length_strategy": "raise" if tuning.over_long == "error" else "drop",
        "sample_packing": tuning.packing,
        "pad_to_sequence_len": tuning.packing,
        **({"attn_implementation": "flash_attention_2"} if tuning.packing else {}),
        "num_epochs": tuning.epochs,
        "optimizer": "adamw_torch",
        "learning_rate": tuning.learning_rate,
        "lr_scheduler": "constant_with_warmup"
        if tuning.schedule == "constant"
        else tuning.schedule,
        "warmup_ratio": tuning.warmup,
        "micro_batch_size": rows,
        "gradient_accumulation_steps": tuning.accumulation,
        "weight_decay": tuning.weight_decay,
        "max_grad_norm": tuning.clip,
        "gradient_checkpointing": tuning.gradient_checkpointing,
        "bf16": _precision(tuning) == "bf16",
        "fp16": _precision(tuning) == "fp16",
        "tf32": False,
        "seed": seed,
        "logging_steps": 1,
        **({"save_steps": tuning.save_every} if tuning.save_every else {"save_strategy": "no"}),
    }
    if tuning.method != "full":
        keys |= {
            "adapter": tuning.method,
            "load_in_4bit": tuning.method == "qlora",
            "lora_r": tuning.rank,
            "lora_alpha": tuning.alpha,
            "lora_dropout": tuning.dropout,
        }
        keys |= (
            {"lora_target_modules": list(tuning.targets)}
            if tuning.targets
            else {"lora_target_linear": True}
        )
    if tuning.accelerate == "zero3":
        keys["deepspeed"] = "zero3.json"
    elif tuning.accelerate == "fsdp":
        keys |= {
            "fsdp_version": 2,
            "fsdp_config": {
                "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
                "reshard_after_forward": True,
                "state_dict_type": "SHARDED_STATE_DICT",
            },
        }
    return keys


KEYS: dict[str, Callable[[Base, str, Tuning, int, int], Keys]] = {
    "llama-factory": llama_factory,
    "ms-swift": ms_swift,
    "axolotl": axolotl,
}
"""Trainer -> its keys, made of base, its name there, tuning, seed, and rows at a time on a GPU."""
