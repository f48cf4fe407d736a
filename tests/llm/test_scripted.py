"""The model that only plays one: it follows the form that it is asked for, and says what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

pytest.importorskip("aiohttp", reason="the extra llm is not installed")

from cqia.benchmarks import choosing
from cqia.benchmarks.base import Item
from cqia.benchmarks.belle_eval import BelleEval, read_score
from cqia.judges.base import follows
from cqia.llm.ask import ask
from cqia.llm.budget import Budget, Price
from cqia.llm.cache import Cache
from cqia.llm.protocol import Asking, Reply, Request
from cqia.llm.scripted import SAID, Scripted
from cqia.text.choices import find


def texts(model: Scripted, asked: Sequence[Asking], place: Path) -> list[str]:
    with Cache(place / "replies.sqlite") as cache:
        found = ask(model, asked, cache=cache, budget=Budget(Price())).outcomes
    return [one.text for one in found if isinstance(one, Reply)]


def test_the_scripted_model_follows_script_and_schema(tmp_path: Path) -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "minimum": 1, "maximum": 3},
            "b": {"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 2},
            "c": {"type": "boolean"},
        },
    }
    model = Scripted({"天气": "晴"})
    asked = [
        Request(messages=(("user", "今天天气？"),)),
        Request(messages=(("user", "别的"),)),
        Request(messages=(("user", "别的"),), schema=schema),
    ]
    told = texts(model, asked, tmp_path)
    assert told[:2] == ["晴", SAID]
    assert follows(orjson.loads(told[2]), schema)


def test_the_scripted_model_follows_forms_that_stand_in_prompts(tmp_path: Path) -> None:
    options = ("甲", "乙", "丙")
    items = [Item(id=str(n), question=f"第{n}问", options=options, gold="A") for n in range(60)]
    bench = BelleEval()
    rubric = '你需要给出分数。请按照"得分:"这样的形式输出分数。'
    judged = [bench.judged(replace(one, rubric=rubric), f"答{one.id}")[0] for one in items]
    chosen = [choosing.ask(one, "generate", 64) for one in items]
    model = Scripted()
    told = texts(model, [*judged, *chosen], tmp_path)
    scores = [read_score(one)[0] for one in told[:60]]
    assert None not in scores
    assert len(set(scores)) > 5
    letters = {find(one, options).letter for one in told[60:]}
    assert letters == {"A", "B", "C"}
    assert texts(Scripted(), judged, tmp_path / "again") == told[:60]


def test_a_share_of_scripted_replies_follows_no_form(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "boolean"}}}
    asked = [Request(messages=(("user", f"{n}"),), schema=schema) for n in range(400)]
    model = Scripted(unreadable=0.3)
    assert model.name != Scripted().name
    assert model.family == Scripted().family == "scripted"
    amiss = [one == SAID for one in texts(model, asked, tmp_path)]
    assert len(amiss) == 400
    assert 80 < sum(amiss) < 160
    assert SAID not in texts(Scripted(), asked, tmp_path)
    assert set(texts(Scripted(unreadable=1.0), asked, tmp_path)) == {SAID}
