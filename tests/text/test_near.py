from __future__ import annotations

import itertools
import math
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqia.text.minhash import sort_hashes
from cqia.text.near import PAIRS, NearIndex, clusters
from cqia.text.shingles import MinHash, candidate_probability, jaccard


def search(
    folder: Path, texts: list[str], *, cut: int = 1_000, budget: int = 1 << 20
) -> pl.DataFrame:
    index = NearIndex(folder, budget=budget)
    for start in range(0, len(texts), cut):
        index.add(pl.Series(texts[start : start + cut], dtype=pl.String))
    return index.pairs(0.7)


def family(rng: random.Random, size: int, *, length: int = 60) -> list[str]:
    """A text and copies of it with up to two characters changed."""
    first = rng.choices("天地人日月山水火木金土风雨雷电", k=length)
    copies = [first]
    for _ in range(size - 1):
        other = list(first)
        for _ in range(rng.randint(0, 2)):
            other[rng.randrange(length)] = rng.choice("甲乙丙丁")
        copies.append(other)
    return ["".join(one) for one in copies]


def corpus(seed: int, families: int) -> list[str]:
    rng = random.Random(seed)
    texts = [text for _ in range(families) for text in family(rng, rng.randint(1, 4))]
    rng.shuffle(texts)
    return texts


def plain_clusters(texts: list[str], threshold: float) -> list[int]:
    """What comparing every two texts gives."""
    pairs = [
        (a, b)
        for a, b in itertools.combinations(range(len(texts)), 2)
        if jaccard(texts[a], texts[b]) >= threshold
    ]
    frame = pl.DataFrame(pairs, schema={"a": pl.UInt32, "b": pl.UInt32}, orient="row")
    return clusters(len(texts), frame).to_list()


def test_jaccard_by_hand() -> None:
    assert jaccard("abcdef", "abcdeg", 5) == 1 / 3
    assert jaccard("abc", "abc", 5) == 1.0
    assert jaccard("abc", "abd", 5) == 0.0
    assert jaccard("", "", 5) == 0.0


def test_candidate_probability_is_the_s_curve() -> None:
    assert candidate_probability(0.7, 42, 6) == pytest.approx(0.9949, abs=1e-3)
    assert candidate_probability(0.0, 42, 6) == 0.0
    assert candidate_probability(1.0, 42, 6) == 1.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_clusters_are_those_of_comparing_all_pairs(tmp_path: Path, seed: int) -> None:
    texts = corpus(seed, 60)
    pairs = search(tmp_path, texts)
    assert clusters(len(texts), pairs).to_list() == plain_clusters(texts, 0.7)
    for a, b, similarity in pairs.iter_rows():
        assert a < b
        assert similarity == pytest.approx(jaccard(texts[a], texts[b]), abs=1e-12)
        assert similarity >= 0.7


def test_the_result_does_not_depend_on_batches_or_budget(tmp_path: Path) -> None:
    texts = corpus(4, 80)
    whole = search(tmp_path / "whole", texts)
    assert len(whole) > 20
    assert search(tmp_path / "cut", texts, cut=7).equals(whole)
    assert search(tmp_path / "passes", texts, budget=200).equals(whole)


def test_blocks_that_do_not_fit_give_the_same_clusters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = corpus(5, 40) + family(random.Random(6), 30)
    whole = search(tmp_path / "whole", texts)
    monkeypatch.setattr("cqia.text.near._BLOCK_ROWS", 5)
    monkeypatch.setattr("cqia.text.near._BLOCK_BYTES", 900)
    parts = search(tmp_path / "parts", texts)
    assert clusters(len(texts), parts).equals(clusters(len(texts), whole))


def test_many_copies_take_one_pair_each(tmp_path: Path) -> None:
    text = family(random.Random(7), 1)[0]
    pairs = search(tmp_path, [text] * 3_000)
    assert pairs["a"].to_list() == [0] * 2_999
    assert pairs["b"].to_list() == list(range(1, 3_000))
    assert pairs["similarity"].min() == 1.0


def test_empty_texts_match_nothing_and_short_texts_their_equals(tmp_path: Path) -> None:
    pairs = search(tmp_path, ["", "", "短", "短", "矮", "四个字啊", "四个字呀"])
    assert pairs.rows() == [(2, 3, 1.0)]


def test_a_null_counts_as_empty(tmp_path: Path) -> None:
    index = NearIndex(tmp_path)
    index.add(pl.Series([None, None, "好"], dtype=pl.String))
    assert index.count == 3
    assert index.pairs().equals(PAIRS.to_frame())


@pytest.mark.parametrize("texts", [[], ["一个"]])
def test_nothing_to_compare(tmp_path: Path, texts: list[str]) -> None:
    assert search(tmp_path, texts).equals(PAIRS.to_frame())


def test_an_old_index_in_the_folder_is_replaced(tmp_path: Path) -> None:
    search(tmp_path, ["旧的文字在这里"] * 3)
    assert search(tmp_path, ["旧的文字在这里", "新的东西在那里"]).is_empty()


def test_clusters_are_named_by_their_least_row() -> None:
    pairs = pl.DataFrame({"a": [4, 1], "b": [5, 4]}, schema={"a": pl.UInt32, "b": pl.UInt32})
    assert clusters(6, pairs).to_list() == [0, 1, 2, 3, 1, 1]


@pytest.mark.parametrize(
    ("ngram", "permutations", "bands"), [(0, 252, 42), (5, 250, 42), (5, 0, 1), (5, 10, 0)]
)
def test_parameters_that_make_no_sense_are_refused(
    ngram: int, permutations: int, bands: int
) -> None:
    with pytest.raises(ValueError, match=r"at least|do not fill"):
        MinHash(ngram=ngram, permutations=permutations, bands=bands)


def test_the_estimator_is_unbiased_and_has_the_error_of_theory() -> None:
    rng = random.Random(8)
    alphabet = [chr(code) for code in range(0x4E00, 0x4E00 + 3_000)]
    left, right, truth = [], [], []
    for _ in range(300):
        one = rng.choices(alphabet, k=400)
        other = list(one)
        start, length = rng.randrange(200), rng.randrange(1, 200)
        other[start : start + length] = rng.choices(alphabet, k=length)
        left.append("".join(one))
        right.append("".join(other))
        truth.append(jaccard(left[-1], right[-1]))
    minhash = MinHash()
    first, _ = minhash.signatures(pl.Series(left))
    second, _ = minhash.signatures(pl.Series(right))
    error = (first == second).mean(axis=1) - np.array(truth)
    theory = math.sqrt(np.mean([one * (1 - one) for one in truth]) / minhash.permutations)
    assert abs(error.mean()) < 0.01
    assert error.std() < 1.25 * theory


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.text("一二三四五", max_size=12), max_size=12))
def test_every_pair_is_measured_exactly(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    for a, b, similarity in search(tmp_path_factory.mktemp("near"), texts).iter_rows():
        assert similarity == pytest.approx(jaccard(texts[a], texts[b]))


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=300), st.integers(9, 63))
def test_hashes_above_ascending_rows_are_sorted(hashes: list[int], bits: int) -> None:
    low = np.uint64(bits)
    keys = np.array(hashes, np.uint64) >> low << low | np.arange(len(hashes), dtype=np.uint64)
    wanted = np.sort(keys)
    assert (sort_hashes(keys, np.empty_like(keys), bits) == wanted).all()
