"""The same folder behind `transformers serve` and in this process: both say the same.

pip install 'transformers[serving]' && pytest -m slow tests/llm/test_serve.py
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="the extra llm is not installed")
pytest.importorskip("transformers", reason="the extra train is not installed")
pytest.importorskip("uvicorn", reason="transformers[serving] is not installed")

from cqia.llm.ask import ask
from cqia.llm.budget import Budget, Price
from cqia.llm.cache import Cache
from cqia.llm.endpoint import Endpoint
from cqia.llm.local import Local
from cqia.llm.protocol import Asking, Choosing, Failure, Model, Outcome, Reply, Request, Sampling
from tests.llm.tiny import TEXTS, tiny_model

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(sys.executable).with_name("transformers")
    command = [script, "serve", folder, "--port", str(port), "--device", "cpu", "--log-level", "error"]  # fmt: skip
    server = subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    try:
        _wait(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.kill()
        server.wait()


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"the server did not start; it ended with {server.poll()}")


def asked(model: Model, requests: list[Asking], place: Path) -> list[Outcome]:
    with Cache(place) as cache:
        return ask(model, requests, cache=cache, budget=Budget(Price())).outcomes


def test_both_say_the_same(folder: Path, url: str, tmp_path: Path) -> None:
    requests: list[Asking] = [
        Request(messages=(("user", text),), sampling=Sampling(max_tokens=12)) for text in TEXTS
    ]
    served = Endpoint(name="served", url=url, model=str(folder), concurrency=2, timeout=120)
    outcomes = asked(served, requests, tmp_path / "served.sqlite")
    here = asked(Local(name="here", folder=folder), requests, tmp_path / "here.sqlite")
    assert not [one for one in outcomes if isinstance(one, Failure)]
    for one, other in zip(outcomes, here, strict=True):
        assert isinstance(one, Reply)
        assert isinstance(other, Reply)
        assert one.text.strip() == other.text.strip(), "the server takes a first space away"
        assert one.prompt_tokens == other.prompt_tokens


def test_it_tells_no_log_probabilities(folder: Path, url: str, tmp_path: Path) -> None:
    """Until it does: then this test says so."""
    served = Endpoint(name="served", url=url, model=str(folder), concurrency=1, timeout=120)
    requests: list[Asking] = [Choosing(text=TEXTS[0], continuations=("A", "B"))]
    (one,) = asked(served, requests, tmp_path / "served.sqlite")
    assert isinstance(one, Failure)
    assert one.reason == "not offered"
    assert "not echoed" in one.detail
