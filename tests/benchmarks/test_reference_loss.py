from __future__ import annotations

import json
import math
from pathlib import Path

import polars as pl
import pytest

from cqia.benchmarks.base import Item, plainly
from cqia.benchmarks.reference_loss import ReferenceLoss, items_of
from cqia.errors import UserError
from cqia.llm.protocol import Choosing, Reply
from cqia.record import SCHEMA
from tests.benchmarks.answering import Answering, Templated, outcomes


def records(*rows: dict[str, object]) -> pl.DataFrame:
    base: dict[str, object] = {
        "id": "a-1",
        "source": "a",
        "instruction": "问",
        "input": "",
        "output": "答案",
    }
    base |= {"system": "", "history": [], "question": None}  # fmt: skip
    kinds = {name: SCHEMA[name] for name in base}
    return pl.DataFrame([{**base, **row} for row in rows], schema=kinds)


def test_bits_per_character_by_hand(tmp_path: Path) -> None:
    items = items_of(
        records(
            {"id": "a-1", "output": "四个汉字"},
            {"id": "a-2", "output": ""},
            {"id": "b-1", "source": "b", "output": "两字"},
        )
    )
    model = Answering(weigh=lambda text, reference: -math.log(2) * 3 * len(reference))
    table = outcomes(tmp_path, ReferenceLoss(), items, model)
    assert table["state"].to_list() == ["read", "unasked", "read"]
    assert table["score"].to_list() == [pytest.approx(3), None, pytest.approx(3)]
    assert table["group"].to_list() == ["a", "a", "b"]
    assert table["characters"].to_list() == [4, None, 2]
    assert table["reason"][1] == "no reference"


def test_the_total_weighs_long_references_more(tmp_path: Path) -> None:
    items = items_of(records({"id": "a-1", "output": "长" * 9}, {"id": "a-2", "output": "短"}))
    model = Answering(weigh=lambda text, one: -math.log(2) * (9 if len(one) == 9 else 11))
    table = outcomes(tmp_path, ReferenceLoss(), items, model)
    assert table["score"].mean() == pytest.approx(6)
    (total,) = ReferenceLoss().totals(table)
    assert total.value == pytest.approx(2.0)
    assert total.n == 2


def test_the_models_own_template_is_used_with_system_and_history(tmp_path: Path) -> None:
    seen = []

    def weigh(text: str, reference: str) -> float:
        seen.append((text, reference))
        return -1.0

    turns = [{"instruction": "先问", "output": "先答"}]
    items = items_of(
        records({"system": "守则", "history": turns, "input": "材料", "output": "后答"})
    )
    outcomes(tmp_path, ReferenceLoss(), items, Templated(weigh=weigh))
    template = (
        "<system>守则</system><user>先问</user><assistant>先答</assistant><user>问\n材料</user>"
    )
    assert seen == [(f"{template}<assistant>", "后答")]
    asked = ReferenceLoss().ask(items[0], plainly)
    assert asked == Choosing(text="守则\n\n先问\n\n先答\n\n问\n材料\n\n", continuations=("后答",))


@pytest.mark.parametrize("said", ["[[null, 1]]", "[]", "[[-1.0, 1], [-2.0, 1]]"])
def test_no_finite_weight_is_no_number(said: str) -> None:
    graded = ReferenceLoss().grade(Item(id="a", question="问", gold="答"), Reply(said))
    assert (graded.state, graded.score) == ("unreadable", None)


def test_answers_of_one_question_hang_together() -> None:
    items = items_of(records({"id": "a-1", "question": "q"}, {"id": "a-2", "question": "q"}))
    assert [one.cluster for one in items] == ["q", "q"]


def test_any_file_of_questions_serves(tmp_path: Path) -> None:
    rows = [
        {"id": 5, "instruction": "写", "input": "诗", "output": "春", "group": "Poem"},
        {"question": "算", "reference": "二"},
    ]
    place = tmp_path / "own.jsonl"
    place.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    one, two = ReferenceLoss().items([str(place)])
    assert (one.id, one.question, one.gold, one.group) == ("5", "写\n诗", "春", "poem")
    assert (two.id, two.question, two.gold, two.group) == ("own.jsonl:2", "算", "二", "")
    (tmp_path / "own.csv").write_text("question,reference\n问,答\n", encoding="utf-8")
    (item,) = ReferenceLoss().items([str(tmp_path / "own.csv")])
    assert (item.id, item.question, item.gold) == ("own.csv:2", "问", "答")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('{"output": "答"}', r"own\.jsonl:1: no field 'question' or 'instruction'"),
        ('{"question": 3}', "'question' is no text"),
        ('{"question": "a"}\n[1]', r"own\.jsonl:2: this is no JSON object"),
        ('{"question": "a"}\n{"question": ', r"own\.jsonl:2: invalid JSON"),
        ('{"id": 1, "question": "a"}\n{"id": 1, "question": "b"}', "item 1 stands twice"),
        ("", "no questions"),
    ],
)
def test_broken_files_are_named_with_their_line(tmp_path: Path, body: str, problem: str) -> None:
    (tmp_path / "own.jsonl").write_text(body, encoding="utf-8")
    with pytest.raises(UserError, match=problem):
        ReferenceLoss().items([str(tmp_path / "own.jsonl")])


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"question,reference\n\xff,b\n", "not UTF-8"),
        (b"question,reference\na\n", r"own\.csv:2: 1 cells under 2 names"),
        (b'question,reference\n"a,b\n', r"own\.csv:2"),
    ],
)
def test_broken_csv_is_named_with_its_line(tmp_path: Path, body: bytes, problem: str) -> None:
    (tmp_path / "own.csv").write_bytes(body)
    with pytest.raises(UserError, match=problem):
        ReferenceLoss().items([str(tmp_path / "own.csv")])


def test_belle_evals_references(data: Path) -> None:
    folder = data / "belle_eval"
    items = ReferenceLoss().items([str(one) for one in sorted(folder.glob("*.json"))])
    assert len(items) == 1_000
    assert sum(not one.unasked for one in items) == 631
