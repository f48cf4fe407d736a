"""Multiple choice by log-probability: ours, a loop of one by one, and lm-evaluation-harness.

    python -m benchmarks.choosing [MODEL] [--shots N]

The 2,100 Chinese questions of SafetyBench (in $CQIA_DATA), zero-shot or after N others with their
answers. MODEL is a folder; without one, a model of three million random parameters is made, whose
answers mean nothing and are as dear as anybody's. All three get the same prompts and letters. The
loop is plain transformers: one text, one pass, every logit. lm-evaluation-harness runs in an
environment of its own, made on the first run (.venv-rivals-lm), once as it comes (batches of one),
and in larger ones. Loading is not counted. CPU seconds are compared: they bear neighbours better.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cqia.llm.ask import ask
from cqia.llm.budget import Budget, Price
from cqia.llm.cache import Cache
from cqia.llm.local import Local
from cqia.llm.protocol import Choosing, Reply, weights

ROOT = Path(__file__).parents[1]
RIVAL = ROOT / ".venv-rivals-lm"
LETTERS = "ABCDEFGH"
Run = tuple[float, float, list[int]]
"""CPU seconds, seconds, and the chosen number for each question."""
BATCHES = (1, 16, 64)
"""Of lm-evaluation-harness."""
TASK = """task: choosing
dataset_path: json
dataset_kwargs:
  data_files: {test: QUESTIONS}
test_split: test
output_type: multiple_choice
doc_to_text: "{{text}}"
doc_to_target: 0
doc_to_choice: "{{letters}}"
target_delimiter: ""
metric_list: [{metric: acc}]
"""
DRIVER = """
import json, sys, time, torch
torch.set_num_threads(int(sys.argv[4]))
import lm_eval
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
model = HFLM(pretrained=sys.argv[1], batch_size=int(sys.argv[3]), device="cpu", dtype="float32")
weigh, spent = model.loglikelihood, []
def timed(requests, **more):
    began = time.process_time(), time.perf_counter()
    found = weigh(requests, **more)
    spent.append((time.process_time() - began[0], time.perf_counter() - began[1]))
    return found
model.loglikelihood = timed
found = lm_eval.simple_evaluate(
    model=model, tasks=["choosing"], task_manager=TaskManager(include_path=sys.argv[2]),
    log_samples=True, bootstrap_iters=0, verbosity="ERROR",
)
samples = sorted(found["samples"]["choosing"], key=lambda one: one["doc_id"])
chances = [[float(one[0]) for one in sample["filtered_resps"]] for sample in samples]
best = [max(range(len(one)), key=one.__getitem__) for one in chances]
print(json.dumps([*map(sum, zip(*spent)), best]))
"""


def questions(data: Path, shots: int) -> list[Choosing]:
    """Every question as a prompt; its letters are weighed."""
    items = json.loads((data / "safetybench" / "test_zh_subset.json").read_text("utf-8"))
    answers = json.loads((data / "safetybench" / "test_answers_zh_subset.json").read_text("utf-8"))
    asked = [_asked(item) for item in items]
    told = [LETTERS[int(_answer(answers, item))] for item in items]
    before = "".join(f"{asked[n]}{told[n]}\n\n" for n in range(shots))
    return [
        Choosing(text=before + text, continuations=tuple(LETTERS[: len(item["options"])]))
        for text, item in zip(asked, items, strict=True)
    ]


def _asked(item: dict[str, Any]) -> str:
    options = "\n".join(f"{LETTERS[n]}. {one}" for n, one in enumerate(item["options"]))
    return f"问题：{item['question']}\n{options}\n答案："


def _answer(answers: dict[str, Any], item: dict[str, Any]) -> int:
    found = answers[str(item["id"])]
    return int(found["answer"] if isinstance(found, dict) else found)


def made(folder: Path, asked: list[Choosing]) -> Path:
    """Three million parameters and 8,000 tokens, learnt from the questions."""
    from tests.llm.tiny import tiny_model

    texts = [one.text for one in asked[::3]]
    return tiny_model(folder, texts=texts, hidden=192, layers=5, vocabulary=8_000, positions=32_768)


def ours(folder: Path, asked: list[Choosing], place: Path) -> Run:
    """Through `ask`, with its cache: what a run costs."""
    model = Local(name="ours", folder=folder)
    with tempfile.TemporaryDirectory(dir=place) as name, Cache(Path(name, "w.sqlite")) as cache:
        ask(model, asked[:2], cache=cache, budget=Budget(Price()))
    began = time.process_time(), time.perf_counter()
    with tempfile.TemporaryDirectory(dir=place) as name, Cache(Path(name, "r.sqlite")) as cache:
        found = ask(model, asked, cache=cache, budget=Budget(Price()))
    spent = time.process_time() - began[0], time.perf_counter() - began[1]
    told = [weights(one) for one in found.outcomes if isinstance(one, Reply)]
    assert len(told) == len(asked)
    return *spent, [_best([one.logprob for one in each]) for each in told]


def one_by_one(folder: Path, asked: list[Choosing]) -> Run:
    """As a first script would do it: text and letter together, one at a time."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    began = time.process_time(), time.perf_counter()
    with torch.inference_mode():
        for request in asked:
            own = len(tokenizer(request.text)["input_ids"])
            sums = []
            for letter in request.continuations:
                tokens = torch.tensor([tokenizer(request.text + letter)["input_ids"]])
                chances = model(tokens).logits[0].log_softmax(1)
                places = range(own, tokens.shape[1])
                sums.append(sum(float(chances[n - 1, tokens[0, n]]) for n in places))
            found.append(_best(sums))
    return time.process_time() - began[0], time.perf_counter() - began[1], found


def _best(sums: list[float]) -> int:
    return max(range(len(sums)), key=sums.__getitem__)


def harness(folder: Path, asked: list[Choosing], place: Path) -> Iterator[tuple[int, Run]]:
    """lm-evaluation-harness on the same prompts, with each size of batch."""
    import torch

    lines = [{"text": one.text, "letters": list(one.continuations)} for one in asked]
    data = place / "questions.jsonl"
    data.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines), "utf-8")
    tasks = place / "tasks"
    tasks.mkdir()
    (tasks / "choosing.yaml").write_text(TASK.replace("QUESTIONS", str(data)), "utf-8")
    for size in BATCHES:
        words = [folder, tasks, size, torch.get_num_threads()]
        done = subprocess.run(
            [RIVAL / "bin" / "python", "-c", DRIVER, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            text=True,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(place / "cache")},
        )
        yield size, tuple(json.loads(done.stdout.splitlines()[-1]))


def install() -> None:
    if (RIVAL / "bin" / "lm-eval").is_file():
        return
    venv.create(RIVAL, with_pip=True)
    for packages in (["torch"], ["lm-eval[hf]"]):
        subprocess.run([RIVAL / "bin" / "pip", "install", "--quiet", *packages], check=True)


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("model", nargs="?", type=Path)
    words.add_argument("--shots", type=int, default=0)
    words.add_argument("--most", type=int, default=None, help="questions")
    given = words.parse_args()
    install()
    data = Path(os.environ.get("CQIA_DATA", ROOT.parent / "shared" / "data"))
    asked = questions(data, given.shots)[: given.most]
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        folder = given.model or made(place / "model", asked)
        runs = {"ours": ours(folder, asked, place), "one by one": one_by_one(folder, asked)}
        for size, run in harness(folder, asked, place):
            runs[f"lm-eval, batches of {size}"] = run
        runs["ours, again"] = ours(folder, asked, place)
    report(runs, f"{len(asked)} questions, {given.shots} shots")


def report(runs: dict[str, Run], what: str) -> None:
    print(what)
    print("| | CPU s | s | questions a CPU s | CPU s of ours x | same choices as ours |")
    print("|---|---:|---:|---:|---:|---:|")
    first, _, best = runs["ours"]
    for name, (cpu, wall, found) in runs.items():
        same = sum(a == b for a, b in zip(found, best, strict=True))
        rate = len(best) / cpu
        print(f"| {name} | {cpu:.1f} | {wall:.1f} | {rate:.0f} | {cpu / first:.1f} | {same} |")


if __name__ == "__main__":
    main()
