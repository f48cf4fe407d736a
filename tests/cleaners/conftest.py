from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from cqia.cleaners.base import Cleaner

Clean = Callable[[Cleaner, str], str]
Count = Callable[[Cleaner, str], dict[str, int]]


@pytest.fixture
def clean() -> Clean:
    """One text through one cleaner."""

    def run(unit: Cleaner, text: str) -> str:
        frame = pl.DataFrame({"text": [text]})
        return str(frame.select(unit.clean(pl.col("text"))).item())

    return run


@pytest.fixture
def count() -> Count:
    """What a cleaner reports of one text."""

    def run(unit: Cleaner, text: str) -> dict[str, int]:
        found = unit.counts(pl.col("text"))
        return {} if found is None else dict(pl.DataFrame({"text": [text]}).select(found).item())

    return run
