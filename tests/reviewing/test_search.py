from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqia.errors import UserError
from cqia.reviewing import bigrams, drawing, search
from cqia.reviewing.search import Query, Search, opened
from cqia.stages.assemble import Take, assemble
from tests.reviewing.made import folder
from tests.workbench import cure, doubles, rows


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Search:
    return opened(folder(tmp_path_factory.mktemp("search")))


def ids(found: search.Found) -> list[str]:
    return [row["id"] for row in found.rows]


def test_a_word_of_two_characters_is_found(index: Search) -> None:
    found = index.find(Query(text="租房"))
    assert found.total == 27
    assert found.exact
    assert all("租房" in row["output"] for row in found.rows)


def test_one_character_and_long_texts_are_found(index: Search) -> None:
    assert index.find(Query(text="租")).total == 27
    assert ids(index.find(Query(text="第7个答案，租房先看"))) == ["one-k7"]
    assert index.find(Query(text="房租")).total == 0


def test_pairs_that_do_not_stand_together_are_no_hit(index: Search) -> None:
    assert index.find(Query(text="租房合同")).total == 0


def test_latin_letters_are_found_in_either_case(tmp_path: Path) -> None:
    work = tmp_path / "work"
    cure(work, "one", rows(3, {"output": lambda n: f"用 HTTP{n} 协议"}))
    assert opened(work).find(Query(text="http1")).total == 1


def test_filters_add_up(index: Search) -> None:
    kept, dropped = (index.find(Query(rule=one)).total for one in ("kept", "dropped"))
    assert (kept, dropped, len(index.facts)) == (37, 3, 40)
    assert index.find(Query(rule="Length.output")).total == 3
    assert index.find(Query(source="two")).total == 10
    assert index.find(Query(task="问答")).total == 30
    assert index.find(Query(source="nobody")).total == 0
    assert index.find(Query(rule="passed:curate")).total == 37
    assert index.find(Query(measure="Length.output", most=1)).total == 3
    assert index.find(Query(measure="nothing", most=1)).total == 0
    low = index.find(Query(low=20)).total
    assert low + index.find(Query(high=19)).total == 40


def test_pages_show_everything_once_and_in_order(index: Search) -> None:
    for query in (Query(), Query(text="答")):
        seen: list[str] = []
        after: int | None = 0
        while after is not None:
            found = index.find(query, after=after, limit=7)
            seen += ids(found)
            after = found.after
        assert len(seen) == len(set(seen)) == found.total
        assert seen == [one for one in index.facts["id"] if one in set(seen)]


def test_many_candidates_give_an_upper_bound(
    index: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "LOOK", 8)
    found = index.find(Query(text="租房"), limit=5)
    assert (found.total, found.exact, len(found.rows)) == (27, False, 5)
    seen, after = 0, 0
    while (found := index.find(Query(text="租房"), after=after, limit=5)).after is not None:
        seen, after = seen + len(found.rows), found.after
    assert seen + len(found.rows) == 27


def test_later_stages_are_laid_over(tmp_path: Path) -> None:
    work = folder(tmp_path)
    doubles(work, ["one-k3"])
    assemble(work=work, takes=[Take(source="one", amount=20)])
    found = opened(work)
    assert found.find(Query(rule="NearDuplicate")).total == 1
    assert found.find(Query(rule="NotSampled")).total == 6
    assert found.find(Query(rule="NotTaken")).total == 10
    assert found.find(Query(rule="kept")).total == 20
    assert found.find(Query(rule="passed:dedup")).total == 36
    assert found.record("one-k3") is not None
    assert found.record("nobody") is None


def test_a_new_run_is_noticed(tmp_path: Path) -> None:
    work = folder(tmp_path)
    before = opened(work)
    assert before.mark == search.later(work)
    cure(work, "three", rows(2, start=5000))
    assert before.mark != search.later(work)
    assert opened(work).find(Query(source="three")).total == 2


@settings(max_examples=40)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=8), st.text(min_size=1, max_size=3))
def test_no_text_that_holds_a_query_is_left_out(texts: list[str], query: str) -> None:
    lists = bigrams.build(pl.Series(texts, dtype=pl.String))
    holding = {n for n, text in enumerate(texts) if query in text and "\x1f" not in query}
    for one in bigrams.slots(query) if holding else []:
        assert holding <= set(lists.rows[lists.starts[one] : lists.starts[one + 1]].tolist())


def test_a_draw_by_lot_is_the_same_every_time(index: Search) -> None:
    one, two = (
        drawing.draw(index, Query(rule="kept"), how="random", count=10, seed=1) for _ in range(2)
    )
    other = drawing.draw(index, Query(rule="kept"), how="random", count=10, seed=2)
    assert one == two != other
    assert len(set(one)) == 10


def test_the_uncertain_are_those_nearest_the_threshold(index: Search) -> None:
    query = Query(measure="Length.output", source="two")
    drawn = drawing.draw(index, query, how="uncertain", count=3, middle=5.0)
    values = index.values("Length.output")
    rows_ = [index.facts["id"].index_of(id_) for id_, _ in drawn]
    assert [abs(values[row] - 5) for row in rows_ if row is not None] == sorted(
        abs(values[-10:] - 5)
    )[:3]


def test_what_cannot_be_drawn_is_refused(index: Search) -> None:
    for query, how, message in (
        (Query(), "best", "unknown way"),
        (Query(), "uncertain", "uncertain about what"),
        (Query(source="nobody"), "random", "no record"),
    ):
        with pytest.raises(UserError, match=message):
            drawing.draw(index, query, how=how, count=1)


def test_random_records_are_found_by_any_piece_of_theirs(index: Search) -> None:
    rng = random.Random(0)
    for _ in range(40):
        row = rng.choice(index.facts["id"].to_list())
        record = index.record(row)
        assert record is not None
        text = record["output"]
        start = rng.randrange(len(text))
        piece = text[start : start + rng.randint(1, 6)]
        found = index.find(Query(text=piece), limit=100)
        assert row in ids(found)
