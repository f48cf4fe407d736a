"""The page of the described dataset in a real browser, with hostile texts in every label."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from cqia.reporting.described import Described, build
from cqia.reporting.page import page
from tests.reporting.test_page import HOSTILE, Opened, browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]

pytestmark = pytest.mark.slow


def described(bad: str) -> Described:
    known = [{"source": one, "title": f"{bad}{one}"} for one in ("a", "b")]
    counts = pl.DataFrame({"source": ["a", "a", "b"], "domain": [bad, "", bad], "records": 1})
    return Described(
        known=known,
        tables={
            "sources": pl.DataFrame({"source": [bad], "records": [3]}),
            "lengths": pl.DataFrame({"source": [bad], "n": [3]}),
            "funnel": pl.DataFrame(
                {"source": [bad], "stage": ["read"], "rule": ["records"], "dropped": [0],
                 "left": [3]}
            ),
        },
        lengths=pl.DataFrame(
            {"source": ["a", "a", "b"], "prompt": [1, 20, 300], "output": [5, 0, 9000],
             "major": [bad, "x", ""], "minor": [bad, bad, ""]}
        ),
        pairs=pl.DataFrame({"source": ["a", "b"], "verb": [bad, "写"], "noun": [bad, bad]}),
        parser="p",
        measures=pl.DataFrame(
            {"source": ["a", "total"], "spread": [0.5, 0.6], "spread_low": [0.4, 0.5],
             "spread_high": [0.6, 0.7], "spread_n": [2, 3]}
        ),
        at=10,
        domains=counts,
        alike=pl.DataFrame({"source": ["a"], "other": ["b"], "pairs": [3]}),
        defects=pl.DataFrame(
            {"source": ["a"], "severity": ["note"], "kind": [bad], "records": [1], "checked": [2],
             "share": [0.5]}
        ),
        rights=pl.DataFrame({"source": [bad], "licence": [bad]}),
    )  # fmt: skip


def test_hostile_labels_do_nothing_and_every_figure_is_drawn(
    browser: Browser,
    tmp_path: Path,
) -> None:
    report = build(described(HOSTILE), tmp_path)
    path = tmp_path / "describe.html"
    path.write_text(page(report.title, report.sections, report.figures), "utf-8")
    with Opened(browser, path) as one:
        for _ in range(2):
            assert one.faults == []
            assert one.run("document.documentElement.dataset.pwned") is None
            drawn = one.run("document.querySelectorAll('.chart[data-drawn=yes]').length")
            assert drawn == len(report.figures) == 9
            one.page.click("#language")
            one.page.wait_for_selector("html[data-ready=yes]")
        assert one.run("document.querySelectorAll('main img, main svg script, main b').length") == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_does_not_overflow(
    browser: Browser,
    tmp_path: Path,
    width: int,
) -> None:
    report = build(described("很长的名字" * 9), tmp_path)
    path = tmp_path / "describe.html"
    path.write_text(page(report.title, report.sections, report.figures), "utf-8")
    with Opened(browser, path, viewport={"width": width, "height": 800}) as one:
        wide = one.run("document.documentElement.scrollWidth")
        assert wide <= width
