from __future__ import annotations

import json
import random
from pathlib import Path

import evalica
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.metrics import cohen_kappa_score

from cqia import store
from cqia.errors import UserError
from cqia.reviewing import duels, pairs
from cqia.reviewing.book import Book
from cqia.reviewing.duels import Pair
from tests.reviewing.made import person


def made(count: int, judge: str = "") -> list[Pair]:
    kinds = ("数学", "代码")
    return [
        Pair(
            f"q{n}", kinds[n % 2], f"问题{n}", "", "模型甲", "模型乙", f"甲答{n}", f"乙答{n}", judge
        )
        for n in range(count)
    ]


def test_sides_are_at_random_hidden_and_steady(tmp_path: Path) -> None:
    book = Book(tmp_path)
    round_ = duels.start(book, "盲评", made(200))
    who = person(book, "甲")
    sides = []
    while pair := duels.take(book, round_, who.id):
        assert pair == duels.take(book, round_, who.id)
        left = pair["left"] == pair["answer_a"]
        sides.append(left)
        duels.vote(book, duel=pair["id"], person=who.id, side="left" if left else "right")
    assert 70 < sum(sides) < 130
    assert {row["winner"] for row in duels.votes(book, round_)} == {"a"}


def test_two_hundred_votes_rank_as_evalica_does(tmp_path: Path) -> None:
    book = Book(tmp_path)
    rng = random.Random(1)
    names = ["甲", "乙", "丙"]
    found = [
        Pair(f"q{n}", "", "问", "", a, b, "一", "二")
        for n in range(100)
        for a, b in [rng.sample(names, 2)]
    ]
    round_ = duels.start(book, "盲评", found, raters=2)
    for name in ("小王", "小李"):
        who = person(book, name)
        while pair := duels.take(book, round_, who.id):
            side = rng.choices(duels.SIDES, [3, 2, 1, 1])[0]
            duels.vote(book, duel=pair["id"], person=who.id, side=side)
    rows = duels.votes(book, round_)
    assert len(rows) == 200
    winner = {"a": evalica.Winner.X, "b": evalica.Winner.Y}
    expected = evalica.bradley_terry(
        [row["a"] for row in rows],
        [row["b"] for row in rows],
        [winner.get(row["winner"], evalica.Winner.Draw) for row in rows],
        index=pd.Index(names),
        tolerance=1e-8,
        limit=10_000,
    ).scores
    logs = np.log(expected) - np.log(expected).mean()
    ranked = duels.ranking(rows)
    assert {one.name: one.value for one in ranked} == pytest.approx(dict(logs), abs=1e-6)
    assert [one.name for one in ranked] == list(logs.sort_values(ascending=False).index)
    assert all(one.low < one.value < one.high for one in ranked)


def test_bars_count_every_vote_once(tmp_path: Path) -> None:
    book = Book(tmp_path)
    round_ = duels.start(book, "盲评", made(20))
    who = person(book, "甲")
    for side in ("tie", "bad", *["left"] * 8):
        pair = duels.take(book, round_, who.id)
        assert pair is not None
        duels.vote(book, duel=pair["id"], person=who.id, side=side)
    bars = duels.bars(duels.votes(book, round_))
    assert [bar.ability for bar in bars] == ["", "代码", "数学"]
    assert bars[0].votes == sum(one.verdicts for one in bars[0].shares) == 10
    assert bars[0].shares[3].verdicts == bars[0].shares[1].verdicts == 1
    assert sum(bar.votes for bar in bars[1:]) == 10


def test_undo_takes_the_vote_back(tmp_path: Path) -> None:
    book = Book(tmp_path)
    round_ = duels.start(book, "盲评", made(3))
    who = person(book, "甲")
    first = duels.take(book, round_, who.id)
    assert first is not None
    duels.vote(book, duel=first["id"], person=who.id, side="tie")
    assert duels.undo(book, round_=round_, person=who.id)
    assert not duels.undo(book, round_=round_, person=who.id)
    assert duels.take(book, round_, who.id) == first
    assert duels.votes(book, round_) == []


def test_the_judge_is_measured_against_people(tmp_path: Path) -> None:
    book = Book(tmp_path)
    rng = random.Random(5)
    found = [one._replace(judge=rng.choice(["a", "b", "tie"])) for one in made(60)]
    round_ = duels.start(book, "盲评", found)
    who = person(book, "甲")
    while pair := duels.take(book, round_, who.id):
        duels.vote(book, duel=pair["id"], person=who.id, side=rng.choice(duels.SIDES))
    rows = duels.votes(book, round_)
    people = ["tie" if row["winner"] == "bad" else row["winner"] for row in rows]
    expected = cohen_kappa_score([row["judge"] for row in rows], people)
    measured = duels.judge_and_people(rows)
    assert measured is not None
    assert measured.value == pytest.approx(expected)


def test_nothing_voted_is_nothing_ranked(tmp_path: Path) -> None:
    assert duels.ranking([]) == []
    assert duels.bars([]) == []
    assert duels.judge_and_people([]) is None


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    book = Book(tmp_path)
    with pytest.raises(UserError, match="nothing to compare"):
        duels.start(book, "空", [])
    with pytest.raises(UserError, match="twice"):
        duels.start(book, "双", [*made(1), *made(1)])
    with pytest.raises(UserError, match="verdict of a judge"):
        duels.start(book, "评", made(1, judge="左"))
    round_ = duels.start(book, "好", made(1))
    with pytest.raises(UserError, match="unknown side"):
        duels.vote(book, duel=1, person=1, side="a")
    with pytest.raises(UserError, match="no such pair"):
        duels.vote(book, duel=99, person=1, side="left")
    assert duels.take(book, round_ + 1, 1) is None


def test_pairs_come_from_lines(tmp_path: Path) -> None:
    line = {
        "item": "q1",
        "question": "问",
        "a": "甲",
        "b": "乙",
        "answer_a": "一",
        "answer_b": "二",
    }
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps(line) + "\n\n", "utf-8")
    assert pairs.of_lines(path) == [Pair("q1", "", "问", "", "甲", "乙", "一", "二")]
    for bad in ("{", "{}", json.dumps({**line, "more": 1}), json.dumps({**line, "item": 3}), "[]"):
        path.write_text(bad, "utf-8")
        with pytest.raises(UserError, match=r"pairs\.jsonl:1"):
            pairs.of_lines(path)


def test_pairs_come_from_outcomes(tmp_path: Path) -> None:
    folders = []
    for name, scores in (("甲", [1.0, 0.5, None]), ("乙", [0.5, 0.5, 1.0])):
        folder = tmp_path / name
        frame = pl.DataFrame(
            {"item": ["x", "y", "z"], "group": ["数学"] * 3, "gold": ["", "参考", ""]}
            | {"question": ["问零", "问二", ""]}
            | {"state": ["read", "read", "unreadable" if name == "甲" else "failed"]}
            | {"score": scores, "reply": [f"{name}{n}" for n in range(3)]}
        )
        store.write_frame(folder / "outcomes.parquet", frame)
        store.seal(folder, "m", {"model": name})
        folders.append(folder)
    found = pairs.of_outcomes(folders[0], folders[1], {"x": "问一"})
    assert [(one.item, one.question, one.judge) for one in found] == [
        ("x", "问一", "a"),
        ("y", "问二", "tie"),
    ]
    assert (found[0].answer_a, found[0].answer_b) == ("甲0", "乙0")
    with pytest.raises(UserError, match="no outcomes"):
        pairs.of_outcomes(folders[0], tmp_path / "无", {})
