"""What every run of transformers' Trainer here needs: going on after a kill, and silence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cqia.workers import Progress

STATE = "trainer_state.json"
"""The Trainer writes it last into a checkpoint: where it can be read, the checkpoint is whole."""


def last_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that a kill didn't cut short, or None."""
    found = []
    for place in folder.glob("checkpoint-*"):
        number = re.fullmatch(r"checkpoint-(\d+)", place.name)
        if number and _readable(place / STATE):
            found.append((int(number[1]), str(place)))
    return max(found)[1] if found else None


def _readable(path: Path) -> bool:
    try:
        json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let torch use so many threads on the CPU; sums depend on it in their last bits."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' bars and notes off the terminal; what fails still raises."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def told(trainer: Any, progress: Progress | None) -> None:  # noqa: ANN401
    """Let a Trainer report to `progress` instead of printing."""
    from transformers import PrinterCallback, TrainerCallback

    class Tell(TrainerCallback):  # type: ignore[misc, unused-ignore]
        """Tells of every step, with the last loss."""

        def __init__(self) -> None:
            self._loss = ""

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:  # noqa: ANN401
            if logs and "loss" in logs:
                self._loss = f"loss {float(logs['loss']):.2f}"

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
            if progress:
                progress(state.global_step, state.max_steps, self._loss)

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Tell())
