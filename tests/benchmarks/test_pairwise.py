from __future__ import annotations

import json
from pathlib import Path

import pytest

from cqia.benchmarks.pairwise import Pairwise
from cqia.benchmarks.questions import questions
from cqia.errors import UserError
from cqia.llm.protocol import Failure
from tests.benchmarks.answering import Answering, outcomes

ASKED = ("问甲", "问乙", "问丙", "问丁")


@pytest.fixture
def place(tmp_path: Path) -> str:
    body = "\n".join(json.dumps({"id": one, "question": one, "class": "c"}) for one in ASKED)
    (tmp_path / "q.jsonl").write_text(body, encoding="utf-8")
    return str(tmp_path / "q.jsonl")


def better(asked: str) -> str:
    """A judge: the long answer in 问甲, the first place in 问乙, nobody in 问丙, nonsense in 问丁."""
    if "问丁" in asked:
        return "都好"
    first = asked.split("【甲的回答】\n")[1].split("\n\n【乙的回答】")[0]
    verdict = {"问甲": "甲" if len(first) > 5 else "乙", "问乙": "甲", "问丙": "平手"}
    said = next(one for key, one in verdict.items() if key in asked)
    return json.dumps({"分析": "看过", "更好": said}, ensure_ascii=False)


def test_both_orders_flips_and_lengths(tmp_path: Path, place: str) -> None:
    first = Answering(lambda asked: "很长很长的回答", name="first")
    second = Answering(lambda asked: "短", name="second")
    judge = Answering(better, name="judge")
    table = outcomes(tmp_path, Pairwise(), questions([place]), first, rival=second, judge=judge)
    assert table["answer"].to_list() == ["first", "tie", "tie", ""]
    assert table["score"].to_list() == [1.0, 0.5, 0.5, None]
    assert table["flipped"].to_list() == [False, True, False, None]
    assert table["state"].to_list() == ["read", "read", "read", "unreadable"]
    assert table["length_first"].to_list() == [7] * 4
    assert table["length_second"].to_list() == [1] * 4
    assert table["rival_reply"][0] == "短"
    assert judge.asked == 8
    totals = {one.name: one.value for one in Pairwise().totals(table)}
    assert totals["flipped by the exchange"] == pytest.approx(1 / 3)
    assert totals["first better"] == pytest.approx(1 / 3)
    assert totals["second better"] == 0


def test_a_rival_without_an_answer_is_a_failure(tmp_path: Path, place: str) -> None:
    second = Answering(lambda asked: Failure("timeout"), name="second")
    judge = Answering(better, name="judge")
    first = Answering(lambda asked: "答", name="first")
    table = outcomes(tmp_path, Pairwise(), questions([place]), first, rival=second, judge=judge)
    assert table["state"].to_list() == ["failed"] * 4
    assert "rival" in table["reason"][0]
    assert judge.asked == 0


def test_without_rival_or_judge_the_error_says_so(tmp_path: Path, place: str) -> None:
    first = Answering(name="first")
    with pytest.raises(UserError, match="needs a judge"):
        outcomes(tmp_path, Pairwise(), questions([place]), first, rival=first)
    with pytest.raises(UserError, match=r"compares two models.*--against"):
        outcomes(tmp_path, Pairwise(), questions([place]), first, judge=first)
