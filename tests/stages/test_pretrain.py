from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("transformers", reason="the extra train is not installed")

from cqia import store
from cqia.errors import UserError
from cqia.stages.pretrain import pretrain
from cqia.training.proxy import Shape

SMALL = Shape(layers=1, width=16, heads=2, vocabulary=300, context=16)


def texts(count: int = 60, seed: int = 1) -> list[str]:
    draw = random.Random(seed)
    return ["".join(draw.choices("天地玄黄宇宙洪荒日月", k=12)) + "。😀 a1" for _ in range(count)]


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model" / "model.safetensors").read_bytes()).hexdigest()


class Stopped(Exception):
    pass


def test_a_folder_that_loads_speaks_and_is_told_of(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    given = pl.Series([*texts(), "  "])
    facts = pretrain(
        folder=tmp_path / "p", texts=given, shape=SMALL, batch=8, tokens=4_000, origins={"a": "CC0"}
    )
    assert facts["proxy"] is True
    assert facts["records"] == {"read": 61, "kept": 60, "dropped": 1}
    assert facts["steps"] == 32
    assert facts["tokens_seen"] == 32 * 8 * 16
    assert facts["origins"] == {"a": "CC0"}
    assert facts["vocabulary"] <= 300
    loss = pl.read_parquet(tmp_path / "p" / "loss.parquet")
    assert loss["step"].to_list() == list(range(1, 33))
    assert loss["tokens"][-1] == facts["tokens_seen"]
    assert loss["loss"][-1] < loss["loss"][0] - 0.5
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "p" / "model")
    assert model.num_parameters() == facts["parameters"]
    own = AutoTokenizer.from_pretrained(tmp_path / "p" / "model")
    assert len(own) == facts["vocabulary"]
    odd = "天地\t\r\n<&>\u200d👨‍👩‍👧 é\x00 12"
    assert own.decode(own(odd)["input_ids"]) == odd
    said = [{"role": "user", "content": "天"}, {"role": "assistant", "content": "地玄"}]
    shown = own.apply_chat_template(
        said, return_assistant_tokens_mask=True, return_dict=True, tokenize=True
    )
    learnt = [i for i, m in zip(shown["input_ids"], shown["assistant_masks"], strict=True) if m]
    assert own.decode(learnt) == "地玄<|im_end|>"
    ahead = own.apply_chat_template(said[:1], add_generation_prompt=True, tokenize=False)
    assert ahead == "<|im_start|>user\n天<|im_end|>\n<|im_start|>assistant\n"
    assert not (tmp_path / "p" / "checkpoints").exists()


def test_same_seed_same_weights_and_a_finished_one_is_left(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        pretrain(
            folder=tmp_path / name, texts=texts(), shape=SMALL, batch=8, tokens=1_000, seed=seed
        )
    assert weights(tmp_path / "a") == weights(tmp_path / "b") != weights(tmp_path / "c")
    same = [(tmp_path / name / "model" / "tokenizer.json").read_bytes() for name in "ab"]
    assert same[0] == same[1]
    assert store.manifest(tmp_path / "a") == store.manifest(tmp_path / "b")
    before = (tmp_path / "a" / "model" / "model.safetensors").stat().st_mtime_ns
    pretrain(folder=tmp_path / "a", texts=texts(), shape=SMALL, batch=8, tokens=1_000, seed=3)
    assert (tmp_path / "a" / "model" / "model.safetensors").stat().st_mtime_ns == before


def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    pretrain(folder=tmp_path / "whole", texts=texts(), shape=SMALL, batch=8, tokens=6_000)

    def stop(done: int, total: int, what: str) -> None:
        if done == 23:
            raise Stopped

    with pytest.raises(Stopped):
        pretrain(
            folder=tmp_path / "cut",
            texts=texts(),
            shape=SMALL,
            batch=8,
            tokens=6_000,
            progress=stop,
        )
    assert store.manifest(tmp_path / "cut") is None
    torn = tmp_path / "cut" / "checkpoints" / "checkpoint-999"
    torn.mkdir()
    (torn / "trainer_state.json").write_text('{"half')
    seen: list[int] = []
    pretrain(
        folder=tmp_path / "cut",
        texts=texts(),
        shape=SMALL,
        batch=8,
        tokens=6_000,
        progress=lambda done, total, what: seen.append(done),
    )
    assert 20 < seen[0] <= 23
    assert seen[-1] == 47
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")
    kept = [pl.read_parquet(tmp_path / name / "loss.parquet") for name in ("cut", "whole")]
    assert kept[0].equals(kept[1])


RUN = """
import sys
from pathlib import Path
from cqia.stages.pretrain import pretrain
from tests.stages.test_pretrain import SMALL, texts
pretrain(folder=Path(sys.argv[1]), texts=texts(), shape=SMALL, batch=8, tokens=60_000)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN]
    root = Path(__file__).resolve().parents[2]
    subprocess.run([*command, str(tmp_path / "whole")], cwd=root, check=True)
    with subprocess.Popen([*command, str(tmp_path / "cut")], cwd=root) as running:
        places = tmp_path / "cut" / "checkpoints"
        while running.poll() is None and not [*places.glob("*/trainer_state.json")]:
            time.sleep(0.01)
        running.kill()
    assert running.returncode == -9
    assert store.manifest(tmp_path / "cut") is None
    subprocess.run([*command, str(tmp_path / "cut")], cwd=root, check=True)
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


@pytest.mark.parametrize(
    ("given", "tokens", "epochs", "said"),
    [
        (["天"], None, 1.0, "don't fill the context of 16"),
        ([], None, 1.0, "0 texts"),
        (["天地玄黄"] * 40, 0, 1.0, "more than 0"),
        (["天地玄黄"] * 40, None, -1.0, "more than 0"),
    ],
)
def test_what_can_t_be_learnt(
    given: list[str], tokens: int | None, epochs: float, said: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=said):
        pretrain(
            folder=tmp_path / "p", texts=given, shape=SMALL, batch=8, tokens=tokens, epochs=epochs
        )
