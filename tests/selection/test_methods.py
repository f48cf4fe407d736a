"""The methods by hand, and what must hold for any records."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqia.selection.choose import covering, deita, top
from cqia.selection.compare import amounts, mean, overlap
from cqia.selection.cover import NEIGHBOURS, cover
from cqia.selection.dense import Dense
from cqia.selection.grams import Grams
from cqia.selection.space import Rows, Space

TEXTS = (
    "怎样煮一锅好喝的小米粥", "怎样煮一锅好喝的大米粥", "租房以前要看采光和噪音", "租房前要看噪音和采光",
    "写一封请假的信给老师", "高三学生怎样安排复习", "",
)  # fmt: skip


def table(scores: list[float]) -> pl.DataFrame:
    frame = pl.DataFrame({"score": scores}, schema={"score": pl.Float64})
    return frame.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))


def bare(count: int) -> pl.DataFrame:
    return table([0.0] * count).drop("score")


def cosines(texts: list[str]) -> list[list[float]]:
    """TF-IDF over character pairs and triples as the formula says it, without hashing."""
    grams = [
        [text[at : at + size] for size in (2, 3) for at in range(len(text) - size + 1)]
        or list(text)
        for text in texts
    ]
    counts = {one: sum(one in some for some in grams) for some in grams for one in some}
    vectors = []
    for some in grams:
        heavy = {
            one: (1 + math.log(some.count(one)))
            * (1 + math.log((1 + len(texts)) / (1 + counts[one])))
            for one in set(some)
        }
        whole = math.sqrt(sum(value**2 for value in heavy.values())) or 1
        vectors.append({one: value / whole for one, value in heavy.items()})
    return [[sum(a[one] * b.get(one, 0) for one in a) for b in vectors] for a in vectors]


def everything(space: Space) -> list[list[float]]:
    """All similarities of a small space, asked row by row."""
    found = np.zeros((space.count, space.count))
    for column in range(space.count):
        who, near = space.closest(1, among=np.array([column]))
        found[:, column] = np.where(who[:, 0] == column, near[:, 0], 0)
    return found.tolist()


def test_ngram_similarities_are_the_formula() -> None:
    found = everything(Grams.of(pl.Series(TEXTS)))
    for mine, theirs in zip(found, cosines(list(TEXTS)), strict=True):
        assert mine == pytest.approx(theirs, abs=1e-6)


def test_width_case_and_punctuation_make_no_difference() -> None:
    found = everything(Grams.of(pl.Series(["煮粥,要ABC！", "煮粥，要abc", "煮粥要 ＡＢＣ"])))
    assert found[0] == pytest.approx([1, found[0][1], found[0][2]], abs=1e-6)
    assert min(found[0]) > 0.99


@pytest.mark.parametrize("kind", ["grams", "dense"])
def test_neighbours_are_the_nearest(kind: str) -> None:
    space = space_of(kind, 60)
    truth = np.array(everything(space))
    np.fill_diagonal(truth, -1)
    who, near = space.closest(5)
    assert near == pytest.approx(np.maximum(np.sort(truth)[:, :-6:-1], 0), abs=1e-6)
    for row in range(space.count):
        real = who[row][who[row] >= 0]
        assert row not in real
        assert truth[row, real] == pytest.approx(near[row][: len(real)], abs=1e-6)


def space_of(kind: str, count: int, seed: int = 0) -> Space:
    draw = np.random.default_rng(seed)
    if kind == "dense":
        return Dense.of(draw.normal(size=(count, 6)))
    letters = list("天地玄黄宇宙洪荒日月盈昃辰宿列张")
    return Grams.of(pl.Series(["".join(draw.choice(letters, 12)) for _ in range(count)]))


@pytest.mark.parametrize("kind", ["grams", "dense"])
def test_a_space_has_few_rows_and_few_neighbours(kind: str) -> None:
    space = space_of(kind, 1)
    who, near = space.closest(3)
    assert (who.tolist(), near.tolist()) == ([[-1] * 3], [[0] * 3])
    assert space.spread(np.array([0]), 5, 0.5).taken.tolist() == [True]
    who, near = space_of(kind, 3).closest(5, among=np.array([], np.int64))
    assert set(who.ravel().tolist()) == {-1}


def test_top_takes_the_best_and_ties_go_by_lot() -> None:
    found = top(table([3, 9, 9, 1, 5]), 3)
    assert found.taken["row"].to_list() == [1, 2, 4]
    assert found.taken["reason"][0] == "score 9, place 1 of 5"
    assert found.left.select("row", "rule", "value", "bound").rows() == [
        (0, "NotTop", 3.0, 5.0), (3, "NotTop", 1.0, 5.0),
    ]  # fmt: skip
    assert top(table([3, 9, 9, 1, 5]), 2, lowest=True).taken["row"].to_list() == [3, 0]
    assert len(top(table([3, 9]), 5).left) == 0


def test_deita_by_hand() -> None:
    space = Grams.of(pl.Series(TEXTS))
    found = deita(table([9, 8, 7, 6, 5, 4, 3]), space, 4, bound=0.2)
    assert found.taken["row"].to_list() == [0, 2, 4, 5]
    assert found.left.select("row", "rule", "other").rows() == [
        (1, "TooSimilar", 0), (3, "TooSimilar", 2), (6, "NotReached", None),
    ]  # fmt: skip
    assert found.left["value"][0] == pytest.approx(cosines(list(TEXTS))[1][0], abs=1e-6)
    assert found.taken["reason"][0] == "score 9, nearest chosen 0 < 0.2"
    lowest = deita(table([9, 8, 7, 6, 5, 4, 3]), space, 9, bound=0.2, lowest=True)
    assert lowest.taken["row"].to_list() == [6, 5, 4, 3, 1]


@settings(max_examples=40)
@given(
    st.sampled_from(["grams", "dense"]),
    st.integers(1, 40),
    st.integers(1, 45),
    st.floats(0.05, 1),
    st.integers(0, 99),
)
def test_deita_never_takes_two_that_are_alike(
    kind: str, count: int, amount: int, bound: float, seed: int
) -> None:
    space = space_of(kind, count, seed)
    scores = np.random.default_rng(seed).integers(0, 5, count).astype(float).tolist()
    found = deita(table(scores), space, amount, bound=bound)
    truth = everything(space)
    rows = found.taken["row"].to_list()
    assert all(truth[a][b] < bound + 1e-6 for a, b in combinations(rows, 2))
    assert len(rows) <= amount
    assert sorted([*rows, *found.left["row"]]) == list(range(count))
    refused = found.left.filter(rule="TooSimilar")
    for row, value, other in refused.select("row", "value", "other").iter_rows():
        assert other in rows
        assert truth[row][other] == pytest.approx(value, abs=1e-6)
        assert scores[other] >= scores[row]
    if len(rows) < amount:
        assert len(refused) + len(rows) == count


def test_cover_by_hand() -> None:
    angles = np.radians([0, 10, 20, 90, 105, 190])
    space = Dense.of(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    found = cover(space, np.ones(6), 3)
    assert found.rows.tolist() == [2, 4, 5]
    similar = np.maximum(np.cos(angles[:, None] - angles), 0)
    assert found.gains[0] == pytest.approx(similar[2].sum(), abs=1e-6)
    after = np.maximum(similar[2], similar[4])
    assert found.gains[1] == pytest.approx((after - similar[2]).sum(), abs=1e-6)


def worth(similar: np.ndarray[tuple[int, int], np.dtype[np.float64]], rows: Rows) -> float:
    return float(similar[rows].max(axis=0).sum()) if len(rows) else 0.0


@settings(max_examples=40)
@given(
    st.sampled_from(["grams", "dense"]), st.integers(1, 30), st.integers(1, 33), st.integers(0, 99)
)
def test_lazy_greedy_is_greedy_and_gains_never_grow(
    kind: str, count: int, amount: int, seed: int
) -> None:
    assert count <= NEIGHBOURS
    space = space_of(kind, count, seed)
    quality = np.random.default_rng(seed).uniform(0.1, 1, count)
    found = cover(space, quality, amount)
    assert len(found.rows) == len(set(found.rows.tolist())) == min(amount, count)
    assert (np.diff(found.gains) <= 0).all()
    assert (found.left[found.rows] == 0).all()
    similar = np.minimum(np.array(everything(space)), 1)
    np.fill_diagonal(similar, 1)
    similar = similar * quality[:, None]
    for size, (row, gain) in enumerate(zip(found.rows, found.gains, strict=True)):
        before = worth(similar, found.rows[:size])
        gains = [worth(similar, np.append(found.rows[:size], one)) - before for one in range(count)]
        assert gain == pytest.approx(max(gains), abs=1e-5)
        assert gains[row] == pytest.approx(gain, abs=1e-5)


def test_cover_prefers_good_records_and_says_so() -> None:
    space = Dense.of(np.array([[1.0, 0], [1, 0], [0, 1]]))
    assert covering(bare(3), space, 1).taken["row"].to_list() == [0]
    found = covering(table([1, 9, 5]), space, 2)
    assert found.taken["row"].to_list() == [1, 2]
    assert found.taken["reason"].to_list() == [
        "covers 2 more of 3, score 9", "covers 0.667 more of 3, score 5",
    ]  # fmt: skip
    assert found.left.select("row", "rule", "value").rows() == [(0, "LessGain", 0.0)]
    assert covering(table([1, 9, 5]), space, 1, lowest=True).taken["row"].to_list() == [0]


def test_overlap_means_and_amounts_by_hand() -> None:
    found = overlap({"a": ["1", "2"], "b": ["2", "3", "4"], "none": []})
    assert found["a"].to_list() == [1, 0.25, 0]
    assert found["none"].to_list() == [0, 0, None]
    said = mean(pl.Series([1.0, 2.0, 3.0, None]))
    assert (said["n"], said["mean"]) == (3, 2.0)
    assert said["high"] == pytest.approx(2 + 1.959964 / math.sqrt(3))
    assert mean(pl.Series([7.0])) == {"n": 1, "mean": 7.0, "low": None, "high": None}
    empty = mean(pl.Series([None], dtype=pl.Float64))
    assert empty == {"n": 0, "mean": None, "low": None, "high": None}
    many = pl.DataFrame({"id": ["1", "2", "3"], "kind": ["x", "y", "y"]})
    assert amounts({"a": ["1", "2"]}, many, "kind").rows() == [("x", 1, 1), ("y", 2, 1)]
