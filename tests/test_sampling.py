from collections import Counter
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqia.sampling import lot, sample, tempered


def test_temperature_one_keeps_the_proportions() -> None:
    assert tempered(100, [800, 150, 50], 1) == [80, 15, 5]


def test_a_high_temperature_makes_the_shares_equal() -> None:
    assert tempered(90, [10_000, 1_000, 100], 1e6) == [30, 30, 30]


def test_temperature_two_shares_by_square_roots() -> None:
    assert tempered(60, [2_500, 400, 100], 2) == [37, 15, 8]  # 50 : 20 : 10


def test_what_a_small_stratum_cannot_give_goes_to_the_others() -> None:
    assert tempered(90, [1_000, 1_000, 4], 1e6) == [43, 43, 4]


@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=12), st.integers(0, 3_000), st.floats(1, 50)
)
def test_the_whole_budget_is_given_and_no_stratum_gives_more_than_it_has(
    sizes: list[int], budget: int, temperature: float
) -> None:
    quota = tempered(budget, sizes, temperature)
    assert sum(quota) == min(budget, sum(sizes))
    assert all(0 <= one <= size for one, size in zip(quota, sizes, strict=True))
    ordered = [one for _, one in sorted(zip(sizes, quota, strict=True))]
    assert all(a <= b + 1 for a, b in pairwise(ordered))


@pytest.mark.parametrize(("temperature", "tasks"), [(1.0, {"a": 16, "b": 3, None: 1}),
                                                    (1e6, {"a": 7, "b": 7, None: 6})])  # fmt: skip
def test_a_sample_by_temperature(temperature: float, tasks: dict[str | None, int]) -> None:
    names = ["a"] * 800 + ["b"] * 150 + [None] * 50
    pool = pl.DataFrame({"task": names}).with_row_index("row")
    pool = pool.with_columns(pl.format("id-{}", "row").alias("id")).with_columns(
        lot(7).alias("lot")
    )
    rows = sample(pool, budget=20, unit="records", strata=["task"], temperature=temperature)
    assert Counter(names[row] for row in rows) == tasks
    again = sample(
        pool.reverse(), budget=20, unit="records", strata=["task"], temperature=temperature
    )
    assert sorted(again) == sorted(rows)
