from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="the extra llm is not installed")

from cqia.errors import UserError
from cqia.llm import models
from cqia.llm.endpoint import Endpoint
from cqia.llm.fleet import Fleet
from cqia.llm.protocol import Choosing, Reply, weights
from tests.llm.server import Stub, fine, rough, serve
from tests.llm.test_ask import endpoint, requests, run


def fleet(*stubs: Stub, **more: object) -> Fleet:
    return Fleet(endpoints=tuple(endpoint(one, **more) for one in stubs))


def paid(*stubs: Stub) -> Counter[str]:
    return sum((one.paid for one in stubs), Counter())


def texts(found: object) -> list[str]:
    return [one.text for one in found.outcomes if isinstance(one, Reply)]  # type: ignore[attr-defined]


WANTED = [f"答：第{n}问" for n in range(400)]


def test_requests_are_shared_out_by_room(tmp_path: Path) -> None:
    with serve(fine, delay=0.02) as one, serve(fine, delay=0.02) as other:
        model = Fleet(endpoints=(endpoint(one, concurrency=24), endpoint(other, concurrency=8)))
        found = run(model, requests(400), tmp_path)
        assert texts(found) == WANTED
        assert set(paid(one, other).values()) == {1}
        assert found.tally.attempts == 400
        assert one.most_under_way <= 24
        assert other.most_under_way <= 8
        assert one.paid.total() > 1.5 * other.paid.total() > 0


def test_a_slow_endpoint_gets_less(tmp_path: Path) -> None:
    with serve(fine, delay=0.1) as slow, serve(fine, delay=0.01) as quick:
        found = run(fleet(slow, quick, concurrency=8), requests(400), tmp_path)
        assert texts(found) == WANTED
        assert quick.paid.total() > 3 * slow.paid.total()


@pytest.mark.parametrize("dies", ["cut", "503", "429"])
def test_one_dies_in_the_middle_and_every_request_is_answered_once(
    tmp_path: Path, dies: str
) -> None:
    left = [100]

    def dying(_: str, __: int) -> str:
        left[0] -= 1
        return "ok" if left[0] > 0 else dies

    with serve(dying, delay=0.005) as one, serve(fine, delay=0.005) as other:
        found = run(fleet(one, other, concurrency=16), requests(400), tmp_path)
        assert texts(found) == WANTED
        assert found.tally.failed == 0
        assert set(paid(one, other).values()) == {1}
        assert one.paid.total() == 99
        assert found.tally.attempts == one.asked.total() + other.asked.total()
        assert one.asked.total() < 160
        again = run(fleet(other, one), requests(400), tmp_path)
        assert (again.tally.cached, again.tally.attempts) == (400, 0)


def test_one_whose_server_goes_away_is_left_in_peace_and_comes_back(tmp_path: Path) -> None:
    until = time.monotonic() + 0.15

    def away(_: str, __: int) -> str:
        return "503" if time.monotonic() < until else "ok"

    with serve(away, delay=0.005) as one, serve(fine, delay=0.02) as other:
        found = run(fleet(one, other, concurrency=4), requests(400), tmp_path)
        assert texts(found) == WANTED
        assert one.paid.total() > 100


def test_faults_of_every_kind_on_both(tmp_path: Path) -> None:
    with serve(rough) as one, serve(rough) as other:
        found = run(fleet(one, other, timeout=1.0), requests(400), tmp_path)
        assert texts(found) == WANTED
        assert set(paid(one, other).values()) == {1}


def test_when_all_are_dead_requests_end_and_the_next_run_asks_them(tmp_path: Path) -> None:
    with serve(fine) as alive:
        dead = tuple(
            Endpoint(name="stub", url=f"http://127.0.0.1:{port}/v1", retries=1, first_wait=0.01)
            for port in (9, 19)
        )
        found = run(Fleet(endpoints=dead), requests(200), tmp_path)
        assert found.tally.failed == 200
        assert found.tally.attempts < 100
        assert {one.reason for one in found.outcomes} == {"connection"}  # type: ignore[union-attr]
        again = run(fleet(alive, alive), requests(200), tmp_path)
        assert again.tally.replies == 200


def test_what_an_endpoint_refuses_is_not_asked_elsewhere(tmp_path: Path) -> None:
    with serve(lambda _, __: "400") as one, serve(lambda _, __: "400") as other:
        found = run(fleet(one, other), requests(20), tmp_path)
        assert found.tally.failed == found.tally.attempts == 20


def test_continuations_are_weighed_by_either(tmp_path: Path) -> None:
    asked = [Choosing(text=f"第{n}问：", continuations=("A", "B")) for n in range(40)]
    with serve(fine) as one, serve(lambda _, n: "503" if not n else "ok") as other:
        found = run(fleet(one, other), asked, tmp_path)  # type: ignore[arg-type]
        alone = run(endpoint(one), asked, tmp_path / "alone")  # type: ignore[arg-type]
    ours = [weights(reply) for reply in found.outcomes if isinstance(reply, Reply)]
    assert ours == [weights(reply) for reply in alone.outcomes if isinstance(reply, Reply)]
    assert len(ours) == 40


def test_models_toml_names_several_urls(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_text(
        '[[model]]\nname = "m"\nurls = ["http://a/v1", "http://b/v1"]\nconcurrency = 3\n'
        'family = "qwen"\nkey = "KEY"\nper_minute = 60\n'
    )
    model = models.named("m", path).model
    assert isinstance(model, Fleet)
    assert (model.name, model.family, model.concurrency) == ("m", "qwen", 6)
    assert [one.url for one in model.endpoints] == ["http://a/v1", "http://b/v1"]
    assert {(one.key, one.per_minute) for one in model.endpoints} == {("KEY", 60.0)}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('urls = ["http://a/v1"]', "two or more"),
        ('urls = ["http://a/v1", "http://a/v1"]', "two or more"),
        ('urls = ["http://a/v1", "b"]', "needs a url"),
        ('urls = ["http://a/v1", "http://b/v1"]\nurl = "http://c/v1"', "not both"),
        ("urls = []", "two or more"),
        ('urls = "http://a/v1"', "urls"),
    ],
)
def test_wrong_urls_are_told(tmp_path: Path, line: str, what: str) -> None:
    path = tmp_path / "models.toml"
    path.write_text(f'[[model]]\nname = "m"\n{line}\n')
    with pytest.raises(UserError, match=what):
        models.read(path)
