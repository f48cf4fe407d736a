from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqia.describing import measures


def test_distinct_is_taken_at_one_size() -> None:
    assert measures.distinct(["甲乙", "甲乙丙"], 1, size=5).value == pytest.approx(3 / 5)
    assert measures.distinct(["甲乙", "甲乙丙"], 2, size=3).value == pytest.approx(2 / 3)
    assert measures.distinct(["甲乙"] * 100, 2, size=50).value == pytest.approx(1 / 50)
    few = measures.distinct(["甲", ""], 1, size=2)
    assert (few.value, few.n) == (None, 1)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(1, 4))
def test_rarefaction_is_the_mean_over_all_draws(counts: list[int], size: int) -> None:
    pool = [kind for kind, count in enumerate(counts) for _ in range(count)]
    found = measures.rarefied(counts, size)
    if len(pool) < size:
        assert found.value is None
        return
    draws = [len(set(one)) for one in combinations(pool, size)] if len(pool) <= 12 else []
    if draws:
        assert found.value == pytest.approx(sum(draws) / len(draws))


def test_rarefying_to_the_whole_gives_the_whole() -> None:
    assert measures.rarefied([5, 3, 1], 9).value == pytest.approx(3)
    assert measures.rarefied([5, 3, 1], 1).value == pytest.approx(1)
    assert measures.rarefied([], 1).value is None


def test_the_spread_is_the_mean_over_pairs() -> None:
    texts = ["春眠不觉晓", "处处闻啼鸟", "春眠不觉晓，处处闻啼鸟", "计算斐波那契数列"]
    rows = measures.vectors(texts)
    dense = rows.toarray()
    assert np.allclose((dense**2).sum(axis=1), 1)
    pairs = [1 - dense[a] @ dense[b] for a, b in combinations(range(4), 2)]
    found = measures.spread(rows)
    assert found.value == pytest.approx(np.mean(pairs))
    assert found.low is not None
    assert found.high is not None
    assert found.low <= np.mean(pairs) <= found.high
    assert measures.spread(rows[:2]).value is None


def test_the_spreads_interval_covers() -> None:
    rng = np.random.default_rng(3)
    letters = [chr(0x4E00 + one) for one in range(60)]

    def text() -> str:
        start = int(rng.integers(0, 30))
        return "".join(letters[start + int(one)] for one in rng.integers(0, 30, 20))

    rows = measures.vectors([text() for _ in range(600)])
    truth = measures.spread(rows).value
    assert truth is not None
    inside = 0
    for _ in range(100):
        one = measures.spread(rows[rng.choice(600, 40, replace=False)])
        assert one.low is not None
        assert one.high is not None
        inside += one.low <= truth <= one.high
    assert inside >= 88


def test_vendi_counts_different_texts() -> None:
    same = measures.vectors(["一模一样的文字"] * 6)
    assert measures.vendi(same, size=6).value == pytest.approx(1)
    other = measures.vectors(["甲乙丙", "丁戊己", "庚辛壬"])
    assert measures.vendi(other, size=3).value == pytest.approx(3)
    assert measures.vendi(other, size=4).value is None
    drawn = measures.vendi(measures.vectors([f"第{n}句话说{n}" for n in range(20)]), size=5)
    assert drawn.value is not None
    assert drawn.low is not None
    assert drawn.high is not None
    assert drawn.low <= drawn.value <= drawn.high


def test_empty_texts_are_measured_too() -> None:
    rows = measures.vectors(["", "字", "两字", "两字"])
    assert math.isfinite(measures.spread(rows).value or 0)


def test_a_row_a_source_and_the_total() -> None:
    made = pl.DataFrame(
        {
            "source": ["a"] * 30 + ["b"] * 3,
            "text": [f"第{n}个问题是什么" for n in range(33)],
            "verb": ["写"] * 33,
            "noun": ["诗", "信"] * 15 + [""] * 3,
        }
    )
    table = measures.table(made, at=20, seed=1)
    assert table["source"].to_list() == ["a", "b", "total"]
    assert table["records"].to_list() == [30, 3, 33]
    assert table["pair_types_n"].to_list() == [30, 0, 30]
    first, second, whole = table["pair_types"]
    assert first == whole == pytest.approx(2, abs=0.01)
    assert second is None
    assert table["vendi"].null_count() == 1
    assert measures.table(made, at=20, seed=1).equals(table)


def test_counts_of_kinds_may_be_large() -> None:
    counts = list(Counter({n: 10_000 for n in range(500)}).values())
    assert measures.rarefied(counts, 100).value == pytest.approx(
        500 * (1 - (1 - 1 / 500) ** 100), rel=1e-3
    )
