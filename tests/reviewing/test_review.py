from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.proportion import proportion_confint

from cqia import decisions
from cqia.drafting import notes
from cqia.errors import UserError
from cqia.reviewing import agreement, outcomes, queue, stopping
from cqia.reviewing.book import Book
from cqia.stages.assemble import assemble
from tests.reviewing.made import folder, person, read_all

IDS = [(f"one-k{n}", "one") for n in range(20)]


def test_overlap_is_read_by_as_many_as_wanted_and_the_rest_by_one(tmp_path: Path) -> None:
    book = Book(tmp_path)
    round_ = queue.start(book, "一轮", IDS, overlap=0.5, raters=2)
    seen = [read_all(book, round_, person(book, name), {}) for name in ("甲", "乙", "丙")]
    times = [sum(one in mine for mine in seen) for one, _ in IDS]
    assert sorted(times) == [1] * 10 + [2] * 10


def test_a_record_taken_is_shown_again_until_it_is_decided(tmp_path: Path) -> None:
    book = Book(tmp_path)
    round_ = queue.start(book, "一轮", IDS, overlap=0)
    one, two = person(book, "甲"), person(book, "乙")
    first = queue.take(book, round_, one.id)
    assert first == queue.take(book, round_, one.id) != queue.take(book, round_, two.id)


def test_undo_gives_the_record_back_and_keeps_every_row(tmp_path: Path) -> None:
    book = Book(tmp_path)
    round_ = queue.start(book, "一轮", IDS, overlap=0)
    who = person(book, "甲")
    first = queue.take(book, round_, who.id)
    assert first is not None
    queue.decide(book, round_=round_, record=first["record"], person=who.id, action="approve")
    assert queue.undo(book, round_=round_, person=who.id) == first["record"]
    assert queue.undo(book, round_=round_, person=who.id) is None
    assert queue.take(book, round_, who.id) == first
    assert book.number("select count(*) from decision") == 2
    assert outcomes.export(book).is_empty()


def test_a_note_alone_decides_nothing_and_reaches_answer(tmp_path: Path) -> None:
    book = Book(tmp_path)
    round_ = queue.start(book, "一轮", IDS, overlap=0)
    who = person(book, "甲")
    item = queue.take(book, round_, who.id)
    assert item is not None
    queue.decide(
        book, round_=round_, record=item["record"], person=who.id, action="note", note="偷换概念"
    )
    assert queue.take(book, round_, who.id) == item
    outcomes.export(book)
    assert notes.found(tmp_path, None) == {item["record"]: "偷换概念"}


def test_what_cannot_be_decided_is_refused(tmp_path: Path) -> None:
    book = Book(tmp_path)
    round_ = queue.start(book, "一轮", IDS, overlap=0)
    who = person(book, "甲")
    item = queue.take(book, round_, who.id)
    assert item is not None
    for action, record, message in (
        ("reject", item["record"], "needs a reason"),
        ("fix", item["record"], "changes a text"),
        ("note", item["record"], "needs text"),
        ("approve", "one-k19", "not given to you"),
        ("delete", item["record"], "unknown action"),
    ):
        with pytest.raises(UserError, match=message):
            queue.decide(book, round_=round_, record=record, person=who.id, action=action)
    assert book.number("select count(*) from decision") == 0


def test_agreement_is_scikit_learns(tmp_path: Path) -> None:
    book = Book(tmp_path)
    round_ = queue.start(book, "一轮", IDS, overlap=1.0)
    rng = random.Random(3)
    said: dict[str, dict[str, str]] = {
        name: {one: rng.choice(["approve", "reject"]) for one, _ in IDS} for name in ("甲", "乙")
    }
    for name, mine in said.items():
        read_all(book, round_, person(book, name), mine)
    found = {one.measure: one for one in agreement.measure(agreement.ratings(book, round_))}
    expected = cohen_kappa_score(*(list(mine.values()) for mine in said.values()))
    assert found["Cohen"].found.value == pytest.approx(expected)
    assert found["Cohen"].found.items == 20
    assert found["Cohen"].found.low < expected < found["Cohen"].found.high
    assert {"Fleiss", "Krippendorff"} < set(found)


def test_without_overlap_there_is_no_agreement(tmp_path: Path) -> None:
    assert agreement.measure({}) == []


def test_gold_items_go_to_everybody_and_are_counted_apart(tmp_path: Path) -> None:
    book = Book(tmp_path)
    round_ = queue.start(book, "一轮", IDS, overlap=0, gold={"one-k3": "reject"})
    read_all(book, round_, person(book, "甲"), {"one-k3": "reject"})
    assert read_all(book, round_, person(book, "乙"), {}) == ["one-k3"]
    told = {row["name"]: (row["right"], row["items"]) for row in queue.gold_of(book, round_)}
    assert told == {"甲": (1, 1), "乙": (0, 1)}
    assert [one.read for one in stopping.standing(book, round_)] == [19]
    assert outcomes.export(book).filter(id="one-k3").is_empty()


def test_decisions_reach_the_dataset_and_survive_a_rerun(tmp_path: Path) -> None:
    work = folder(tmp_path)
    book = Book(work)
    owner = person(book, "主", "owner")
    round_ = queue.start(book, "一轮", IDS[:5], overlap=0)
    read_all(book, round_, person(book, "甲"), {"one-k2": "reject"})
    outcomes.rule(
        book, record="one-k9", source="one", person=owner.id, action="restore", reason="好"
    )
    outcomes.export(book)
    before = assemble(work=work)
    ids = pl.read_parquet(work / "assemble" / "chosen.parquet")["id"].to_list()
    assert "one-k9" in ids
    assert "one-k2" not in ids
    assert before["rules"] == {"Reviewed": 1}
    (work / "review" / "decisions.parquet").unlink()
    outcomes.export(Book(work))
    assert assemble(work=work) == before


def test_those_who_differ_wait_for_a_ruling(tmp_path: Path) -> None:
    book = Book(tmp_path)
    round_ = queue.start(book, "一轮", IDS[:3], overlap=1.0)
    read_all(book, round_, person(book, "甲"), {"one-k1": "reject"})
    frame, disputed = outcomes.settled(book)
    assert frame.is_empty()
    read_all(book, round_, person(book, "乙"), {})
    frame, disputed = outcomes.settled(book)
    assert [rows[0]["record"] for rows in disputed] == ["one-k1"]
    assert frame["verdict"].to_list() == ["keep", "keep"]
    assert frame["by"].to_list() == ["乙、甲"] * 2
    owner = person(book, "主", "owner")
    outcomes.rule(book, record="one-k1", source="one", person=owner.id, action="drop", reason="是")
    frame, disputed = outcomes.settled(book)
    assert not disputed
    assert frame.filter(id="one-k1")["verdict"].item() == "drop"
    outcomes.rule(book, record="one-k1", source="one", person=owner.id, action="undo", reason="")
    assert len(outcomes.settled(book)[1]) == 1


def test_two_different_fixes_differ(tmp_path: Path) -> None:
    book = Book(tmp_path)
    round_ = queue.start(book, "一轮", IDS[:1], overlap=1.0)
    for name, text in (("甲", "一"), ("乙", "二")):
        who = person(book, name)
        queue.take(book, round_, who.id)
        queue.decide(
            book,
            round_=round_,
            record="one-k0",
            person=who.id,
            action="fix",
            texts={"output": text},
        )
    assert len(outcomes.settled(book)[1]) == 1


def test_an_exported_table_is_one_that_assemble_reads(tmp_path: Path) -> None:
    book = Book(tmp_path)
    outcomes.export(book)
    assert dict(decisions.read(tmp_path).schema) == decisions.DECISIONS


@pytest.mark.parametrize(("passed", "read"), [(10, 10), (96, 100), (1, 30), (0, 5), (499, 500)])
def test_the_exact_bound_is_clopper_and_pearsons(passed: int, read: int) -> None:
    expected = proportion_confint(passed, read, alpha=0.1, method="beta")[0]
    assert stopping.exact(passed, read) == pytest.approx(expected)


def test_the_bound_that_always_holds_is_wider_and_holds() -> None:
    rng = np.random.default_rng(0)
    missed = 0
    for _ in range(200):
        passed = np.cumsum(rng.random(200) < 0.9)
        missed += any(stopping.always(int(passed[n - 1]), n) > 0.9 for n in (5, 20, 50, 100, 200))
    assert missed <= 10
    assert stopping.always(100, 100) < stopping.exact(100, 100)


def test_a_source_is_read_enough_when_the_bound_reaches_the_rate() -> None:
    near: Any = stopping.passing("one", 100, 100)
    assert near.state == "open"
    assert near.ahead > 0
    assert stopping.passing("one", 100 + near.ahead, 100 + near.ahead).state == "reached"
    assert stopping.passing("one", 99 + near.ahead, 99 + near.ahead).state == "open"
    assert stopping.passing("one", 10, 100).state == "missed"
    assert stopping.passing("one", 0, 0).state == "open"
