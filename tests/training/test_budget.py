from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqia.errors import UserError
from cqia.training.budget import draw


def pool(count: int) -> tuple[pl.DataFrame, pl.Series]:
    frame = pl.DataFrame({"id": [f"s-{one}" for one in range(count)]})
    return frame, pl.Series([1 + one % 7 for one in range(count)])


@given(st.integers(1, 60), st.integers(1, 200), st.integers(0, 5), st.booleans())
def test_a_budget_is_never_exceeded_and_missed_by_less_than_a_record(
    count: int, amount: int, seed: int, repeat: bool
) -> None:
    records, tokens = pool(count)
    try:
        found = draw(records, amount=amount, unit="tokens", seed=seed, repeat=repeat, tokens=tokens)
    except UserError:
        assert amount < 7
        return
    taken = found.records.join(records.with_columns(size=tokens), on="id")["size"].sum()
    assert found.got == taken <= amount
    if not found.short:
        assert amount - found.got < 7
    else:
        assert not repeat
        assert found.got == tokens.sum() == amount - found.short
    assert sum(times * n for times, n in found.seen.items()) == len(found.records)


def test_a_small_source_is_short_or_comes_round_again() -> None:
    records, _ = pool(10)
    short = draw(records, amount=25, unit="records", seed=1)
    assert (short.got, short.short, short.seen) == (10, 15, {1: 10})
    again = draw(records, amount=25, unit="records", seed=1, repeat=True)
    assert (again.got, again.short, again.seen) == (25, 0, {2: 5, 3: 5})


def test_the_draw_is_of_ids_not_of_order_and_nests() -> None:
    records, _ = pool(50)
    few = draw(records, amount=10, unit="records", seed=4).records["id"].to_list()
    turned = draw(records.reverse(), amount=10, unit="records", seed=4).records["id"].to_list()
    assert set(few) == set(turned)
    assert set(few) < set(draw(records, amount=20, unit="records", seed=4).records["id"])
    assert set(few) != set(draw(records, amount=10, unit="records", seed=5).records["id"])


def test_all_is_all() -> None:
    records, _ = pool(5)
    found = draw(records, amount=None, unit="all", seed=1, repeat=True)
    assert found.records.equals(records)
    assert (found.got, found.short) == (5, 0)


@pytest.mark.parametrize(
    ("amount", "unit"), [(0, "records"), (None, "records"), (5, "all"), (5, "rows")]
)
def test_bad_budgets_are_refused(amount: int | None, unit: str) -> None:
    with pytest.raises(UserError):
        draw(pool(5)[0], amount=amount, unit=unit, seed=1)  # type: ignore[arg-type]


def test_a_budget_smaller_than_a_record_is_refused() -> None:
    frame = pl.DataFrame({"id": ["a"]})
    with pytest.raises(UserError, match="more than 3 answer tokens"):
        draw(frame, amount=3, unit="tokens", seed=1, tokens=pl.Series([4]))
