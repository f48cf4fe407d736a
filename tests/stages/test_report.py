from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from cqia.errors import UserError
from cqia.stages.report import report
from tests.reporting.made import statement

CELL = re.compile(r'<td id="(c-[0-9a-f]{12})" class="\w*" data-value="([^"]*)"[^>]*><b>([^<]*)</b>')


@pytest.fixture
def work(tmp_path: Path) -> Path:
    statement(tmp_path / "work")
    return tmp_path / "work"


def page(work: Path) -> str:
    report(work=work)
    return (work / "report" / "report.html").read_text("utf-8")


def test_numbers_in_the_page_are_the_numbers_of_the_comparison(work: Path) -> None:
    cells = pl.read_parquet(work / "compare" / "cells.parquet").filter(
        ~(pl.col("benchmark").is_in(["agieval"]) & (pl.col("group") != ""))
    )
    found = CELL.findall(page(work))
    assert len(found) == len({anchor for anchor, _, _ in found}) > 50
    means = {round(mean, 12) for mean in cells["mean"]}
    assert {round(float(value), 12) for _, value, _ in found} <= means
    for _, value, shown in found:
        mean = float(value)
        assert shown == (f"{mean * 100:.1f}" if mean < 1 else f"{mean:.3f}")


def test_the_report_needs_something_to_report(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="curate"):
        report(work=tmp_path)
