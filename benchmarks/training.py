"""Answer tokens learnt in a second of CPU time: cqia, TRL, LLaMA-Factory.

    python -m benchmarks.training [--rounds N] [--records N] [--llama-factory .venv-lf]

The same small model, records of uneven lengths, epochs, batch and learning rate, one thread, on the
CPU. All three rest on transformers' Trainer; what differs is which records share a batch, which
positions reach the last layer, and what is looked at on the way. TRL recomputes activations by
default, which spares memory and costs time; so it runs without that, too.

Each system runs on all records and on an eighth of them, as a process of its own, and the
difference of their CPU times counts: so imports and loading fall out, and a busy machine does not
matter. Tokens are written, trained on and the model saved in it. LLaMA-Factory is skipped where its
environment is absent. Systems take turns within one run; the median of the rounds is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "benchmarks" / "rivals" / "trl_training.py"
QUIET = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def records(path: Path, count: int) -> None:
    """Records whose answers are as uneven in length as real ones."""
    draw = random.Random(0)
    words = [
        "先",
        "把米",
        "洗干净",
        "再加水",
        "小火",
        "慢慢煮",
        "，",
        "。",
        "早上",
        "租房",
        "看采光",
        "、",
    ]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            size = min(220, 3 + int(draw.lognormvariate(3.2, 0.9)))
            answer = "".join(draw.choices(words, k=size))
            row = {"id": f"r-{number}", "source": "r", "instruction": f"第{number}天做什么？"}
            file.write(json.dumps({**row, "output": answer}, ensure_ascii=False) + "\n")


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """CPU seconds of a process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2_000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def here(which: str, base: Path, rows: Path, out: Path) -> float:
    """A run in this environment."""
    command = [sys.executable, str(SCRIPT), which, str(base), str(rows), str(out)]
    return seconds(command, QUIET)


def factory(place: Path, base: Path, rows: Path, out: Path) -> float:
    """A run of LLaMA-Factory in its own environment."""
    data = out / "data"
    data.mkdir(parents=True)
    table = [json.loads(line) for line in rows.read_text("utf-8").splitlines()]
    kept = [
        {"instruction": one["instruction"], "input": "", "output": one["output"]} for one in table
    ]
    (data / "rows.json").write_text(json.dumps(kept, ensure_ascii=False), "utf-8")
    (data / "dataset_info.json").write_text(json.dumps({"rows": {"file_name": "rows.json"}}))
    stub = out / "stub" / "torchaudio"
    stub.mkdir(parents=True)
    (stub / "__init__.py").write_text("__version__ = '0'\n")
    settings = {
        "model_name_or_path": str(base), "stage": "sft", "do_train": True,
        "finetuning_type": "full", "dataset": "rows", "dataset_dir": str(data), "template": "qwen",
        "cutoff_len": 512, "output_dir": str(out / "model"), "per_device_train_batch_size": 8,
        "gradient_accumulation_steps": 1, "learning_rate": 1e-4, "num_train_epochs": 2,
        "lr_scheduler_type": "cosine", "use_cpu": True, "save_strategy": "no", "report_to": "none",
        "overwrite_cache": True, "preprocessing_num_workers": 1,
    }  # fmt: skip
    (out / "run.yaml").write_text(json.dumps(settings))
    environment = {**QUIET, "PYTHONPATH": str(stub.parent), "DISABLE_VERSION_CHECK": "1"}
    command = [str(place / "bin" / "llamafactory-cli"), "train", str(out / "run.yaml")]
    return seconds(command, environment)


def main() -> None:
    """Run all and print a table."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--records", type=int, default=400)
    options.add_argument("--llama-factory", type=Path, default=ROOT / ".venv-lf")
    chosen = options.parse_args()
    from tests.llm.tiny import tiny_model

    from cqia.training.chat import opened
    from cqia.training.preflight import check

    runs: dict[str, Callable[[Path, Path, Path], float]] = {
        "cqia": partial(here, "ours"),
        "TRL, defaults": partial(here, "trl"),
        "TRL, no recomputing": partial(here, "trl-plain"),
    }
    if (chosen.llama_factory / "bin" / "llamafactory-cli").exists():
        runs["LLaMA-Factory"] = partial(factory, chosen.llama_factory)
    spent: dict[str, list[float]] = {name: [] for name in runs}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        base = tiny_model(folder / "base", hidden=192, layers=4, vocabulary=2_000)
        many, few = folder / "many.jsonl", folder / "few.jsonl"
        records(many, chosen.records)
        records(few, chosen.records // 8)
        looked = check(pl.read_ndjson(many), opened(base), max_tokens=512)
        learnt = looked.rows["answer_tokens"]
        tokens = 2 * int(learnt.sum() - learnt.head(chosen.records // 8).sum())
        for turn in range(chosen.rounds):
            for name, run in runs.items():
                whole = run(base, many, folder / f"{name}-{turn}-many")
                spent[name].append(whole - run(base, few, folder / f"{name}-{turn}-few"))
    print(f"{'system':19} {'tokens':>8} {'CPU s':>8} {'tokens/s':>9}")
    for name, took in spent.items():
        middle = statistics.median(took)
        print(f"{name:19} {tokens:8,.0f} {middle:8.1f} {tokens / middle:9,.0f}")


if __name__ == "__main__":
    main()
