from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="the extra llm is not installed")

from cqia.llm.ask import Asked, ask
from cqia.llm.budget import Budget, Price
from cqia.llm.cache import Cache
from cqia.llm.completions import echoed, likeliest
from cqia.llm.endpoint import Endpoint
from cqia.llm.protocol import Choosing, Failure, Reply, Weight, weights
from tests.llm import server
from tests.llm.server import Stub, rough, serve

LETTERS = ("A", "B", "C", "D")


def run(stub: Stub, asked: list[Choosing], place: Path, concurrency: int = 1) -> Asked:
    model = Endpoint(
        name="stub", url=stub.url, concurrency=concurrency, timeout=3.0, first_wait=0.01
    )
    with Cache(place / "replies.sqlite") as cache:
        return ask(model, asked, cache=cache, budget=Budget(Price()))


def offered(text: str) -> list[str]:
    """Letters that stand among the likeliest after a text."""
    return [one for one in LETTERS if one in server.likeliest(text, 20)]


def text_with(count: int) -> str:
    return next(f"第{n}题：" for n in range(1_000) if len(offered(f"第{n}题：")) == count)


def reason(outcome: object) -> str:
    return f"{outcome.reason}: {outcome.detail}" if isinstance(outcome, Failure) else "none"


@pytest.mark.parametrize("what", ["ok", "llama"])
def test_letters_among_the_likeliest_cost_one_request(what: str, tmp_path: Path) -> None:
    text = text_with(4)
    with serve(lambda _, __: what) as stub:
        found = run(stub, [Choosing(text=text, continuations=LETTERS)], tmp_path)
        again = run(stub, [Choosing(text=text, continuations=LETTERS)], tmp_path)
    (reply,) = found.outcomes
    assert isinstance(reply, Reply)
    assert weights(reply) == tuple(Weight(server.logprob(text, one), 1) for one in LETTERS)
    assert (reply.attempts, reply.prompt_tokens, again.tally.cached) == (1, len(text), 1)
    assert stub.bodies[0]["max_tokens"] == 1
    assert stub.bodies[0]["logprobs"] == 20


def test_others_are_echoed(tmp_path: Path) -> None:
    text, continuations = "下列哪一项？答案：", ("水往低处流", "鱼会飞", "水")
    with serve() as stub:
        found = run(stub, [Choosing(text=text, continuations=continuations)], tmp_path)
    (reply,) = found.outcomes
    assert isinstance(reply, Reply)
    for weight, told in zip(weights(reply), continuations, strict=True):
        wanted = sum(server.logprob(text + told[:n], one) for n, one in enumerate(told))
        assert weight == Weight(pytest.approx(wanted), len(told))  # type: ignore[arg-type]
    assert reply.attempts == 5


@pytest.mark.parametrize(("what", "seen"), [("llama", "20 likeliest"), ("deaf", "20 likeliest"), ("null", "0 likeliest")])  # fmt: skip
def test_what_is_not_offered_is_a_failure_that_names_it(
    what: str, seen: str, tmp_path: Path
) -> None:
    asked = [Choosing(text=f"第{n}题：", continuations=("A", "鱼会飞")) for n in range(3)]
    with serve(lambda _, __: what) as stub:
        found = run(stub, asked, tmp_path)
        assert len(stub.bodies) == 4, "asked for an echo once, and never again"
    for one in found.outcomes:
        assert reason(one).startswith("not offered: ")
        assert seen in reason(one)
        assert "not echoed" in reason(one)
    if what != "null":
        assert "'鱼会飞'" in reason(found.outcomes[0])


def test_a_letter_that_is_not_among_the_likeliest(tmp_path: Path) -> None:
    text = text_with(3)
    (missing,) = set(LETTERS) - set(offered(text))
    with serve(lambda _, __: "llama") as stub:
        (one,) = run(stub, [Choosing(text=text, continuations=LETTERS)], tmp_path).outcomes
    assert reason(one).startswith(f"not offered: '{missing}' is not among the 20 likeliest")


def test_fewer_likeliest_where_twenty_are_refused(tmp_path: Path) -> None:
    text = "题："
    two = tuple(server.likeliest(text, 5))[:2]
    asked = [Choosing(text=text, continuations=(one,)) for one in two] + [
        Choosing(text=text, continuations=two)
    ]
    with serve(lambda _, __: "few") as stub:
        found = run(stub, asked, tmp_path)
        counts = [body["logprobs"] for body in stub.bodies]
    assert counts[0] == 20
    assert counts[-1] == 5
    assert counts.count(5) == len(asked)
    assert all(isinstance(one, Reply) for one in found.outcomes)


@pytest.mark.parametrize(
    ("what", "wanted"),
    [
        ("404", "not offered: 404"),
        ("405", "not offered: 405"),
        ("400", "refused: 400"),
        ("401", "unauthorized: 401"),
        ("garbage", "malformed"),
        ("list", "malformed"),
        ("500", "server: 500"),
        ("nul", "not offered"),
    ],
)
def test_faults(what: str, wanted: str, tmp_path: Path) -> None:
    with serve(lambda _, __: what) as stub:
        (one,) = run(stub, [Choosing(text="题：", continuations=("A",))], tmp_path).outcomes
    assert reason(one).startswith(wanted)


def test_an_empty_text_has_no_logprob_to_tell(tmp_path: Path) -> None:
    with serve() as stub:
        (one,) = run(stub, [Choosing(text="", continuations=("鱼会飞",))], tmp_path).outcomes
    assert reason(one).startswith("not offered: the first token")


def test_every_fault_at_once_changes_no_weight(tmp_path: Path) -> None:
    asked = [Choosing(text=f"第{n}题：", continuations=("鱼会飞", "A")) for n in range(200)]
    with serve(rough) as stub:
        found = run(stub, asked, tmp_path, concurrency=32)
    assert not [one for one in found.outcomes if isinstance(one, Failure) and one.reason != "not offered"]  # fmt: skip
    for one, request in zip(found.outcomes, asked, strict=True):
        if isinstance(one, Reply):
            assert weights(one)[1].logprob == pytest.approx(server.logprob(request.text, "A"))
    assert found.tally.attempts == stub.asked.total()


ANSWERS = (
    '{"choices": []}',
    '{"choices": {}}',
    '{"choices": [1]}',
    '{"choices": [{"logprobs": []}]}',
    '{"choices": [{"logprobs": {"content": []}}]}',
    '{"choices": [{"logprobs": {"content": [7]}}]}',
    '{"choices": [{"logprobs": {"content": [{"top_logprobs": [null, {"token": 3, "logprob": -1}]}]}}]}',
    '{"choices": [{"logprobs": {"top_logprobs": []}}]}',
    '{"choices": [{"logprobs": {"top_logprobs": [null]}}]}',
    '{"choices": [{"logprobs": {"top_logprobs": [{"A": null, "B": "x", "C": true}]}}]}',
    '{"choices": [{"text": "题", "logprobs": {"tokens": ["题"], "token_logprobs": []}}], "usage": {"prompt_tokens": 1}}',
    '{"choices": [{"text": "题", "logprobs": {"tokens": ["题"], "token_logprobs": [-1]}}], "usage": null}',
    '{"choices": [{"text": null, "logprobs": {}}]}',
)


@pytest.mark.parametrize("answer", ANSWERS)
def test_answers_that_tell_nothing(answer: str) -> None:
    assert likeliest(answer) == {}
    assert echoed(answer, "题") is None
