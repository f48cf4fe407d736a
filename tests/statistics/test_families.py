from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

pytest.importorskip("statsmodels", reason="the extra stats is not installed")

from statsmodels.stats.multitest import multipletests

from cqia.statistics.families import holm, ranks, sidak


@given(
    arrays.arrays(
        np.float64, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.floats(0, 1)
    )
)
def test_holm_is_that_of_statsmodels(p: np.ndarray) -> None:
    found = holm(p)
    for column in range(p.shape[1]):
        with patch("gc.collect"):  # which it calls each time, and costs a second in a full process
            known = multipletests(p[:, column], method="holm")[1]
        np.testing.assert_allclose(found[:, column], known)


def test_what_has_no_p_value_is_no_member_of_the_family() -> None:
    found = holm(np.array([[0.01], [np.nan], [0.04]]))
    assert found[:, 0] == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)
    assert holm(np.zeros((0, 3))).shape == (0, 3)


def test_sidak_holds_for_independent_intervals() -> None:
    assert (1 - sidak(40)) ** 40 == pytest.approx(0.95)
    assert sidak(1) == sidak(0) == pytest.approx(0.05)


def pairs(rows: int, *told: tuple[int, int]) -> np.ndarray:
    apart = np.zeros((rows, rows), dtype=bool)
    for a, b in told:
        apart[a, b] = apart[b, a] = True
    return apart


def test_ranks_are_shared_unless_all_above_are_apart_from_all_below() -> None:
    values = np.array([3.0, 2.0, 1.0, np.nan])
    assert ranks(values, pairs(4)).tolist() == [1, 1, 1, 0]
    assert ranks(values, pairs(4, (0, 2))).tolist() == [1, 1, 1, 0]
    assert ranks(values, pairs(4, (0, 2), (1, 2))).tolist() == [1, 1, 3, 0]
    assert ranks(values, pairs(4, (0, 1), (0, 2), (1, 2))).tolist() == [1, 2, 3, 0]


@given(st.integers(0, 2**32 - 1), st.integers(0, 9))
def test_rows_that_cant_be_told_apart_share_a_rank(number: int, rows: int) -> None:
    draw = np.random.default_rng(number)
    values = draw.integers(0, 4, rows).astype(float)
    told = np.triu(draw.random((rows, rows)) < 0.8, 1)
    apart = told | told.T
    found = ranks(values, apart)
    for a in range(rows):
        for b in range(rows):
            if a != b and not apart[a, b]:
                assert found[a] == found[b]
            if values[a] > values[b]:
                assert found[a] <= found[b]
