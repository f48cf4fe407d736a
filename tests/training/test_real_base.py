"""A real pre-trained model of 135 million parameters: adapters, stopped in the middle, gone on."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from cqia.errors import UserError
from cqia.stages.train import train
from cqia.training.bases import named, ready
from cqia.training.tuning import Tuning

RECORDS = 64
TUNING = Tuning(
    method="lora", epochs=1, batch=8, learning_rate=5e-4, max_tokens=256, save_every=3, dropout=0.05
)


def records(data: Path) -> pl.DataFrame:
    rows: list[dict[str, str]] = []
    for path in sorted((data / "alpaca_zh").glob("*.json*")):
        text = path.read_text("utf-8").strip()
        items = (
            json.loads(text) if text[0] == "[" else [json.loads(one) for one in text.splitlines()]
        )
        for item in items:
            texts = {name: str(item.get(name) or "") for name in ("instruction", "input", "output")}
            if 0 < len(texts["output"]) < 80 and len(texts["instruction"] + texts["input"]) < 40:
                rows.append({"id": f"alpaca-{len(rows)}", "source": "alpaca", **texts})
    return pl.DataFrame(rows).head(RECORDS)


class Stopped(Exception):
    """Thrown in the middle of a run."""


@pytest.mark.slow
def test_adapters_on_a_real_base_go_on_where_they_were(data: Path, tmp_path: Path) -> None:
    try:
        base = ready(named("smollm2-135m"), tmp_path / "base")
    except UserError as fault:
        pytest.skip(str(fault))

    def stop(done: int, total: int, now: str) -> None:
        if now.startswith("loss") and done == 5:
            raise Stopped

    run = {"records": records(data), "base": base, "tuning": TUNING, "seed": 1}
    with pytest.raises(Stopped):
        train(folder=tmp_path / "run", progress=stop, **run)  # type: ignore[arg-type]
    done = train(folder=tmp_path / "run", **run)  # type: ignore[arg-type]
    timing = json.loads((tmp_path / "run" / "timing.json").read_text())
    losses = pl.read_parquet(tmp_path / "run" / "loss.parquet")
    print(timing, losses["loss"].to_list(), done["trained_parameters"], done["parameters"])
    assert timing["resumed_from"] == 3
    assert losses["step"].to_list() == list(range(1, 9))
    assert done["kept"] == RECORDS
    assert losses["loss"].tail(3).mean() < losses["loss"].head(3).mean()  # type: ignore[operator]
    assert (tmp_path / "run" / "model" / "adapter_model.safetensors").exists()
