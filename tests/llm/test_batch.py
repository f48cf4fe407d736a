from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="the extra llm is not installed")

from cqia import store
from cqia.errors import UserError
from cqia.llm.ask import ask
from cqia.llm.batch import Batched, advance
from cqia.llm.budget import Budget, Price
from cqia.llm.cache import Cache
from cqia.llm.endpoint import Endpoint
from cqia.llm.protocol import Reply, Request, Sampling
from tests.llm.batch_server import Batches
from tests.llm.server import serve, serving


def endpoint(url: str, **more: object) -> Endpoint:
    return Endpoint(name="stub", url=url, first_wait=0.01, retries=2, **more)  # type: ignore[arg-type]


def requests(count: int) -> list[Request]:
    drawn = Sampling(max_tokens=10)
    return [Request(messages=(("user", f"第{n}问"),), sampling=drawn) for n in range(count)]


def run(
    url: str, place: Path, asked: list[Request], budget: Budget | None = None, **more: object
) -> Batched:
    most = int(str(more.pop("most", 20_000)))
    with Cache(place / "r.sqlite") as cache:
        return advance(
            endpoint(url, **more),
            asked,
            cache=cache,
            budget=budget or Budget(Price(prompt=1e6, reply=1e6)),
            folder=place / "batches",
            most=most,
        )


def adds_up(found: Batched) -> bool:
    parts = (found.cached, found.collected, found.failed, found.waiting)
    return found.asked == sum(parts) + found.submitted + found.unsent


def test_submitted_then_collected_then_the_ordinary_run_sends_nothing(tmp_path: Path) -> None:
    asked = [*requests(10), *requests(3)]
    with serving(Batches(status="in_progress")) as stub:
        first = run(stub.url, tmp_path, asked, most=4)
        assert (first.asked, first.submitted, first.waiting) == (10, 10, 0)
        assert len(stub.made) == 3
        again = run(stub.url, tmp_path, asked, most=4)
        assert (again.submitted, again.waiting) == (0, 10)
        more = run(stub.url, tmp_path, requests(12), most=4)
        assert (more.submitted, more.waiting) == (2, 10)
        stub.status = "completed"
        done = run(stub.url, tmp_path, asked, most=4)
        assert (done.collected, done.waiting, done.failed) == (10, 0, 0)
        assert done.cost == 150
        assert all(adds_up(one) for one in (first, again, more, done))
        assert set(stub.asked.values()) == {1}
        with Cache(tmp_path / "r.sqlite") as cache:
            found = ask(endpoint(stub.url), asked, cache=cache, budget=Budget(Price()))
        assert (found.tally.cached, found.tally.attempts) == (10, 0)
        texts = [one.text for one in found.outcomes if isinstance(one, Reply)]
        assert texts[:2] == ["答：第0问", "答：第1问"]
        assert not stub.bodies
        assert not list((tmp_path / "batches").glob("*.jsonl"))


def test_partial_failures_are_told_and_submitted_again_in_the_next_call(tmp_path: Path) -> None:
    fates = {"第0问": "400", "第1问": "missing", "第2问": "garbage", "第3问": "stranger"}
    with serving(Batches(lambda asked: fates.get(asked, "ok"))) as stub:
        run(stub.url, tmp_path, requests(8))
        done = run(stub.url, tmp_path, requests(8))
        assert (done.collected, done.failed, done.submitted) == (4, 4, 0)
        assert done.reasons["missing"] == 3
        assert [one for one in done.reasons if one.startswith("refused: 400")]
        fates.clear()
        again = run(stub.url, tmp_path, requests(8))
        assert (again.cached, again.submitted) == (4, 4)
        done = run(stub.url, tmp_path, requests(8))
        assert (done.cached, done.collected, done.failed) == (4, 4, 0)
        assert adds_up(done)
        with Cache(tmp_path / "r.sqlite") as cache:
            assert len(cache) == 8


@pytest.mark.parametrize(
    ("status", "reason"),
    [("expired", "expired"), ("cancelled", "cancelled"), ("gone", "gone"),
     ("failed", "failed: line 1 is too long")],
)  # fmt: skip
def test_what_an_ended_batch_leaves_out_has_its_reason(
    status: str, reason: str, tmp_path: Path
) -> None:
    half = Batches(lambda asked: "ok" if asked in ("第0问", "第1问") else "missing", status)
    with serving(half) as stub:
        run(stub.url, tmp_path, requests(4))
        done = run(stub.url, tmp_path, requests(4))
        read = 2 if status in ("expired", "cancelled") else 0
        assert (done.collected, done.failed) == (read, 4 - read)
        assert done.reasons == {reason: 4 - read}
        assert run(stub.url, tmp_path, requests(4)).submitted == 4 - read


KILLED = """
import sys
from pathlib import Path
from tests.llm.test_batch import requests, run
run(sys.argv[1], Path(sys.argv[2]), requests(5))
"""


def test_killed_between_submitting_and_learning_so_it_is_not_submitted_twice(
    tmp_path: Path,
) -> None:
    with serving(Batches(status="in_progress")) as stub:
        stub.slow = 20.0
        stub.made["another"] = {"id": "another", "input_file_id": "x", "metadata": None}
        command = [sys.executable, "-c", KILLED, stub.url, str(tmp_path)]
        started = subprocess.Popen(command, cwd=Path(__file__).parents[2])
        while len(stub.made) < 2:
            time.sleep(0.01)
            assert started.poll() is None
        started.send_signal(signal.SIGKILL)
        started.wait()
        (path,) = (tmp_path / "batches").glob("*.json")
        assert store.read_json(path)["step"] == "uploaded"
        stub.slow = 0.0
        found = run(stub.url, tmp_path, requests(5))
        assert (found.waiting, found.submitted) == (5, 0)
        assert len(stub.made) == 2
        assert set(stub.asked.values()) == {1}
        stub.status = "completed"
        assert run(stub.url, tmp_path, requests(5)).collected == 5


@pytest.mark.parametrize("step", ["planned", "uploaded"])
def test_killed_before_submitting_it_is_submitted_once(step: str, tmp_path: Path) -> None:
    with serving(Batches()) as stub:
        run(stub.url, tmp_path, requests(3))
        (path,) = (tmp_path / "batches").glob("*.json")
        facts = store.read_json(path)
        file = facts["file"] if step == "uploaded" else ""
        store.write_json(path, {**facts, "step": step, "id": "", "file": file})
        path.with_suffix(".jsonl").write_bytes(stub.files[facts["file"]])
        stub.made.clear()
        (tmp_path / "batches" / "orphan.jsonl").write_text("x")
        found = run(stub.url, tmp_path, requests(3))
        assert (found.collected, len(stub.made)) == (3, 1)
        assert not list((tmp_path / "batches").glob("*.jsonl"))


def test_an_answer_that_broke_is_looked_for_before_anything_is_sent(tmp_path: Path) -> None:
    with serving(Batches()) as stub:
        stub.broken, stub.uploads_fail = 1, 2
        with pytest.raises(UserError, match="500"):
            run(stub.url, tmp_path, requests(3))
        found = run(stub.url, tmp_path, requests(3))
        assert (found.collected, found.submitted, len(stub.made)) == (3, 0, 1)


def test_where_batches_can_t_be_listed_nothing_is_risked(tmp_path: Path) -> None:
    with serving(Batches()) as stub:
        stub.broken, stub.lists = 1, False
        with pytest.raises(UserError):
            run(stub.url, tmp_path, requests(3))
        with pytest.raises(UserError, match="lists none"):
            run(stub.url, tmp_path, requests(3))
        assert len(stub.made) == 1


def test_the_budget_holds(tmp_path: Path) -> None:
    asked = requests(10)
    price = Price(prompt=1e6, reply=1e6)
    each = Budget(price).most_of(asked[0])
    with serving(Batches()) as stub:
        found = run(stub.url, tmp_path, asked, Budget(price, most=each * 3.5))
        assert (found.submitted, found.unsent) == (3, 7)
        assert stub.asked.total() == 3
        assert adds_up(found)


def test_no_key_is_on_disk_or_in_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "sk-very-secret-0123456789"
    monkeypatch.setenv("STUB_KEY", secret)
    with serving(Batches(lambda asked: "400" if "0" in asked else "ok")) as stub:
        run(stub.url, tmp_path, requests(2), key="STUB_KEY")
        assert stub.headers[0]["Authorization"] == f"Bearer {secret}"
        done = run(stub.url, tmp_path, requests(2), key="STUB_KEY")
        assert "***" in str(done.reasons)
        stub.broken = 1
        with pytest.raises(UserError) as caught:
            run(stub.url, tmp_path, requests(3), key="STUB_KEY")
        assert "***" in str(caught.value)
        told = f"{done!r}{caught.value!r}{caught.value}{caught.traceback!r}"
    assert secret not in told
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_endpoints_without_batches_and_moved_ones(tmp_path: Path) -> None:
    with serve() as plain, pytest.raises(UserError, match="offers no batches"):
        run(plain.url, tmp_path, requests(1))
    with serving(Batches(status="in_progress")) as stub:
        run(stub.url, tmp_path / "b", requests(1))
        with pytest.raises(UserError, match="is under way at"):
            run("http://127.0.0.1:9/v1", tmp_path / "b", requests(1))
    with pytest.raises(UserError, match="can't be reached"):
        run("http://127.0.0.1:9/v1", tmp_path / "c", requests(1))
