"""What stops a run that would be worth nothing: before its first step, at each, after the last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cqia.errors import UserError
from cqia.training.preflight import Ids

PROBE = 32
"""Tokens of a record that packing is tried with."""


def fits(model: Any, ids: Sequence[Ids], base: Path) -> None:  # noqa: ANN401
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


def apart(model: Any, ids: Sequence[Ids], base: Path) -> None:  # noqa: ANN401
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


def watch(trainer: Any) -> None:  # noqa: ANN401
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


def sound(trainer: Any) -> None:  # noqa: ANN401
    """Refuse weights that are no numbers: the last step's could have become so unseen."""
    import torch

    for name, one in trainer.model.named_parameters():
        if one.requires_grad and not bool(torch.isfinite(one).all()):
            raise UserError(f"the weights of {name} are no numbers", mend="a smaller learning_rate")
