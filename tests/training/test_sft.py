"""Fine-tuning itself: what is learnt, in which order, and that nothing changes by a detour."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cqia import store
from cqia.errors import UserError
from cqia.training.chat import opened
from cqia.training.guards import apart
from cqia.training.loading import fingerprint, precision
from cqia.training.order import order
from cqia.training.preflight import Checked, check
from cqia.training.sft import Run, fit
from cqia.training.tuning import Tuning
from tests.llm.tiny import tiny_model

TUNING = Tuning(epochs=1, learning_rate=1e-3, batch=4, max_tokens=128, save_every=0, warmup=0.0)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("base") / "tiny")


def records(count: int = 12) -> pl.DataFrame:
    rows = [
        {
            "id": f"s-{one:03d}",
            "source": "s",
            "instruction": f"第{one}天早上做什么？",
            "output": "先煮粥，再去看房。" * (1 + one % 3),
        }
        for one in range(count)
    ]
    return pl.DataFrame(rows)


def checked(base: Path, count: int = 12) -> Checked:
    return check(records(count), opened(base), max_tokens=128)


def run(place: Path, base: Path, tuning: Tuning, *, seed: int = 1, count: int = 12) -> Run:
    rows = checked(base, count)
    return fit(
        place / "checkpoints",
        base=base,
        tokenizer=opened(base).tokenizer,
        ids=rows.ids,
        trained=rows.trained,
        tuning=tuning,
        seed=seed,
        model=place / "model",
    )


def weights(place: Path) -> bytes:
    (file,) = (place / "model").glob("*.safetensors")
    return file.read_bytes()


def test_the_order_holds_each_row_once_an_epoch_in_batches_of_like_length() -> None:
    lengths = [int(one) for one in np.random.default_rng(0).integers(5, 500, 1_000)]
    plain = order(lengths, epochs=2, batch=8, seed=1, group=False)
    grouped = order(lengths, epochs=2, batch=8, seed=1, group=True)
    assert Counter(plain) == Counter(grouped) == Counter(list(range(1_000)) * 2)
    assert sorted(plain[:1_000]) == list(range(1_000))

    def padding(rows: list[int]) -> int:
        batches = [[lengths[row] for row in rows[at : at + 8]] for at in range(0, len(rows), 8)]
        return sum(max(one) * len(one) - sum(one) for one in batches)

    assert padding(grouped) * 10 < padding(plain)
    assert grouped == order(lengths, epochs=2, batch=8, seed=1, group=True)
    assert grouped != order(lengths, epochs=2, batch=8, seed=2, group=True)
    firsts = [max(lengths[row] for row in grouped[at : at + 8]) for at in range(0, 256, 8)]
    assert firsts != sorted(firsts), "batches stand in a drawn order, not by length"


def test_only_the_answers_are_learnt(tmp_path: Path, base: Path) -> None:
    """The loss of the first step is that of the answers' tokens alone, worked out by hand."""
    import torch
    from transformers import AutoModelForCausalLM

    rows = checked(base)
    done = run(tmp_path, base, replace(TUNING, batch=12))
    model = AutoModelForCausalLM.from_pretrained(base)
    total, count = 0.0, 0
    with torch.no_grad():
        for ids, trained in zip(rows.ids, rows.trained, strict=True):
            tokens = torch.tensor(ids.astype(np.int64))
            logits = model(tokens[None]).logits[0, :-1].log_softmax(-1)
            picked = logits[torch.arange(len(tokens) - 1), tokens[1:]]
            total -= float(picked[torch.tensor(trained[1:])].sum())
            count += int(trained.sum())
    assert done.losses["loss"][0] == pytest.approx(total / count, rel=1e-4)
    assert done.losses["tokens"].to_list() == [count]


def test_portions_change_nothing(tmp_path: Path, base: Path) -> None:
    whole = run(tmp_path / "a", base, TUNING)
    portions = run(tmp_path / "b", base, replace(TUNING, accumulation=4))
    assert whole.losses["loss"].to_list() == pytest.approx(
        portions.losses["loss"].to_list(), rel=1e-3
    )
    assert whole.losses["tokens"].to_list() == portions.losses["tokens"].to_list()


def test_packed_records_learn_the_same_and_see_nothing_of_each_other(
    tmp_path: Path, base: Path
) -> None:
    apart_ = run(tmp_path / "a", base, replace(TUNING, batch=12))
    packed = run(tmp_path / "b", base, replace(TUNING, batch=12, packing=True))
    assert packed.losses["loss"][0] == pytest.approx(apart_.losses["loss"][0], rel=1e-4)
    assert packed.losses["tokens"].to_list() == apart_.losses["tokens"].to_list()


def test_packing_is_refused_where_records_would_see_each_other(base: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base)
    rows = checked(base)
    apart(model, rows.ids, base)
    forward = model.forward

    def blind(*args: object, position_ids: object = None, **more: object) -> object:
        return forward(*args, **more)

    model.forward = blind
    with pytest.raises(UserError, match="would see each other"):
        apart(model, rows.ids, base)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
def test_adapters_are_small_and_load_beside_the_base(tmp_path: Path, base: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    tuning = replace(TUNING, method="lora", rank=4, alpha=8, learning_rate=1e-2)
    done = run(tmp_path, base, tuning)
    assert 0 < done.trained < done.parameters / 4
    model = AutoModelForCausalLM.from_pretrained(base)
    tokens = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        before = model(tokens).logits
        after = PeftModel.from_pretrained(model, tmp_path / "model")(tokens).logits
    assert not torch.allclose(before, after)
    assert not (tmp_path / "model" / "model.safetensors").exists()


@pytest.mark.parametrize(
    "change", [{"gradient_checkpointing": True}, {"dtype": "bf16"}, {"schedule": "constant"}]
)
def test_the_loss_is_that_of_the_same_model_whatever_saves_memory(
    tmp_path: Path, base: Path, change: dict[str, object]
) -> None:
    plain = run(tmp_path / "a", base, TUNING)
    other = run(tmp_path / "b", base, replace(TUNING, **change))  # type: ignore[arg-type]
    assert other.losses["loss"][0] == pytest.approx(plain.losses["loss"][0], rel=0.02)


@pytest.mark.parametrize("change", [{"method": "qlora"}, {"dtype": "fp16"}])
def test_what_needs_a_gpu_says_so(tmp_path: Path, base: Path, change: dict[str, object]) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(UserError, match="needs a GPU"):
        run(tmp_path, base, replace(TUNING, **change))  # type: ignore[arg-type]
    assert precision(TUNING) == "fp32"


def test_a_base_that_reads_less_is_refused(tmp_path: Path) -> None:
    short = tiny_model(tmp_path / "short", positions=16)
    with pytest.raises(UserError, match="this base reads 16"):
        run(tmp_path, short, TUNING)


def test_the_fingerprint_of_a_base_is_of_its_files_not_of_its_place(
    tmp_path: Path, base: Path
) -> None:
    import shutil

    shutil.copytree(base, tmp_path / "copy")
    hashes = store.Hashes(tmp_path)
    assert fingerprint(tmp_path / "copy") == fingerprint(base) == fingerprint(base, hashes.of)
    (tmp_path / "copy" / "config.json").write_bytes(
        (base / "config.json").read_bytes().replace(b"1", b"2")
    )
    assert fingerprint(tmp_path / "copy") != fingerprint(base)
    shutil.copy(base / "config.json", tmp_path / "copy")
    assert fingerprint(tmp_path / "copy") == fingerprint(base)
    (tmp_path / "copy" / "chat_template.jinja").write_text("{{ 1 }}")
    assert fingerprint(tmp_path / "copy") != fingerprint(base)
    (tmp_path / "copy" / "model.safetensors").unlink()
    with pytest.raises(UserError, match="no weights"):
        fingerprint(tmp_path / "copy")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"method": "lorra"}, "did you mean lora"),
        ({"epochs": 0}, "whole number of 1 or more"),
        ({"epochs": 1.5}, "whole number"),
        ({"epochs": True}, "whole number"),
        ({"learning_rate": float("nan")}, "a number of 0 to 1"),
        ({"learning_rate": 0.0}, "trains nothing"),
        ({"learning_rate": "1e-4"}, "a number"),
        ({"batch": 8, "accumulation": 3}, "no multiple"),
        ({"packing": "yes"}, "true or false"),
        ({"targets": "q_proj"}, "a list of names"),
        ({"over_long": "cut"}, "unknown over_long"),
    ],
)
def test_bad_settings_are_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Tuning(**change)  # type: ignore[arg-type]


TOGETHER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from tests.training.test_sft import TUNING, run
from cqia.training.sft import leads
done = run(Path(sys.argv[1]), Path(sys.argv[2]), TUNING, count=14)
if leads():
    done.losses.write_parquet(Path(sys.argv[1]) / "loss.parquet")
"""


@pytest.mark.slow
def test_two_processes_learn_the_same_and_no_record_twice(tmp_path: Path, base: Path) -> None:
    """14 records in steps of 4: the last step has one record for each process."""
    alone = run(tmp_path / "alone", base, TUNING, count=14)
    script, place = tmp_path / "script.py", tmp_path / "both"
    script.write_text(TOGETHER)
    root = str(Path(__file__).resolve().parents[2])
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2",
         str(script), str(place), str(base), root],
        check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, timeout=300,
    )  # fmt: skip
    both = pl.read_parquet(place / "loss.parquet")
    assert both["loss"].to_list() == pytest.approx(alone.losses["loss"].to_list(), rel=1e-4)
    assert both.drop("loss").equals(alone.losses.drop("loss"))


SCRIPT = """
import sys, time
from pathlib import Path
from dataclasses import replace
sys.path.insert(0, sys.argv[3])
from tests.training.test_sft import LONG, run
run(Path(sys.argv[1]), Path(sys.argv[2]), LONG[sys.argv[4]], count=60)
"""
FULL = replace(TUNING, epochs=6, save_every=5, weight_decay=0.1, warmup=0.1)
LONG = {"full": FULL, "lora": replace(FULL, method="lora", dropout=0.2)}
"""Dropout draws random numbers at every step: they too go on where they were."""


@pytest.mark.slow
@pytest.mark.parametrize(("method", "damage"), [("full", False), ("full", True), ("lora", True)])
def test_a_killed_run_ends_with_the_same_weights(
    tmp_path: Path, base: Path, method: str, damage: bool
) -> None:
    """Killed with -9 in the middle, its last checkpoint cut short as well, and gone on with."""
    tuning = LONG[method]
    whole = run(tmp_path / "whole", base, tuning, count=60)
    place = tmp_path / "killed"
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", SCRIPT, str(place), str(base), root, method]
    process = subprocess.Popen(command, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    states: list[Path] = []
    while len(states) < 2 and process.poll() is None:
        time.sleep(0.01)
        states = sorted((place / "checkpoints").glob("checkpoint-*/trainer_state.json"))
    assert process.poll() is None, "it was over before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    if damage:
        newest = max(
            (place / "checkpoints").glob("checkpoint-*"), key=lambda one: int(one.name[11:])
        )
        state = newest / "trainer_state.json"
        if state.exists():
            state.write_bytes(state.read_bytes()[:50])
        (newest / "optimizer.pt").write_bytes(b"cut")
    done = run(place, base, tuning, count=60)
    assert 0 < done.resumed < len(whole.losses)
    assert weights(place) == weights(tmp_path / "whole")
    assert done.losses.equals(whole.losses)
