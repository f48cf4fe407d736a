from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cqia import store
from cqia.errors import UserError
from cqia.stages.train import train
from cqia.training.tuning import Tuning
from tests.llm.tiny import tiny_model

TUNING = Tuning(epochs=2, learning_rate=1e-3, batch=4, save_every=4, max_tokens=128)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("base") / "tiny")


def records(count: int = 18) -> pl.DataFrame:
    rows: list[dict[str, object]] = [
        {
            "id": f"s-{one:03d}",
            "source": "s" if one % 3 else "t",
            "instruction": f"第{one}天早上做什么？",
            "input": "",
            "output": "先煮粥，再去看房。" * (1 + one % 5),
            "system": "",
            "history": [],
        }
        for one in range(count)
    ]
    return pl.DataFrame(
        rows,
        schema_overrides={
            "history": pl.List(pl.Struct({"instruction": pl.String, "output": pl.String}))
        },
    )


def test_a_model_learns_and_stands_there_loadable(tmp_path: Path, base: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    done = train(folder=tmp_path / "run", records=records(), base=base, tuning=TUNING, seed=1)
    assert (done["read"], done["kept"], done["dropped"]) == (18, 18, {})
    assert done["sources"] == {"s": 12, "t": 6}
    assert done["steps"] == 9
    assert done["last_loss"] < done["first_loss"]
    assert done["trained_tokens"] == 2 * done["answer_tokens"]
    assert done["trained_parameters"] == done["parameters"] > 100_000
    losses = pl.read_parquet(tmp_path / "run" / "loss.parquet")
    assert losses["step"].to_list() == list(range(1, 10))
    assert losses["epoch"][-1] == 2.0
    assert len(pl.read_parquet(tmp_path / "run" / "preflight.parquet")) == 18
    assert sorted(one.name for one in (tmp_path / "run").iterdir()) == [
        "fingerprint", "loss.parquet", "manifest.json", "model", "preflight.parquet", "timing.json",
    ]  # fmt: skip
    AutoModelForCausalLM.from_pretrained(tmp_path / "run" / "model")
    assert AutoTokenizer.from_pretrained(tmp_path / "run" / "model").chat_template


def test_the_same_again_does_nothing_and_another_seed_does(tmp_path: Path, base: Path) -> None:
    shuffled = records().sample(fraction=1.0, shuffle=True, seed=3)
    first = train(folder=tmp_path / "a", records=records(), base=base, tuning=TUNING, seed=1)
    weights = (tmp_path / "a" / "model" / "model.safetensors").read_bytes()
    stamp = (tmp_path / "a" / store.MANIFEST).stat().st_mtime_ns
    again = train(folder=tmp_path / "a", records=shuffled, base=base, tuning=TUNING, seed=1)
    assert again == first
    assert (tmp_path / "a" / store.MANIFEST).stat().st_mtime_ns == stamp
    train(folder=tmp_path / "b", records=shuffled, base=base, tuning=TUNING, seed=1)
    assert (tmp_path / "b" / "model" / "model.safetensors").read_bytes() == weights
    assert (tmp_path / "b" / store.MANIFEST).read_bytes() == (
        tmp_path / "a" / store.MANIFEST
    ).read_bytes()
    other = train(folder=tmp_path / "a", records=records(), base=base, tuning=TUNING, seed=2)
    assert other["fingerprint"] != first["fingerprint"]
    assert (tmp_path / "a" / "model" / "model.safetensors").read_bytes() != weights


def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path, base: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    broken.mkdir()
    for one in base.iterdir():
        (broken / one.name).write_bytes(one.read_bytes())
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"] = torch.full_like(weights["model.norm.weight"], float("nan"))
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="nan at step 1"):
        train(folder=tmp_path / "run", records=records(), base=broken, tuning=TUNING, seed=1)
    assert store.manifest(tmp_path / "run") is None
