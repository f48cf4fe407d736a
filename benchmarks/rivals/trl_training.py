"""One fine-tuning run in this environment: `ours`, `trl` or `trl-plain`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

BASE, ROWS, OUT = (Path(one) for one in sys.argv[2:5])
EPOCHS, BATCH, RATE, MOST = 2, 8, 1e-4, 512


def ours() -> None:
    """What `cqia train` does."""
    import polars as pl

    from cqia.training.chat import opened
    from cqia.training.preflight import check
    from cqia.training.sft import fit
    from cqia.training.tuning import Tuning

    chat = opened(BASE)
    checked = check(pl.read_ndjson(ROWS), chat, max_tokens=MOST)
    fit(
        OUT / "checkpoints",
        base=BASE,
        tokenizer=chat.tokenizer,
        ids=checked.ids,
        trained=checked.trained,
        tuning=Tuning(
            epochs=EPOCHS, batch=BATCH, learning_rate=RATE, max_tokens=MOST, save_every=0
        ),
        seed=1,
        model=OUT / "model",
    )


def trl(checkpointing: bool | None = None) -> None:
    """TRL with its defaults; what it would send elsewhere or print is off."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows = [json.loads(line) for line in ROWS.read_text("utf-8").splitlines()]
    turns = [
        [
            {"role": "user", "content": one["instruction"]},
            {"role": "assistant", "content": one["output"]},
        ]
        for one in rows
    ]
    trainer = SFTTrainer(
        model=str(BASE),
        train_dataset=Dataset.from_dict({"messages": turns}),
        args=SFTConfig(
            output_dir=str(OUT),
            num_train_epochs=EPOCHS,
            per_device_train_batch_size=BATCH,
            learning_rate=RATE,
            max_length=MOST,
            activation_checkpointing=checkpointing,
            assistant_only_loss=True,
            bf16=False,
            use_cpu=True,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
        ),
    )
    trainer.train()
    trainer.save_model(str(OUT / "model"))


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    runs = {"ours": ours, "trl": trl, "trl-plain": lambda: trl(checkpointing=False)}
    runs[sys.argv[1]]()
