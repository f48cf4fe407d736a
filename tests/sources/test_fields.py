import polars as pl
import pytest

from cqia.sources.fields import column, tally


@pytest.mark.parametrize(
    ("shown", "count"),
    [
        *[("812", 812), ("1,024", 1024), ("1.5万", 15_000), ("10万+", 100_000), ("2.3k", 2_300)],
        *[("999+", 999), (" 3千 ", 3_000), ("1.2亿", 120_000_000), ("2w", 20_000), ("0", 0)],
        *[("赞", None), ("", None), (None, None), ("1.5.2万", None), ("-3", None), ("万", None)],
    ],
)
def test_counts_as_sites_show_them(shown: str | None, count: int | None) -> None:
    frame = pl.DataFrame({"a": [shown]}, schema={"a": pl.String})
    assert frame.select(tally(pl.col("a"))).item() == count


def test_the_first_column_that_is_there_and_not_null() -> None:
    frame = pl.DataFrame({"b": ["1", None], "c": ["2", "3"]})
    assert frame.select(x=column(frame, "a", "b", "c"))["x"].to_list() == ["1", "3"]
    assert frame.select(x=column(frame, "a")).height == 1
    assert frame.with_columns(x=column(frame, "a"))["x"].to_list() == [None, None]
