from __future__ import annotations

from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqia.errors import UserError
from cqia.stages.assemble import Take
from cqia.statement import Subset
from cqia.subsets import COLUMNS, controlled, draw_subset, swapped, writer_family
from cqia.training.budget import Unit
from tests.workbench import TURN_ROW


def dataset(**sizes: int) -> pl.DataFrame:
    rows = [
        {
            "id": f"{name}-{n}",
            "source": name,
            "instruction": f"问{name}{n}",
            "input": "",
            "output": f"{name}的第{n}个回答，😀各不相同。",
            "system": "",
            "history": [TURN_ROW],
            "writer": "human" if name == "a" else "llm",
            "question": None,
            "family": name,
            "answer_tokens": 10,
        }
        for name, size in sizes.items()
        for n in range(size)
    ]
    return pl.DataFrame(rows)


def drawn(subset: Subset, amount: int | None, **sizes: int) -> pl.DataFrame:
    unit: Unit = "records" if amount else "all"
    return draw_subset(
        dataset(**sizes), subset, amount=amount, unit=unit, repeat=False, seed=1
    ).records


def test_a_subset_takes_its_sources_only_and_the_seed_decides_which() -> None:
    one = drawn(Subset(name="a", sources=("a",)), 5, a=20, b=20)
    assert set(one["source"]) == {"a"}
    assert len(one) == 5
    again = drawn(Subset(name="other", sources=("a",)), 5, a=20, b=99)
    assert set(one["id"]) == set(again["id"])
    other = draw_subset(
        dataset(a=20), Subset(name="a", sources=("a",)), amount=5, unit="records", repeat=False,
        seed=2,
    )  # fmt: skip
    assert set(one["id"]) != set(other.records["id"])


def test_a_small_source_is_short_and_says_so() -> None:
    found = draw_subset(
        dataset(a=3), Subset(name="a", sources=("a",)), amount=5, unit="records", repeat=False,
        seed=1,
    )  # fmt: skip
    (told,) = found.facts["draws"]
    assert (told["wanted"], told["got"], told["short"]) == (5, 3, 2)
    repeated = draw_subset(
        dataset(a=3), Subset(name="a", sources=("a",)), amount=5, unit="records", repeat=True,
        seed=1,
    )  # fmt: skip
    assert sorted(Counter(repeated.records["id"]).values()) == [1, 2, 2]


def test_tokens_are_the_unit_where_asked() -> None:
    found = draw_subset(
        dataset(a=30), Subset(name="a", sources=("a",)), amount=95, unit="tokens", repeat=False,
        seed=1,
    )  # fmt: skip
    assert len(found.records) == 9


def test_weights_are_shares_of_the_amount() -> None:
    mixture = Subset(name="m", weights=(("a", 3.0), ("b", 1.0), ("c", 0.0001)))
    found = drawn(mixture, 8, a=20, b=20, c=20)
    assert Counter(found["source"]) == {"a": 6, "b": 2}


def test_a_recipe_takes_what_it_says_and_ignores_the_amount() -> None:
    takes = (Take(source="a"), Take(family="b", amount=2))
    found = drawn(Subset(name="r", takes=takes), 3, a=7, b=9)
    assert Counter(found["source"]) == {"a": 7, "b": 2}


def test_a_source_without_records() -> None:
    with pytest.raises(UserError, match="the dataset has nothing of"):
        drawn(Subset(name="x", sources=("x",)), 3, a=7)


@given(st.integers(2, 30), st.integers(0, 5))
def test_swapped_answers_are_the_same_ones_each_with_another_prompt(size: int, seed: int) -> None:
    before = dataset(a=size)
    after = swapped(before, seed)
    assert sorted(after["output"]) == sorted(before["output"])
    assert (after["output"] != before["output"]).all()
    assert after.drop("output").equals(before.drop("output"))


@given(st.integers(1, 12), st.integers(0, 5))
def test_shuffled_answers_keep_their_characters(size: int, seed: int) -> None:
    before = dataset(a=size)
    after = controlled(before, "shuffle", seed)
    for old, new in zip(before["output"], after["output"], strict=True):
        assert Counter(old) == Counter(new)
    assert after["output"].to_list() != before["output"].to_list()
    assert after.equals(controlled(before, "shuffle", seed))


def test_shuffled_answers_begin_and_end_with_a_letter() -> None:
    text = "\n \n一\n \n二 \n\n三\n"
    before = dataset(a=40).with_columns(output=pl.lit(text))
    for new in controlled(before, "shuffle", 1)["output"]:
        assert new == new.strip()
        assert Counter(new.replace("\n", "").replace(" ", "")) == Counter("一二三")


def test_who_wrote_the_answers() -> None:
    both = dataset(a=2, b=2)
    assert set(both.columns) >= set(COLUMNS)
    assert writer_family(both.filter(source="a"), {}) == "human"
    assert writer_family(both.filter(source="b"), {}) == "unknown"
    assert writer_family(both.filter(source="b"), {"b": "qwen"}) == "qwen"
    assert writer_family(both.filter(source="a"), {"a": "human"}) == "human"
    assert writer_family(both, {"b": "qwen"}) == "mixed"
    drafted = both.filter(source="b").with_columns(writer=pl.lit("glm/glm-9"))
    assert writer_family(drafted, {}) == "glm"
