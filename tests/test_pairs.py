"""Checked pairs: confirmed contamination goes, what was refuted comes back, and both survive."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cqia import decisions, store
from cqia.askable import askable, records
from cqia.contamination import Benchmark
from cqia.decisions import NEAR
from cqia.errors import UserError
from cqia.queries.why import why
from cqia.reviewing import outcomes
from cqia.reviewing.book import Book, now
from cqia.reviewing.people import Person
from cqia.stages.assemble import assemble
from cqia.stages.dedup import dedup
from cqia.stages.describe import describe
from cqia.stages.select import select
from tests.reviewing.made import person
from tests.workbench import cure, rows

QUESTION = "下列关于细胞膜的说法正确的是哪一项请选出最合适的一个答案并说明理由"
LONG = "".join(chr(0x4E00 + n * 7) for n in range(200))
HIT = ("one-k1", "one-k2")


def build(work: Path, *, drop: bool, more: str = "") -> Path:
    """Twelve records: k1 and k2 hold a benchmark's item, k5, k6 and k7 are nearly the same."""
    told = {
        "instruction": lambda n: QUESTION + f"{n}{more}" if n in (1, 2) else f"第{n}个问题{more}",
        "output": lambda n: LONG + "末" * (n - 4) if n in (5, 6, 7) else f"第{n}个答案如下所述",
    }
    cure(work, "one", rows(12, told))
    path = work.parent / "bench.jsonl"
    path.write_text(f'{{"question": "{QUESTION}"}}\n', "utf-8")
    bench = Benchmark(name="bio", files=(str(path),), drop=drop)
    dedup(work=work, near="output", benchmarks=[bench])
    return work


def say(work: Path, who: Person, kind: str, a: str, b: str, verdict: str) -> None:
    book = Book(work)
    with book.writing() as db:
        db.execute(
            "insert into checked (at, person, kind, a, b, verdict) values (?, ?, ?, ?, ?, ?)",
            (now(), who.id, kind, a, b, verdict),
        )
    outcomes.export(book)


def item(work: Path) -> str:
    return str(pl.read_parquet(work / "dedup" / "contamination" / "bio.parquet")["item"][0])


def chosen(work: Path) -> set[str]:
    return set(pl.read_parquet(work / "assemble" / "chosen.parquet")["id"])


def fate(work: Path, id_: str) -> str:
    return why(work, id_, steps={}).fate


def test_a_confirmed_hit_drops_the_record_with_its_rule_and_survives(tmp_path: Path) -> None:
    work = build(tmp_path / "work", drop=False)
    who = person(Book(work), "小王")
    assert {*HIT} <= chosen(work) if assemble(work=work) else False
    say(work, who, "bio", "one-k1", item(work), "same")
    for more in ("", "？"):
        build(work, drop=False, more=more)
        facts = assemble(work=work)
        assert facts["rules"]["ConfirmedContamination.bio"] == 1
        assert chosen(work) & {*HIT} == {"one-k2"}
    story = why(work, "one-k1", steps={})
    assert story.fate == "ConfirmedContamination.bio"
    told = {(one.what, one.step) for one in story.events}
    assert {("contaminated", "bio"), ("confirmed", "bio")} <= told
    describe(work=work)
    funnel = (work / "describe" / "funnel.csv").read_text("utf-8")
    assert "assemble,ConfirmedContamination.bio,1" in funnel
    say(work, who, "bio", "one-k1", item(work), "undo")
    with pytest.raises(UserError, match="older"):
        describe(work=work)
    assemble(work=work)
    assert {*HIT} <= chosen(work)


def test_a_refuted_hit_brings_back_what_the_search_dropped(tmp_path: Path) -> None:
    work = build(tmp_path / "work", drop=True)
    who = person(Book(work), "小王")
    assert assemble(work=work)["chosen"] == 8
    say(work, who, "bio", "one-k2", item(work), "different")
    for more in ("", "？"):
        build(work, drop=True, more=more)
        facts = assemble(work=work)
        assert facts["chosen"] == 9
        assert chosen(work) & {*HIT} == {"one-k2"}
    assert fate(work, "one-k2") == "kept"
    assert fate(work, "one-k1") == "Contamination.bio"
    describe(work=work)
    build(work, drop=False)
    assert decisions.read(work).is_empty()


def test_of_two_who_differ_an_owner_decides(tmp_path: Path) -> None:
    work = build(tmp_path / "work", drop=False)
    book = Book(work)
    for name, said, count in (("小王", "same", 1), ("小李", "different", 0)):
        say(work, person(book, name), "bio", "one-k1", item(work), said)
        assert len(decisions.checks(work)) == count
    say(work, person(book, "主", "owner"), "bio", "one-k1", item(work), "same")
    assert decisions.checks(work)["by"].to_list() == ["主"]
    assert decisions.read(work).select("id", "verdict").rows() == [("one-k1", "drop")]


def test_a_word_on_the_record_itself_stands_above_its_pairs(tmp_path: Path) -> None:
    work = build(tmp_path / "work", drop=False)
    book = Book(work)
    owner = person(book, "主", "owner")
    say(work, owner, "bio", "one-k1", item(work), "same")
    for action, verdict in (("restore", "restore"), ("drop", "drop"), ("keep", "drop")):
        outcomes.rule(
            book, record="one-k1", source="one", person=owner.id, action=action, reason="x"
        )
        outcomes.export(book)
        found = decisions.read(work).row(0, named=True)
        assert found["verdict"] == verdict
    assert found["rule"] == "ConfirmedContamination.bio"


def test_a_near_duplicate_comes_back_when_nothing_links_it(tmp_path: Path) -> None:
    work = build(tmp_path / "work", drop=False)
    pairs = pl.read_parquet(work / "dedup" / "pairs.parquet").select("a", "b").rows()
    # The longest stays, and 6 and 7 are not compared: both are of one group through 5.
    assert pairs == [("one-k5", "one-k6"), ("one-k5", "one-k7")]
    who = person(Book(work), "小王")
    back = []
    for other, verdict in (("one-k6", "different"), ("one-k7", "different"), ("one-k6", "same")):
        say(work, who, NEAR, "one-k5", other, verdict)
        back.append(decisions.read(work)["id"].to_list())
    assert back == [["one-k6"], ["one-k5", "one-k6"], ["one-k5"]]
    assert assemble(work=work)["chosen"] == 11
    assert (fate(work, "one-k5"), fate(work, "one-k6")) == ("kept", "NearDuplicate")
    describe(work=work)
    say(work, who, NEAR, "one-k5", "one-k7", "undo")
    assert decisions.read(work).is_empty()


def test_a_selection_sees_who_came_back_and_not_who_went(tmp_path: Path) -> None:
    work = build(tmp_path / "work", drop=True)
    owner = person(Book(work), "主", "owner")
    one = pl.read_parquet(work / "dedup" / "dropped.parquet").filter(rule="NearDuplicate")["id"][0]

    def taken() -> set[str]:
        select(work=work, method="random", amount=100)
        return set(pl.read_parquet(work / "select" / "random" / "selected.parquet")["id"])

    before = taken()
    say(work, owner, "bio", "one-k2", item(work), "different")
    book = Book(work)
    for id_, action in ((one, "restore"), ("one-k3", "drop")):
        outcomes.rule(book, record=id_, source="one", person=owner.id, action=action, reason="看过")
    outcomes.export(book)
    assert taken() == (before | {"one-k2", one}) - {"one-k3"}
    assemble(work=work, selection="random")
    assert chosen(work) == taken()


def test_scores_are_made_of_who_came_back_and_of_mended_texts(tmp_path: Path) -> None:
    work = build(tmp_path / "work", drop=True)
    before = askable(work, ())
    assert "reviewed" not in before.facts
    assert "one-k2" not in pl.concat(records(before))["id"]
    owner = person(Book(work), "主", "owner")
    say(work, owner, "bio", "one-k2", item(work), "different")
    book = Book(work)
    texts = {"output": "改好的答案"}
    outcomes.rule(book, record="one-k3", source="one", person=owner.id, action="fix", reason="错",
                  texts=texts)  # fmt: skip
    outcomes.rule(book, record="one-k4", source="one", person=owner.id, action="drop", reason="差")
    outcomes.export(book)
    found = askable(work, ())
    frame = pl.concat(records(found))
    assert frame["id"].is_unique().all()
    assert "one-k2" in frame["id"]
    assert frame.filter(id="one-k3")["output"].item() == "改好的答案"
    mark = found.facts["reviewed"]
    outcomes.rule(book, record="one-k4", source="one", person=owner.id, action="undo", reason="")
    outcomes.export(book)
    assert askable(work, ()).facts["reviewed"] == mark, "who went is no reason to ask again"


def test_another_table_in_their_place_is_refused(tmp_path: Path) -> None:
    store.write_frame(tmp_path / decisions.CHECKED, pl.DataFrame({"kind": ["near"]}))
    with pytest.raises(UserError, match="no table of decisions"):
        decisions.read(tmp_path)
