from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("aiohttp", reason="the extra llm is not installed")

from cqia.errors import UserError
from cqia.llm.ask import Asked, ask, plan
from cqia.llm.budget import Budget, Price
from cqia.llm.cache import Cache
from cqia.llm.endpoint import Endpoint
from cqia.llm.gate import Gate
from cqia.llm.protocol import Failure, Reply, Request, Sampling
from tests.llm.server import Stub, fine, rough, serve


def endpoint(stub: Stub, **more: object) -> Endpoint:
    given: dict[str, object] = {"concurrency": 64, "timeout": 2.0, "first_wait": 0.01}
    return Endpoint(name="stub", url=stub.url, **(given | more))  # type: ignore[arg-type]


def requests(count: int, **sampling: object) -> list[Request]:
    drawn = Sampling(**({"max_tokens": 10} | sampling))  # type: ignore[arg-type]
    return [Request(messages=(("user", f"第{n}问"),), sampling=drawn) for n in range(count)]


def run(model: object, asked: list[Request], place: Path, budget: Budget | None = None) -> Asked:
    with Cache(place / "replies.sqlite") as cache:
        return ask(model, asked, cache=cache, budget=budget or Budget(Price()))  # type: ignore[arg-type]


def test_two_thousand_requests_against_every_fault(tmp_path: Path) -> None:
    with serve(rough) as stub:
        found = run(endpoint(stub, timeout=3.0), requests(2_000), tmp_path)
        assert [one.text for one in found.outcomes if isinstance(one, Reply)] == [
            f"答：第{n}问" for n in range(2_000)
        ]
        assert set(stub.paid.values()) == {1}
        assert len(stub.paid) == 2_000
        assert found.tally.replies == found.tally.asked == 2_000
        assert found.tally.attempts == stub.asked.total() > 2_300
        again = run(endpoint(stub), requests(2_000), tmp_path)
        assert (again.tally.cached, again.tally.attempts) == (2_000, 0)
        assert [one.text for one in again.outcomes if isinstance(one, Reply)] == [
            one.text for one in found.outcomes if isinstance(one, Reply)
        ]


@pytest.mark.parametrize(
    ("what", "reason", "attempts"),
    [
        ("429", "busy", 3),
        ("500", "server", 3),
        ("503", "server", 3),
        ("408", "server", 3),
        ("400", "refused", 1),
        ("404", "refused", 1),
        ("401", "unauthorized", 1),
        ("403", "unauthorized", 1),
        ("cut", "connection", 3),
        ("garbage", "malformed", 3),
        ("list", "malformed", 3),
        ("nul", "malformed", 3),
        ("empty", "empty", 3),
        ("hang", "timeout", 3),
        ("huge", "too large", 1),
    ],
)
def test_what_never_passes_ends_with_its_reason(
    what: str, reason: str, attempts: int, tmp_path: Path
) -> None:
    with serve(lambda *_: what) as stub:
        found = run(endpoint(stub, retries=2, timeout=0.4), requests(1), tmp_path)
    (outcome,) = found.outcomes
    assert isinstance(outcome, Failure)
    assert (outcome.reason, outcome.attempts) == (reason, attempts)
    assert (found.tally.failed, found.tally.replies) == (1, 0)
    with Cache(tmp_path / "replies.sqlite") as cache:
        assert len(cache) == 0


def test_no_more_are_under_way_than_allowed(tmp_path: Path) -> None:
    with serve(fine, delay=0.01) as stub:
        run(endpoint(stub, concurrency=8), requests(100), tmp_path)
        assert stub.most_under_way == 8


def test_so_many_a_minute(tmp_path: Path) -> None:
    with serve() as stub:
        began = time.monotonic()
        run(endpoint(stub, per_minute=600), requests(6), tmp_path)
        assert time.monotonic() - began >= 0.45


def test_nobody_there(tmp_path: Path) -> None:
    model = Endpoint(name="x", url="http://127.0.0.1:9/v1", retries=1, first_wait=0.01)
    (outcome,) = run(model, requests(1), tmp_path).outcomes
    assert isinstance(outcome, Failure)
    assert outcome.reason == "connection"


KILLED = """
import sys
from pathlib import Path
from tests.llm.test_ask import endpoint, requests, run
from tests.llm.server import Stub
stub = Stub(); stub.port = int(sys.argv[1])
run(endpoint(stub), requests(1000), Path(sys.argv[2]))
"""


def test_killed_in_the_middle_only_what_is_missing_is_sent(tmp_path: Path) -> None:
    with serve(fine, delay=0.05) as stub:
        command = [sys.executable, "-c", KILLED, str(stub.port), str(tmp_path)]
        started = subprocess.Popen(command, cwd=Path(__file__).parents[2])
        while stub.paid.total() < 300:
            time.sleep(0.01)
            assert started.poll() is None
        started.send_signal(signal.SIGKILL)
        started.wait()
        time.sleep(0.2)
        before = stub.asked.copy()
        keys = {one.key("stub"): one.messages[0][1] for one in requests(1_000)}
        with Cache(tmp_path / "replies.sqlite") as cache:
            held = {keys[key] for key in cache.get(keys)}
        assert 200 < len(held) < 1_000
        found = run(endpoint(stub), requests(1_000), tmp_path)
        assert found.tally.cached == len(held)
        sent = {asked for asked, n in stub.asked.items() if n > before[asked]}
        assert sent == set(keys.values()) - held
        assert sum(n - 1 for n in stub.paid.values()) <= 2 * 64


def test_the_budget_is_a_hard_stop_that_loses_nothing(tmp_path: Path) -> None:
    price = Price(prompt=1_000_000, reply=1_000_000)
    with serve(fine, delay=0.01) as stub:
        asked = requests(100)
        with Cache(tmp_path / "replies.sqlite") as cache:
            ahead = plan("stub", asked, cache=cache, budget=Budget(price))
        assert ahead.requests == 100
        budget = Budget(price, most=300.0)
        found = run(endpoint(stub), asked, tmp_path, budget)
        assert 0 < found.tally.replies < 100
        assert found.tally.replies + found.tally.unsent == 100
        assert budget.spent <= 300.0
        assert budget.held == pytest.approx(0)
        assert found.tally.cost == pytest.approx(budget.spent)
        assert found.tally.cost <= ahead.cost
        rest = run(endpoint(stub), asked, tmp_path, Budget(price))
        assert rest.tally.cached == found.tally.replies
        assert set(stub.paid.values()) == {1}


def test_the_same_request_is_sent_once(tmp_path: Path) -> None:
    with serve() as stub:
        asked = [*requests(3), *requests(3), *requests(3, seed=1)]
        found = run(endpoint(stub), asked, tmp_path)
    assert (found.tally.asked, found.tally.repeated) == (6, 3)
    assert stub.asked.total() == 6
    assert found.outcomes[0] == found.outcomes[3] != found.outcomes[6]._replace(attempts=9)


def test_retry_after_is_kept_and_concurrency_adapts(tmp_path: Path) -> None:
    times: list[float] = []

    def busy(_: str, before: int) -> str:
        times.append(time.monotonic())
        return "ok" if before else "after 0.7"

    with serve(busy) as stub:
        run(endpoint(stub), requests(1), tmp_path)
    assert times[1] - times[0] >= 0.65
    gate = Gate(64)
    for _ in range(10):
        gate.narrow()
    assert gate.limit == 1
    for _ in range(3_000):
        gate.widen()
    assert gate.limit == 64


def test_a_schema_is_asked_for_as_the_endpoint_can(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {}}
    asked = [Request(messages=(("user", f"{n}"),), schema=schema) for n in range(3)]
    with serve(lambda *_: "schema") as stub:
        model = endpoint(stub, concurrency=1)
        found = run(model, asked, tmp_path)
        assert found.tally.replies == 3
        kinds = [body.get("response_format", {}).get("type") for body in stub.bodies]
        assert kinds == ["json_schema", "json_object", None, None, None]
        assert model.structured == "nothing"


def test_the_key_is_sent_and_stands_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "sk-very-secret-0123456789"
    monkeypatch.setenv("STUB_KEY", secret)
    with serve(lambda asked, _: "500" if "0" in asked else "ok") as stub:
        found = run(endpoint(stub, key="STUB_KEY", retries=0), requests(2), tmp_path)
        assert stub.headers[0]["Authorization"] == f"Bearer {secret}"
    assert isinstance(found.outcomes[0], Failure)
    assert "***" in found.outcomes[0].detail
    assert secret not in repr(found)
    assert secret not in repr(endpoint(stub, key="STUB_KEY"))
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
    monkeypatch.delenv("STUB_KEY")
    with serve() as stub, pytest.raises(UserError, match=r"\$STUB_KEY: the key of model 'stub'"):
        run(endpoint(stub, key="STUB_KEY"), requests(1), tmp_path / "other")


def test_the_cache_is_shared_by_processes(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from cqia.llm.cache import Cache
from cqia.llm.protocol import Reply
with Cache(Path(sys.argv[1])) as cache:
    for n in range(400):
        cache.put("m", {f"k{n}": Reply(sys.argv[2])})
"""
    path = tmp_path / "replies.sqlite"
    crew = [subprocess.Popen([sys.executable, "-c", code, str(path), str(n)]) for n in range(3)]
    assert [one.wait() for one in crew] == [0, 0, 0]
    with Cache(path) as cache:
        assert len(cache) == 400
        assert len(cache.get(f"k{n}" for n in range(400))) == 400


def test_a_file_that_is_no_cache(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"something else, and long enough to be looked at" * 99)
    with pytest.raises(UserError, match="no cache of replies"):
        Cache(path)


def test_a_cache_of_another_shape_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (a)")
    db.close()
    with Cache(path) as cache:
        assert len(cache) == 0


@given(st.text(), st.integers(0, 5), st.floats(0, 2))
def test_a_key_depends_on_all_that_matters(text: str, seed: int, temperature: float) -> None:
    one = Request(messages=(("user", text),), sampling=Sampling(seed=seed, temperature=temperature))
    same = Request(
        messages=(("user", text),), sampling=Sampling(seed=seed, temperature=temperature)
    )
    assert one.key("m") == same.key("m")
    others = [
        Request(messages=(("user", text + "x"),), sampling=one.sampling),
        Request(messages=(("system", text),), sampling=one.sampling),
        Request(messages=one.messages, sampling=Sampling(seed=seed + 1, temperature=temperature)),
        Request(messages=one.messages, sampling=one.sampling, schema={"type": "object"}),
    ]
    assert one.key("m") not in {other.key("m") for other in others} | {one.key("n")}
