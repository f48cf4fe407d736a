"""The pages in a real Chromium: keys, live numbers, the policy, and what people do there."""

from __future__ import annotations

import json
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import cohen_kappa_score

from cqia.contamination import Benchmark
from cqia.queries.whatif import whatif
from cqia.reviewing import duels, exchange, gold, outcomes, people, queue
from cqia.reviewing.book import Book
from cqia.reviewing.duels import Pair
from cqia.stages.assemble import assemble
from cqia.stages.dedup import dedup
from cqia.web.app import create
from tests.reviewing.made import folder
from tests.test_pairs import build
from tests.web import hostile
from tests.web.chromium import Driven
from tests.web.chromium import chromium as chromium
from tests.workbench import cure, rows

pytestmark = pytest.mark.slow


@dataclass
class Server:
    """A server of its own, in a thread."""

    book: Book
    address: str
    browser: Driven

    def page(self, name: str, role: str, *, width: int = 1200, lang: str = "zh") -> Driven:
        """A browser window of somebody who was just invited; a fault in a page fails the test."""
        context = self.browser.new_context(viewport={"width": width, "height": 900})
        context.add_cookies([{"name": "lang", "value": lang, "url": self.address}])
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda fault: page.faults.append(str(fault)))
        page.on("console", lambda said: said.type == "error" and page.faults.append(said.text))
        page.goto(f"{self.address}/enter?token={people.invite(self.book, name, role)}")
        return page


@contextmanager
def serve(work: Path, browser: Driven) -> Iterator[Server]:
    import uvicorn

    app = create(work)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.05)
    try:
        yield Server(app.state.desk.book, f"http://127.0.0.1:{port}", browser)
    finally:
        running.should_exit = True
        thread.join(timeout=10)


@pytest.fixture
def server(tmp_path: Path, chromium: Driven) -> Iterator[Server]:
    with serve(folder(tmp_path), chromium) as found:
        yield found


def press(page: Driven, *keys: str) -> None:
    """Press keys, the last of which sends a form, and wait for the page that follows."""
    page.wait_for_load_state("load")
    for key in keys[:-1]:
        page.keyboard.press(key)
    with page.expect_navigation():
        page.keyboard.press(keys[-1])


def texts(book: Book) -> list[tuple[str, str]]:
    found = book.rows("select record, action from decision order by seq")
    return [(row["record"], row["action"]) for row in found]


def start(server: Server, count: int, overlap: float) -> list[str]:
    ids = [f"one-k{n}" for n in range(count)]
    queue.start(server.book, "一轮", [(one, "one") for one in ids], overlap=overlap)
    return ids


def test_a_reviewer_approves_fixes_rejects_notes_and_undoes_by_keys(server: Server) -> None:
    ids = start(server, 5, 0.0)
    page = server.page("小王", "reviewer")
    page.click("nav >> text=审阅")
    page.click("text=继续审阅")
    page.wait_for_selector(f'input[value="{ids[0]}"]', state="attached")
    press(page, "a")
    page.wait_for_selector(f'input[value="{ids[1]}"]', state="attached")
    page.wait_for_load_state("load")
    page.keyboard.press("f")
    page.keyboard.press("Control+A")
    page.keyboard.type("改好的答案")
    press(page, "Control+Enter")
    page.wait_for_selector(f'input[value="{ids[2]}"]', state="attached")
    press(page, "r", "2", "Enter")
    page.wait_for_selector(f'input[value="{ids[3]}"]', state="attached")
    page.wait_for_load_state("load")
    page.keyboard.press("n")
    page.keyboard.type("偷换了概念")
    press(page, "Control+Enter")
    page.wait_for_selector("text=已保存: 备注")
    press(page, "u")
    page.wait_for_selector(f'input[value="{ids[2]}"]', state="attached")
    actions = ["approve", "fix", "reject", "note", "undo"]
    assert texts(server.book) == list(zip([*ids[:4], ids[2]], actions, strict=True))
    said = outcomes.said_of(server.book, ids[2])
    assert said[0]["reason"] == "答非所问"
    frame = outcomes.export(server.book)
    assert frame.filter(id=ids[1])["new_output"].item() == "改好的答案"
    assert server.book.number("select count(*) from decision where seconds > 0") == 4
    assert page.faults == []


def test_two_reviewers_overlap_and_their_kappa_is_scikit_learns(server: Server) -> None:
    ids = start(server, 10, 1.0)
    rng = random.Random(2)
    said: dict[str, list[str]] = {}
    for name in ("小王", "小李"):
        page = server.page(name, "reviewer")
        page.goto(f"{server.address}/review/work?round=1")
        mine = said.setdefault(name, [])
        for id_ in ids:
            page.wait_for_selector(f'input[value="{id_}"]', state="attached")
            assert "小王" not in page.inner_text("main")
            mine.append(rng.choice(["approve", "reject"]))
            if mine[-1] == "reject":
                page.fill("#reason", "不好")
                page.keyboard.press("Escape")
            page.click(f'button[value="{mine[-1]}"]')
        page.wait_for_selector("text=没有您要读的了")
    owner = server.page("主", "owner")
    owner.goto(f"{server.address}/round?round=1")
    shown = owner.get_attribute("#agreement tr:nth-child(1) [data-value]", "data-value")
    assert float(shown) == pytest.approx(cohen_kappa_score(said["小王"], said["小李"]))
    differ = sum(a != b for a, b in zip(*said.values(), strict=True))
    assert f"({differ})" in owner.inner_text("main")
    for left in range(differ, 0, -1):
        assert len(outcomes.settled(server.book)[1]) == left
        owner.fill(".card input[name=reason] >> nth=0", "看过")
        owner.click(".card button[value=keep] >> nth=0")
        owner.wait_for_load_state()
    assert outcomes.settled(server.book)[1] == []
    assert owner.faults == []


def test_two_hundred_votes_give_bars_and_evalicas_ranking(server: Server) -> None:
    kinds = ["数学", "代码"]
    pairs = [
        Pair(f"q{n}", kinds[n % 2], f"问题{n}", "参考", "模型甲", "模型乙", f"甲{n}", f"乙{n}", "a")
        for n in range(100)
    ]
    duels.start(server.book, "盲评", pairs, raters=2)
    rng = random.Random(4)
    for name in ("小王", "小李"):
        page = server.page(name, "reviewer")
        page.goto(f"{server.address}/compare/results?round=1")
        assert page.query_selector("#ranking") is None
        page.goto(f"{server.address}/compare/vote?round=1")
        for number in range(100):
            page.wait_for_selector(f"text={number} / 100")
            assert "模型" not in page.inner_text("main")
            press(page, rng.choices(["1", "2", "0", "9"], [3, 2, 1, 1])[0])
        page.wait_for_selector("text=100 / 100")
    owner = server.page("主", "owner")
    owner.goto(f"{server.address}/compare/results?round=1")
    found = duels.votes(server.book, 1)
    assert len(found) == 200
    expected = {one.name: one.value for one in duels.ranking(found)}
    shown = {
        row.query_selector("td").inner_text(): float(
            row.query_selector("[data-value]").get_attribute("data-value")
        )
        for row in owner.query_selector_all("#ranking tr:has(td)")
    }
    assert shown == pytest.approx(expected)
    logs = np.array(list(expected.values()))
    assert logs.sum() == pytest.approx(0)
    assert len(owner.query_selector_all(".bars svg")) == 3
    assert re.search(r"κ .*n = 100", owner.inner_text("#judge"))


def test_what_if_counts_live_what_the_command_counts(server: Server) -> None:
    page = server.page("旁", "viewer")
    page.goto(f"{server.address}/whatif?filter=Length.output")
    for bounds in ({"low": 3.0}, {"low": 8.0, "high": 12.0}, {"low": None}):
        for end in ("low", "high"):
            value = bounds.get(end, "")
            page.fill(f"#{end}", "none" if value is None else str(value))
        expected = whatif(server.book.work, filter="Length.output", bounds=bounds).counts
        total = str(int(expected["kept_then"].sum()))
        page.wait_for_function(
            "total => document.querySelector('#counts tfoot td:nth-child(3)').textContent === total",
            arg=total,
        )
        lines = page.query_selector_all("#counts tbody tr")
        shown = [[cell.inner_text() for cell in line.query_selector_all("td")] for line in lines]
        assert shown == [[str(value) for value in row] for row in expected.iter_rows()]
    page.fill("#low", "x")
    page.wait_for_selector("#whatif-fault:not([hidden])")
    assert "no number" in page.inner_text("#whatif-fault")


def test_an_owner_brings_a_record_back(server: Server) -> None:
    page = server.page("主", "owner")
    page.goto(f"{server.address}/records?rule=dropped")
    page.click("text=one-k9")
    page.fill("input[name=reason]", "其实很好")
    page.click("button[value=restore]")
    page.wait_for_selector("text=现行裁定")
    frame = outcomes.export(server.book)
    assert frame.filter(id="one-k9")["verdict"].item() == "restore"


def test_a_record_becomes_gold_on_its_own_page(server: Server) -> None:
    page = server.page("主", "owner")
    page.goto(f"{server.address}/record?id=one-k1")
    page.click("button:has-text('标为金标: 否决')")
    page.wait_for_selector("#gold:has-text('否决')")
    page.goto(f"{server.address}/gold")
    page.set_input_files("input[type=file]", files=[
        {"name": "gold.csv", "mimeType": "text/csv", "buffer": "id,action\none-k2,通过\n".encode()}
    ])  # fmt: skip
    page.wait_for_function("document.getElementById('text').value.length > 0")
    page.click("text=导入 >> nth=-1")
    page.wait_for_selector("text=导入了 1 条金标")
    page.click("text=开一轮")
    page.fill("input[name=name]", "有金标的一轮")
    assert page.input_value("input[name=golden]") == "2"
    page.click("text=开始")
    page.wait_for_selector("h1:has-text('有金标的一轮')")
    found = server.book.rows("select record, gold from item where gold != '' order by record")
    assert [tuple(row.values()) for row in found] == [("one-k1", "reject"), ("one-k2", "approve")]
    assert page.faults == []


def test_confirmed_contamination_leaves_by_its_band(tmp_path: Path, chromium: Driven) -> None:
    work = build(tmp_path / "work", drop=False)
    assemble(work=work)
    with serve(work, chromium) as server:
        page = server.page("小王", "reviewer")
        page.goto(f"{server.address}/pairs?kind=bio")
        card = "article:has(a:text-is('one-k1'))"
        page.click(f"{card} >> button:has-text('确认')")
        page.wait_for_selector(f"{card} >> text=ConfirmedContamination.bio")
        page.goto(server.address)
        page.wait_for_selector("text=数据集比这些决定旧")
        assemble(work=work)
        page.wait_for_timeout(1_100)
        page.goto(server.address)
        page.click("a:has-text('ConfirmedContamination.bio') >> nth=0")
        page.wait_for_selector("a:has-text('one-k1')")
        assert page.inner_text("#total").startswith("1 ")
        page.goto(f"{server.address}/pairs?kind=bio")
        page.click(f"{card} >> button:has-text('撤销')")
        page.wait_for_selector(f"{card} >> text=ConfirmedContamination.bio", state="detached")
        assert assemble(work=work)["rules"] == {}
        assert page.faults == []


def test_an_offline_rater_brings_a_file_back(server: Server, tmp_path: Path) -> None:
    start(server, 3, 1.0)
    page = server.page("主", "owner")
    page.goto(f"{server.address}/exchange")
    page.fill("input[name=name]", "离线的人")
    with page.expect_download() as saved:
        page.click("text=离线 HTML")
    path = tmp_path / "round.html"
    saved.value.save_as(path)
    alone = server.browser.new_context(offline=True).new_page()
    said: list[Driven] = []
    alone.on("console", lambda one: said.append(one))
    alone.goto(path.as_uri())
    alone.keyboard.press("a")
    alone.fill("#reason", "差")
    alone.click("#do-reject")
    alone.click("#do-fix")
    alone.fill("#edit-output", "改了")
    alone.click("#do-fix")
    alone.wait_for_selector("text=都读完了")
    with alone.expect_download() as result:
        alone.click("#do-save")
    back = tmp_path / "back.json"
    result.value.save_as(back)
    page.set_input_files("input[type=file]", back)
    page.wait_for_function("document.getElementById('text').value.length > 0")
    page.click("text=导入 >> nth=-1")
    page.wait_for_selector("text=导入了 3 个决定")
    assert [action for _, action in texts(server.book)] == ["approve", "reject", "fix"]
    assert exchange.read(server.book, back.read_bytes()) == 0
    assert [one.text for one in said if one.type == "error"] == []


PATHS = ("/", "/records", "/record?id=one-k1", "/whatif", "/review", "/review/work?round=1", "/round?round=1",
         "/rounds/new", "/compare", "/pairs", "/people", "/exchange", "/gold")  # fmt: skip


@pytest.mark.parametrize("width", [1200, 360])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_page_is_wider_than_the_screen(server: Server, lang: str, width: int) -> None:
    start(server, 3, 1.0)
    page = server.page("主", "owner", width=width, lang=lang)
    for path in PATHS:
        page.goto(f"{server.address}{path}")
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0, path
    assert page.faults == []


def test_hostile_records_do_nothing_in_a_browser(tmp_path: Path, chromium: Driven) -> None:
    work = tmp_path / "work"
    bad = hostile.TEXTS
    cure(
        work,
        "one",
        rows(len(bad), {name: (lambda n: bad[n]) for name in ("instruction", "output")}),
    )
    items = tmp_path / "bad.jsonl"
    items.write_text("".join(f"{json.dumps({'question': one})}\n" for one in bad[:-1]), "utf-8")
    dedup(work=work, near="none", benchmarks=[Benchmark(name="bad", files=(str(items),))])
    assert len(pl.read_parquet(work / "dedup" / "contamination" / "bad.parquet")) > 10
    with serve(work, chromium) as server:
        ids = [(f"one-k{n}", "one") for n in range(len(bad))]
        queue.start(server.book, bad[0], ids, overlap=0)
        duels.start(server.book, bad[0], [
            Pair(f"q{n}", text[:90], text, text, "甲", "乙", text, text) for n, text in enumerate(bad)
        ])  # fmt: skip
        page = server.page("主", "owner")
        for n, text in enumerate(bad):
            gold.mark(server.book, record=f"one-k{n}", source="one", person=1, action="reject",
                      reason=text[:500])  # fmt: skip
        asked: list[Driven] = []
        page.on("request", lambda one: asked.append(one))
        for n in range(len(bad)):
            page.goto(f"{server.address}/record?id=one-k{n}")
            page.goto(f"{server.address}/review/work?round=1")
            press(page, "a")
            page.goto(f"{server.address}/compare/vote?round=2")
            press(page, "0")
            assert "pwned" not in page.title()
        pairs = [f"/pairs?kind=bad&after={n}" for n in range(0, 20, 10)]
        others = ("/gold", "/whatif", "/people", "/exchange", "/rounds/new", "/review")
        for path in (
            "/",
            "/records",
            "/round?round=1",
            "/compare/results?round=2",
            *pairs,
            *others,
        ):
            page.goto(f"{server.address}{path}")
            assert page.title().endswith("cqia 数据台")
        assert all(one.url.startswith(server.address) for one in asked)
        assert page.faults == []
        assert server.book.number("select count(*) from vote") == len(bad)
