from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers", reason="the extra train is not installed")
pytest.importorskip("yaml")

from cqia import store
from cqia.errors import UserError
from cqia.training.bases import Base, named
from cqia.training.chat import opened
from cqia.training.foreign import write
from cqia.training.foreign_keys import KEYS
from cqia.training.tuning import Tuning
from tests.llm.tiny import tiny_model

ROOT = Path(__file__).resolve().parents[2]
SEVERAL = [
    {"role": "system", "content": "你是老师。"},
    {"role": "user", "content": "一"},
    {"role": "assistant", "content": "二"},
    {"role": "user", "content": "三"},
    {"role": "assistant", "content": "四 \"'{}: #"},
]


def turns(number: int) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": f"第{number}个问题：天为什么是蓝的？"},
        {"role": "assistant", "content": "因为光的散射。" * (1 + number % 3)},
    ]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    rows = [*(turns(number) for number in range(20)), SEVERAL]
    lines = [json.dumps({"messages": row}, ensure_ascii=False) + "\n" for row in rows]
    place = tmp_path / "messages"
    place.mkdir()
    (place / "train.jsonl").write_text("".join(lines), "utf-8")
    return place


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return named(str(tiny_model(tmp_path_factory.mktemp("base") / "tiny")))


def keys(folder: Path) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    found = yaml.safe_load((folder / "train.yaml").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


CPU = Tuning(epochs=1, batch=4, learning_rate=2e-5, max_tokens=512, accelerate="cpu")


@pytest.mark.parametrize("trainer", KEYS)
def test_the_folder_stands_alone(trainer: str, dataset: Path, base: Base, tmp_path: Path) -> None:
    facts = write(trainer, tmp_path / "out", dataset=dataset, base=base, tuning=CPU)
    assert facts["records"]["read"] == facts["records"]["kept"] == 21
    folder = tmp_path / "out"
    assert (folder / "train.jsonl").read_bytes() == (dataset / "train.jsonl").read_bytes()
    found = keys(folder)
    assert found["learning_rate"] == 2e-5
    assert isinstance(found["learning_rate"], float)
    named_as = {"llama-factory": "model_name_or_path", "ms-swift": "model", "axolotl": "base_model"}
    assert found[named_as[trainer]] == base.origin
    assert str(tmp_path / "out") not in (folder / "train.yaml").read_text()
    assert os.access(folder / "run.sh", os.X_OK)
    assert subprocess.run(["sh", "-n", str(folder / "run.sh")], check=False).returncode == 0
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write(trainer, folder, dataset=dataset, base=base, tuning=CPU)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("trainer", KEYS)
def test_sharding_is_that_of_the_trainer(trainer: str, dataset: Path, tmp_path: Path) -> None:
    for sharding in ("zero3", "fsdp"):
        tuning = Tuning(batch=64, accumulation=2, accelerate=sharding, packing=True)
        folder = tmp_path / sharding
        facts = write(trainer, folder, dataset=dataset, base=named("yi-34b"), tuning=tuning, gpus=8)
        found = keys(folder)
        rows = found.get("per_device_train_batch_size", found.get("micro_batch_size"))
        assert (rows, found["bf16"], found["gradient_accumulation_steps"]) == (4, True, 2)
        assert "8" in (folder / "run.sh").read_text().splitlines()[-1]
        assert "nobody" in facts["records"]["tokens_counted_by"]
        if found.get("deepspeed") == "zero3.json":
            assert store.read_json(folder / "zero3.json")["zero_optimization"]["stage"] == 3
        text = (folder / "train.yaml").read_text() + (folder / "run.sh").read_text()
        assert sharding in text
        assert "chatml" in text


def test_records_that_are_too_long_are_left_out_and_counted(
    dataset: Path, base: Base, tmp_path: Path
) -> None:
    chat = opened(Path(base.origin))
    bound = len(chat.render([turns(1)])[0].ids)
    tuning = Tuning(batch=1, max_tokens=bound)
    facts = write("axolotl", tmp_path / "o", dataset=dataset, base=base, tuning=tuning)
    counts = facts["records"]
    assert 0 < counts["dropped"] < 21
    assert counts["kept"] + counts["dropped"] == counts["read"] == 21
    assert len((tmp_path / "o" / "train.jsonl").read_text().splitlines()) == counts["kept"]
    assert counts["tokens_counted_by"] == "the base's tokenizer"
    strict = Tuning(batch=1, max_tokens=bound, over_long="error")
    with pytest.raises(UserError, match=r"train.jsonl:\d+: \d+ tokens are more than max_tokens"):
        write("axolotl", tmp_path / "o", dataset=dataset, base=base, tuning=strict)
    with pytest.raises(UserError, match="none of 21 records fits"):
        write("axolotl", tmp_path / "o", dataset=dataset, base=base,
              tuning=Tuning(batch=1, max_tokens=5))  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        '{"instruction": "a", "output": "b"}',
        '{"messages": []}',
        '{"messages": [{"role": "user", "content": "a"}]}',
        '{"messages": [{"role": "robot", "content": "a"}, {"role": "assistant", "content": "b"}]}',
        '{"messages": [{"role": "user", "content": 1}, {"role": "assistant", "content": "b"}]}',
    ],
)
def test_other_forms_of_records_are_told(line: str, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(line + "\n")
    with pytest.raises(UserError, match=r"train.jsonl:1: this is no conversation"):
        write("ms-swift", tmp_path / "o", dataset=tmp_path, base=named("yi-6b"), tuning=Tuning())
    assert not (tmp_path / "o" / "train.jsonl").exists()


def test_mistakes_are_told(dataset: Path, base: Base, tmp_path: Path) -> None:
    given = {"dataset": dataset, "base": base, "tuning": Tuning()}
    with pytest.raises(UserError, match="unknown trainer 'llama'"):
        write("llama", tmp_path / "o", **given)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="can't be shared by 3 GPUs"):
        write("axolotl", tmp_path / "o", gpus=3, **given)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="smollm2-135m is not a folder yet"):
        write("axolotl", tmp_path / "o", **given | {"base": named("smollm2-135m")})  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"no train.jsonl stands here.*--to messages"):
        write("axolotl", tmp_path / "o", **given | {"dataset": tmp_path})  # type: ignore[arg-type]


def asked(python: Path, code: str, folder: Path, **more: str) -> dict[str, Any]:
    """What a trainer's own parser and loader say of a folder, in its own environment."""
    if not python.exists():
        pytest.skip(f"{python.parent} is not there: docs/foreign-trainers.md says how to make it")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **more}
    done = subprocess.run(
        [str(python), "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(said, dict)
    return said


AXOLOTL = """
import json, yaml
from transformers import AutoTokenizer
from axolotl.utils.dict import DictDefault
from axolotl.utils.schemas.config import AxolotlInputConfig
from axolotl.prompt_strategies.chat_template import load
given = yaml.safe_load(open("train.yaml"))
read = AxolotlInputConfig(**given)
strange = set(given) - set(AxolotlInputConfig.model_fields)
strange |= set(given["datasets"][0]) - set(type(read.datasets[0]).model_fields)
cfg = DictDefault(read.model_dump(exclude_none=True))
own = AutoTokenizer.from_pretrained(cfg.base_model)
strategy = load(own, cfg, cfg.datasets[0])
row = strategy.tokenize_prompt(json.loads(list(open("train.jsonl"))[-1]))
kept = [i for i, label in zip(row["input_ids"], row["labels"]) if label != -100]
print(json.dumps({"strange": sorted(strange), "learnt": own.decode(kept),
                  "text": own.decode(row["input_ids"]), "rate": read.learning_rate}))
"""

TEXT = (
    "<|im_start|>system\n你是老师。<|im_end|>\n<|im_start|>user\n一<|im_end|>\n"
    "<|im_start|>assistant\n二<|im_end|>\n<|im_start|>user\n三<|im_end|>\n"
    "<|im_start|>assistant\n四 \"'{}: #<|im_end|>\n"
)


LLAMA_FACTORY = """
import json, yaml
from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from llamafactory.model import load_tokenizer
given = yaml.safe_load(open("train.yaml"))
model, data, training, tuning, _ = get_train_args(given)
module = load_tokenizer(model)
own = module["tokenizer"]
template = get_template_and_fix_tokenizer(own, data)
rows = get_dataset(template, model, data, training, stage="sft", **module)["train_dataset"]
row = rows[-1]
kept = [i for i, label in zip(row["input_ids"], row["labels"]) if label != -100]
print()
print(json.dumps({"rows": len(rows), "learnt": own.decode(kept), "rate": training.learning_rate,
                  "text": own.decode(row["input_ids"]), "type": tuning.finetuning_type}))
"""
SWIFT = """
import json, sys, yaml
from swift.cli.main import parse_yaml_args
from swift.arguments import SftArguments
from swift.pipelines.train.sft import SwiftSft
argv = ["train.yaml"]
parse_yaml_args(argv)
main = SwiftSft(argv)
rows, _ = main._prepare_dataset()
row = rows[len(rows) - 1]
own = main.template.tokenizer
found = {}
for row in rows:
    kept = [i for i, label in zip(row["input_ids"], row["labels"]) if label != -100]
    found[own.decode(row["input_ids"])] = own.decode(kept)
text = next(one for one in found if "老师" in one)
print()
print(json.dumps({"rows": len(rows), "learnt": found[text], "text": text,
                  "rate": main.args.learning_rate, "type": main.args.tuner_type}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize(
    ("trainer", "code"), [("llama-factory", LLAMA_FACTORY), ("ms-swift", SWIFT)]
)
def test_the_trainers_own_parsers_and_loaders_take_it(
    trainer: str, code: str, method: str, dataset: Path, base: Base, tmp_path: Path
) -> None:
    place = ROOT / {"llama-factory": ".venv-lf", "ms-swift": ".venv-swift"}[trainer]
    (tmp_path / "stub" / "torchaudio").mkdir(parents=True)
    (tmp_path / "stub" / "torchaudio" / "__init__.py").touch()
    tuning = Tuning(method=method, epochs=1, batch=4, accelerate="cpu")  # type: ignore[arg-type]
    write(trainer, tmp_path / "o", dataset=dataset, base=base, tuning=tuning)
    said = asked(place / "bin" / "python", code, tmp_path / "o", PYTHONPATH=str(tmp_path / "stub"))
    assert (said["rows"], said["type"], said["rate"]) == (21, method, 2e-5)
    assert said["text"] == TEXT
    assert said["learnt"].replace("<|im_end|>\n", "<|im_end|>") == (
        "二<|im_end|>四 \"'{}: #<|im_end|>"
    )


@pytest.mark.slow
@pytest.mark.parametrize("method", ["full", "lora"])
def test_axolotls_own_schema_and_loader_take_it(
    method: str, dataset: Path, base: Base, tmp_path: Path
) -> None:
    place = ROOT / ".venv-axolotl"
    if not (place / "axolotl").is_dir():
        pytest.skip("no .venv-axolotl: docs/foreign-trainers.md says how to make it")
    tuning = Tuning(method=method, batch=4, accelerate="cpu")  # type: ignore[arg-type]
    write("axolotl", tmp_path / "o", dataset=dataset, base=base, tuning=tuning)
    said = asked(Path(sys.executable), AXOLOTL, tmp_path / "o", PYTHONPATH=str(place))
    assert said["strange"] == []
    assert said["text"] == TEXT
    assert said["learnt"] == "二<|im_end|>四 \"'{}: #<|im_end|>"
    assert said["rate"] == 2e-5
