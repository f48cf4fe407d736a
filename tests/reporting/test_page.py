"""The page in a real browser: what it shows, and what hostile texts in it don't do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from cqia import store
from cqia.stages.report import report
from tests.reporting.made import statement
from tests.stages.test_report import data_side

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage

pytestmark = pytest.mark.slow

PWNED = "document.documentElement.dataset.pwned=1"
HOSTILE = (
    f"</script><script>{PWNED}</script><img src=x onerror={PWNED}><svg/onload={PWNED}>"
    f"\"'><b onmouseover={PWNED}>&lt;i&gt;\u202e\u2066<a href=javascript:{PWNED}>%{{y}}"
)
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium; without one these tests are skipped."""
    api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install playwright")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no chromium: apt-get install chromium")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("made")
    statement(work)
    data_side(work)
    report(work=work)
    return work / "report" / "report.html"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("hostile")
    statement(work, bad=HOSTILE)
    data_side(work)
    facts = store.read_json(work / "statement" / "manifest.json")
    facts |= {"name": HOSTILE}
    facts["bases"][0]["licence"] = HOSTILE
    store.write_json(work / "statement" / "manifest.json", facts)
    for name in ("kinship", "ranking"):
        store.write_frame(work / "compare" / f"{name}.parquet", pl.DataFrame({HOSTILE: [HOSTILE]}))
    for name in ("sources", "funnel", "lengths"):
        path = work / "describe" / f"{name}.json"
        old = pl.read_json(path).with_columns(source=pl.lit(HOSTILE))
        path.write_text(old.write_json(), "utf-8")
    report(work=work)
    return work / "report" / "report.html"


class Opened:
    """A page that was opened, and what it tried to do."""

    def __init__(
        self,
        browser: Browser,
        path: Path,
        **options: Any,  # noqa: ANN401
    ) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.faults: list[str] = []
        self.page.on("request", lambda one: self.requests.append(one.url))
        self.page.on("pageerror", lambda one: self.faults.append(str(one)))
        self.page.on("console", self._heard)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready=yes]", timeout=60_000)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(message.text)

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def run(self, script: str) -> Any:  # noqa: ANN401
        return self.page.evaluate(script)


def test_the_page_is_chinese_first_and_switches_whole(browser: Browser, made: Path) -> None:
    with Opened(browser, made) as one:
        assert one.faults == []
        assert "哪个来源帮助哪种能力" in one.page.title()
        text = one.page.inner_text("main")
        assert "分不出高下" in text
        assert "not told apart" not in text
        drawn = one.run("[...document.querySelectorAll('.xtitle')].map(x => x.textContent).join()")
        assert "更好" in drawn
        one.page.click("#language")
        one.page.wait_for_selector("html[data-ready=yes]")
        hide = "document.querySelectorAll('bdi, .chart, .asked, .reply').forEach(x => { x.hidden = true })"
        drawn = one.run("[...document.querySelectorAll('.xtitle')].map(x => x.textContent).join()")
        assert "better" in drawn
        assert "更好" not in drawn
        assert "which source helps" in one.page.title()
        one.run(hide)  # what is data is the same in both languages
        assert re.findall("[\u4e00-\u9fff]+", one.page.inner_text("main")) == ["小小陈述"]


def test_all_charts_are_drawn_and_nothing_is_asked_of_the_network(
    browser: Browser, made: Path
) -> None:
    with Opened(browser, made) as one:
        charts = one.run(
            "[...document.querySelectorAll('.chart')].filter(x => x.offsetParent).length"
        )
        drawn = one.run("document.querySelectorAll('.chart[data-drawn=yes] .main-svg').length")
        assert charts > 10
        assert drawn >= charts
        assert [url for url in one.requests if not url.startswith(("data:", "blob:"))] == [
            made.as_uri()
        ]


def test_folded_charts_are_drawn_when_opened_and_all_are_for_print(
    browser: Browser, made: Path
) -> None:
    with Opened(browser, made) as one:
        script = "document.querySelectorAll('.chart:not([data-drawn])').length"
        before = one.run(script)
        one.page.click("#forest details summary")
        one.page.wait_for_function(f"{script} === {before - 1}")
        one.run("window.dispatchEvent(new Event('beforeprint'))")
        assert one.run(script) == 0
        assert len(one.page.pdf()) > 50_000
        assert one.faults == []


def test_a_claim_opens_the_folded_table_it_leads_to(browser: Browser, made: Path) -> None:
    with Opened(browser, made) as one:
        where = one.run("document.querySelector('#tables details td').id")
        assert not one.page.is_visible(f"#{where}")
        one.run(f"location.hash = '{where}'")
        one.page.wait_for_selector(f"#{where}", state="visible")


def test_a_phone_shows_it_without_scrolling_sideways(browser: Browser, made: Path) -> None:
    with Opened(browser, made, viewport={"width": 390, "height": 844}) as one:
        assert one.run("document.documentElement.scrollWidth") <= 390
        one.page.click("#language")
        assert one.run("document.documentElement.scrollWidth") <= 390


def test_dark_when_the_reader_prefers_it(browser: Browser, made: Path) -> None:
    for scheme, dark in (("light", False), ("dark", True)):
        with Opened(browser, made, color_scheme=scheme) as one:
            colour = one.run("getComputedStyle(document.body).backgroundColor")
            assert (int(re.findall(r"\d+", colour)[0]) < 60) == dark
            one.page.click("#theme")
            one.page.wait_for_selector("html[data-ready=yes]")
            turned = one.run("getComputedStyle(document.body).backgroundColor")
            assert (int(re.findall(r"\d+", turned)[0]) < 60) != dark


def test_hostile_texts_are_shown_and_do_nothing(browser: Browser, hostile: Path) -> None:
    with Opened(browser, hostile) as one:
        one.run("document.querySelectorAll('details').forEach(x => { x.open = true })")
        one.page.wait_for_timeout(500)
        one.page.wait_for_selector("html[data-ready=yes]")
        one.run("window.dispatchEvent(new Event('beforeprint'))")
        assert one.run("document.documentElement.dataset.pwned") is None
        assert one.run("document.scripts.length") == 3
        assert (
            one.run("document.querySelectorAll('img, iframe, b[onmouseover], main > svg').length")
            == 0
        )
        links = one.run(
            "[...document.querySelectorAll('a')].map(x => x.getAttribute('href') || x.href)"
        )
        assert [link for link in links if not str(link).startswith("#")] == []
        shown = one.page.inner_text("#statement")
        assert HOSTILE.replace("\u202e", "").replace("\u2066", "")[:60] in shown
        ticks = one.run(
            "[...document.querySelectorAll('.chart text')].map(x => x.textContent).join(' ')"
        )
        assert "</script><script>"[:17] in ticks
        assert "\u202e" not in one.run("document.documentElement.textContent")
        assert one.faults == []


def test_the_policy_lets_no_other_script_run_and_nothing_be_sent(
    browser: Browser, made: Path
) -> None:
    with Opened(browser, made) as one:
        one.run(f"(() => {{ const s = document.createElement('script'); s.textContent = '{PWNED}';"
                "document.body.append(s); })()")  # fmt: skip
        assert one.run("document.documentElement.dataset.pwned") is None
        sent = one.run("fetch('https://example.org/').then(() => 'sent', () => 'refused')")
        assert sent == "refused"
        assert any("Content Security Policy" in fault for fault in one.faults)


def test_a_hostile_page_fits_a_phone_too(browser: Browser, hostile: Path) -> None:
    with Opened(browser, hostile, viewport={"width": 390, "height": 844}) as one:
        assert one.run("document.documentElement.scrollWidth") <= 390
