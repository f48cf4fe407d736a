"""How a model is fine-tuned: every number that the outcome depends on, in one flat value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from cqia.errors import UserError, unknown

Method = Literal["full", "lora", "qlora"]
Schedule = Literal["constant", "linear", "cosine"]
OverLong = Literal["drop", "error"]
Dtype = Literal["auto", "fp32", "bf16", "fp16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How a model is fine-tuned. The defaults are this project's own, for a small model on a CPU.

    method: all weights, low-rank adapters, or adapters on a base in 4 bits (needs a GPU).
    schedule, warmup: how the learning rate goes on after the warm-up, which takes this share of the
    steps. batch: sequences a step, over all processes; accumulation: in how many portions a process
    works through its share of them. max_tokens: the context; over_long: what happens to a record
    that is longer. It is never cut. packing: several records share a sequence, and see nothing of
    each other. group_lengths: records of like length share a batch, which spares padding.
    dtype: auto is fp32 on a CPU and bf16 on a GPU. gradient_checkpointing: less memory, more time.
    clip: the norm that gradients are cut to. rank, alpha, dropout, targets: of the adapters; no
    targets: every linear layer but the last. save_every: steps between checkpoints; 0: none, and a
    run that was stopped starts again. threads: of torch on a CPU; sums come out otherwise with
    another number. accelerate: the preset the run was launched with; "": none.
    """

    method: Method = "full"
    epochs: int = 3
    learning_rate: float = 2e-5
    schedule: Schedule = "cosine"
    warmup: float = 0.03
    batch: int = 8
    accumulation: int = 1
    max_tokens: int = 2_048
    packing: bool = False
    group_lengths: bool = True
    over_long: OverLong = "drop"
    dtype: Dtype = "auto"
    gradient_checkpointing: bool = False
    weight_decay: float = 0.0
    clip: float = 1.0
    rank: int = 8
    alpha: int = 16
    dropout: float = 0.0
    targets: tuple[str, ...] = ()
    save_every: int = 200
    threads: int = 1
    accelerate: str = ""

    def __post_init__(self) -> None:
        """Refuse what can't be meant."""
        for name, kind in CHOICES.items():
            if getattr(self, name) not in get_args(kind):
                raise unknown(name, str(getattr(self, name)), get_args(kind), where="tuning")
        for name, (low, high, kinds) in BOUNDS.items():
            value = getattr(self, name)
            right = isinstance(value, kinds) and not isinstance(value, bool)
            if not right or not math.isfinite(value) or not low <= value <= high:
                wanted = "a whole number" if kinds is int else "a number"
                top = f" to {high:g}" if math.isfinite(high) else " or more"
                raise UserError(
                    f"{name} is {wanted} of {low:g}{top}, not {value!r}", where="tuning"
                )
        for name in ("packing", "group_lengths", "gradient_checkpointing"):
            if not isinstance(getattr(self, name), bool):
                raise UserError(f"{name} is true or false", where="tuning")
        if self.learning_rate == 0:
            raise UserError("a learning_rate of 0 trains nothing", where="tuning")
        if self.batch % self.accumulation:
            raise UserError(
                f"a batch of {self.batch} is no multiple of {self.accumulation} portions",
                where="tuning",
                mend="make batch a multiple of accumulation",
            )
        if isinstance(self.targets, str) or not all(isinstance(one, str) for one in self.targets):
            raise UserError("targets is a list of names of layers", where="tuning")
        object.__setattr__(self, "targets", tuple(self.targets))


CHOICES = {"method": Method, "schedule": Schedule, "over_long": OverLong, "dtype": Dtype}

_REAL = (int, float)
BOUNDS: dict[str, tuple[float, float, type | tuple[type, ...]]] = {
    "epochs": (1, math.inf, int),
    "learning_rate": (0.0, 1.0, _REAL),
    "warmup": (0.0, 1.0, _REAL),
    "batch": (1, math.inf, int),
    "accumulation": (1, math.inf, int),
    "max_tokens": (2, math.inf, int),
    "weight_decay": (0.0, 1.0, _REAL),
    "clip": (0.0, math.inf, _REAL),
    "rank": (1, math.inf, int),
    "alpha": (1, math.inf, int),
    "dropout": (0.0, 0.99, _REAL),
    "save_every": (0, math.inf, int),
    "threads": (1, 1024, int),
}
"""Least and most of each number, and whether it must be whole."""
