from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("evalica", reason="the extra stats is not installed")

from cqia.statistics.pairwise import bradley_terry, length_controlled, tally

TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
WINS = [
    [0, 7, 9, 7, 7, 9, 11],
    [6, 0, 7, 5, 11, 9, 9],
    [4, 6, 0, 7, 7, 8, 12],
    [6, 8, 6, 0, 6, 7, 10],
    [6, 2, 6, 7, 0, 7, 12],
    [4, 4, 5, 6, 6, 0, 6],
    [2, 4, 1, 3, 1, 7, 0],
]
STRENGTHS = [1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0.0]
"""Agresti, Categorical Data Analysis: American League 1987, Bradley-Terry without home advantage."""


def test_bradley_terry_is_the_published_one() -> None:
    games = [(a, b) for a in range(7) for b in range(7) for _ in range(WINS[a][b])]
    found = {
        one.name: one
        for one in bradley_terry(
            [TEAMS[a] for a, _ in games], [TEAMS[b] for _, b in games], np.ones(len(games)),
            [str(i) for i in range(len(games))], resamples=50,
        )
    }  # fmt: skip
    above = [found[team].value - found["Baltimore"].value for team in TEAMS]
    assert above == pytest.approx(STRENGTHS, abs=0.006)
    assert all(one.low < one.value < one.high for one in found.values())
    assert sum(one.value for one in found.values()) == pytest.approx(0)


def test_ties_are_half_a_win_and_sides_dont_matter() -> None:
    scores = np.array([1.0, 0.5, 0.5, 0.0] * 10)
    items = [str(i) for i in range(40)]
    even = bradley_terry(["a"] * 40, ["b"] * 40, scores, items, resamples=50)
    assert [one.value for one in even] == pytest.approx([0, 0], abs=1e-6)
    more = np.array([1.0, 1.0, 0.5, 0.0] * 10)
    one = bradley_terry(["a"] * 40, ["b"] * 40, more, items, resamples=50)
    other = bradley_terry(["b"] * 40, ["a"] * 40, 1 - more, items, resamples=50)
    assert [x.value for x in one] == pytest.approx([x.value for x in other], abs=1e-6)
    assert one[0].value - one[1].value == pytest.approx(np.log(25 / 15), abs=1e-5)


def test_who_never_loses_has_no_finite_strength() -> None:
    found = bradley_terry(["a", "a"], ["b", "b"], np.ones(2), ["x", "y"], resamples=20)
    assert all(np.isnan(one.value) for one in found)
    assert all(np.isnan(one.low) for one in found)


def test_a_tally_counts_what_there_is() -> None:
    found = tally(np.array([1.0, 1.0, 0.5, 0.0]))
    assert [one.verdicts for one in found] == [2, 1, 1]
    assert sum(one.share for one in found) == 1
    assert found.wins.low < 0.5 < found.wins.high
    for bad in ([0.7], []):
        with pytest.raises(ValueError, match="verdict"):
            tally(np.array(bad))


def test_a_liking_for_length_is_taken_out() -> None:
    draw = np.random.default_rng(0)
    n = 4_000
    longer = draw.normal(80, 100, n)
    chance = 1 / (1 + np.exp(-1.5 * np.tanh(longer / longer.std())))
    scores = (draw.random(n) < chance).astype(float)
    assert scores.mean() > 0.6
    found = length_controlled(scores, longer, [str(i) for i in range(n)])
    assert found.low < 0.5 < found.high
    assert found.rate == pytest.approx(0.5, abs=0.04)


def test_equal_lengths_leave_the_win_rate_alone() -> None:
    scores = np.array([1.0, 0.5, 0.0, 1.0] * 25)
    found = length_controlled(scores, np.zeros(100), [str(i) for i in range(100)])
    assert found.rate == pytest.approx(scores.mean())
    assert found.low < scores.mean() < found.high


@pytest.mark.parametrize(
    ("scores", "lengths"),
    [([], []), ([1.0], [3.0]), ([1.0] * 9, range(9)), ([0.0] * 5 + [1.0] * 5, range(10))],
)
def test_wins_that_length_decides_have_no_controlled_rate(
    scores: list[float], lengths: list[float]
) -> None:
    found = length_controlled(
        np.array(scores), np.array(lengths, dtype=float), [str(i) for i in range(len(scores))]
    )
    assert np.isnan(found.rate)
