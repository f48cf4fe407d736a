"""What every filter test needs: the numbers that a filter measures."""

from collections.abc import Sequence

import polars as pl

from cqia.filters.base import Filter
from cqia.record import DEFAULTS


def frame(**columns: Sequence[object]) -> pl.DataFrame:
    """Records with these columns; the others as a source leaves them."""
    given = pl.DataFrame(columns, strict=False)
    for name in ("instruction", "output"):
        if name not in columns:
            given = given.with_columns(pl.lit("").alias(name))
    return given.with_columns(
        **{name: value for name, value in DEFAULTS.items() if name not in given.columns}
    )


def measure(rule: Filter, **columns: Sequence[object]) -> list[float | None]:
    """What the filter measures on these records, by the eager and the streaming engine alike."""
    records = frame(**columns)
    eager: list[float | None] = records.select(value=rule.measure())["value"].to_list()
    lazy = records.lazy().select(value=rule.measure()).collect(engine="streaming")
    assert lazy["value"].to_list() == eager
    return eager
