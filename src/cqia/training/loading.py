"""A base model as it is loaded to be trained: its fingerprint, precision, and adapters."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from cqia.errors import UserError
from cqia.training.tuning import Tuning

WEIGHTS = (".safetensors", ".bin", ".json", ".jinja", ".model", ".txt")
"""Endings of the files of a base that what is learnt depends on."""


def fingerprint(base: Path, sha256: Callable[[str], str] | None = None) -> str:
    """A hash of a base's weights, configuration and tokenizer; its place is not in it.

    Args:
        base: its folder.
        sha256: of a file, as `store.Hashes.of` remembers it between runs; None: this process reads
            a file once, as long as its size and time stay the same.

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
        digest = sha256(str(path)) if sha256 else _sha256(path)
        total.update(f"{path.name}\0{digest}\0".encode())
    return total.hexdigest()[:16]


def _sha256(path: Path) -> str:
    status = path.stat()
    return _read(path, (status.st_ino, status.st_size, status.st_mtime_ns))


@cache
def _read(path: Path, _: tuple[int, int, int]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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


def loaded(base: Path, tuning: Tuning, dtype: str, seed: int) -> Any:  # noqa: ANN401
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


def adapters(tuning: Tuning) -> Any:  # noqa: ANN401
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
