"""Hostile records through the whole product: terminal, tables, pages for print, exports.

The desk in the browser has its own tests with the same texts, in `tests/web`.
"""

from __future__ import annotations

import csv
import html.parser
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from cqia import ledger
from cqia.cli.main import cqia
from cqia.cli.train import dataset
from cqia.describing.safety import Rules
from cqia.reviewing import exchange, outcomes, people, queue, search
from cqia.reviewing.book import Book
from cqia.stages.assemble import assemble, export
from cqia.stages.dedup import dedup
from cqia.stages.describe import describe
from cqia.stages.portray import portray
from cqia.stages.report import report
from cqia.stages.safety import assess
from cqia.training.chat import Chat
from cqia.training.glance import samples
from cqia.training.preflight import look
from cqia.training.preflight_page import page as preflight
from cqia.web.exchanging import offline
from tests.llm.tiny import tiny_tokenizer
from tests.reporting.made import statement
from tests.web import hostile
from tests.web.chromium import Driven
from tests.web.chromium import chromium as chromium
from tests.workbench import Row, cure, rows

STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
"""What a terminal or an editor would obey, turn round, or hide."""
FORMULA = tuple("=+-@\t\r\n＝＋－＠")
TEXTS = hostile.TEXTS
FORMATS = ("table", "json", "csv", "md")


def labels(number: int) -> list[str]:
    return [TEXTS[number][:150]]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every text stands in every column that a stranger can fill."""
    work = tmp_path_factory.mktemp("hostile") / "work"
    more: Row = {name: (lambda n: f"{TEXTS[n]} ") for name in ("instruction", "output")}
    more |= {name: labels for name in ("task_major", "task_minor", "domain")}
    more |= {
        "key": lambda n: f"{n}{TEXTS[n][:100]}",
        "copyright": lambda n: TEXTS[n][:200],
        "metadata": lambda n: f"task:{TEXTS[n][:100]}",
    }
    many = rows(len(TEXTS), more)
    cure(work, "one", [*many, *({**row, "output": "短", "key": f"短{row['key']}"} for row in many)],
         title=TEXTS[0], licence=TEXTS[4])  # fmt: skip
    cure(work, "two", [{**row, "instruction": None} for row in many] + rows(9, start=100))
    dedup(work=work, near="none")
    book = Book(work)
    who = people.named(book, "小王")
    ids = [(one, "one") for one in ledger.scan(work, "one", "kept").collect()["id"]]
    round_ = queue.start(book, TEXTS[0], ids, overlap=0)
    for number, text in enumerate(TEXTS):
        item = queue.take(book, round_, who.id)
        assert item is not None
        queue.decide(book, round_=round_, record=item["record"], person=who.id,
                     action="approve" if number else "reject", reason=text[:300] + "。",
                     note=text[:300])  # fmt: skip
    outcomes.export(book)
    assemble(work=work, validation=0.1)
    export(
        work=work, folder=work / "dataset", formats=["release", "alpaca", "sharegpt", "messages"]
    )
    describe(work=work)
    assess(work=work, rules=Rules())
    return work


def said(*arguments: object) -> str:
    """What a command prints."""
    done = CliRunner().invoke(cqia, [str(one) for one in arguments])
    assert done.exit_code == 0, done.output[-2_000:]
    found = STEERING.search(done.stdout)
    assert found is None, (arguments, ascii(done.stdout[found.start() - 60 : found.end() + 60]))
    return done.stdout


def cells(text: str) -> Iterator[str]:
    for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))):
        yield from row


def is_number(cell: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell) is not None


def no_formula(text: str) -> None:
    csv.field_size_limit(1 << 30)
    for cell in cells(text):
        first = cell.lstrip(" \u3000\xa0\u200b")
        assert is_number(cell) or not first.startswith(FORMULA), ascii(cell[:80])


def kept(work: Path) -> list[str]:
    """The hostile records' ids, in the order of the texts."""
    found = ledger.scan(work, "one", "kept").sort("row").collect()["id"].to_list()
    assert len(found) == len(TEXTS) >= 50
    return found


def stories(work: Path, ids: list[str]) -> None:
    for id_ in ids:
        text = said("why", id_, "--work", work)
        assert id_ in text
        assert len(text) < 200_000


def test_a_terminal_obeys_no_record(work: Path) -> None:
    stories(work, kept(work)[len(hostile.TAGS) - 1 :: 4])


@pytest.mark.slow
def test_a_terminal_obeys_none_at_all(work: Path) -> None:
    stories(work, [*kept(work), *ledger.scan(work, "one", "dropped").collect()["id"]])


@pytest.mark.parametrize("format_", FORMATS)
def test_no_table_on_the_terminal_is_obeyed(work: Path, format_: str) -> None:
    for arguments in (
        ("drops",), ("drops", "--examples", 50), ("drops", "--bad"), ("why", kept(work)[40]),
        ("describe", "--table", "funnel"), ("describe", "--table", "sources"),
        ("whatif", "--filter", "Length.output", "--low", 1), ("review", "decisions"),
    ):  # fmt: skip
        text = said(*arguments, "--work", work, "--format", format_)
        if format_ == "json":
            assert json.loads(text)
        if format_ == "csv":
            no_formula(text)


def test_no_table_for_people_is_calculated(work: Path) -> None:
    found = [path for name in ("describe", "safety") for path in (work / name).rglob("*.csv")]
    assert len(found) >= 8
    for path in found:
        text = path.read_text("utf-8")
        no_formula(text)
        assert not STEERING.search(text.removeprefix("\ufeff")), path.name
    sheet = (work / "safety" / "sheet.csv").read_text("utf-8-sig")
    assert sum(cell.startswith("'") for cell in cells(sheet)) >= 2 * len(hostile.FORMULAS) - 2


class Page(html.parser.HTMLParser):
    """A page of ours; anything in it that a text could have put there fails."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script" and ("type", "application/json") not in attrs
        assert tag not in ("iframe", "object", "embed", "base", "video", "math", "animate")
        assert tag != "form" or ("id", "work") in attrs
        for name, value in attrs:
            assert not name.startswith("on"), (name, value)
            link = name in ("href", "src", "action", "xlink:href")
            assert not link or not (value or "").strip().lower().startswith("javascript"), value


@pytest.fixture(scope="module")
def pages(work: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, int]]:
    """Every page that is made of records, and how many scripts of ours are in it."""
    place = tmp_path_factory.mktemp("pages")
    portray(work=work, parser="rules", instructions=20, at=2)
    find = search.opened(work).record
    told = exchange.offline(Book(work), 1, "小王", find)
    statement(place / "said", bad="".join([*hostile.TAGS, *hostile.HIDDEN, *hostile.FORMULAS]))
    report(work=place / "said")
    chat = Chat(tiny_tokenizer(TEXTS[:5], vocabulary=400, positions=1_024), TEXTS[0])
    looked = look(dataset(work, ()).head(40), chat, max_tokens=400)
    return {
        "offline": (offline(told, "zh"), 1),
        "preflight": (preflight(looked.rows, samples(looked, chat, each=9), chat, max_tokens=400), 0),
        **{
            path.stem: (path.read_text("utf-8"), 2 if path.stem != "safety" else 1)
            for path in (work / "describe" / "describe.html", work / "safety" / "safety.html",
                         place / "said" / "report" / "report.html")
        },
    }  # fmt: skip


@pytest.mark.slow
def test_no_text_becomes_a_part_of_a_page(pages: dict[str, tuple[str, int]]) -> None:
    for name, (body, scripts) in pages.items():
        page = Page()
        page.feed(body)
        assert page.scripts == scripts, name
        if name != "offline":  # it shows them by their number, as the desk does
            shown = re.sub(r"(?s)<script.*?</script>", "", body)
            assert not STEERING.search(shown), name


def test_exports_hold_the_texts_word_for_word(work: Path) -> None:
    found = sorted((work / "dataset").rglob("*.json*"))
    assert len(found) >= 4
    whole = "\n".join(path.read_text("utf-8") for path in found)
    assert not re.search("[\x00-\x08\x0b-\x1f]", whole)
    lines = [json.loads(line) for path in found if path.suffix == ".jsonl"
             for line in path.read_text("utf-8").split("\n") if line]  # fmt: skip
    texts = {line.get("output") for line in lines}
    chosen = pl.read_parquet(work / "assemble" / "chosen.parquet")["id"].to_list()
    stands = {text.strip(" ") for text, id_ in zip(TEXTS, kept(work), strict=True) if id_ in chosen}
    assert len(stands) > 50
    assert stands <= texts
    find = search.opened(work).record
    for format_ in exchange.FORMATS:
        body = exchange.write(Book(work), 1, format_, find)
        assert not re.search(b"[\x00-\x08\x0b-\x1f]", body)
        back = json.loads(body)
        held = {one.get("data", one.get("fields"))["output"] for one in back}
        assert held == {text.strip(" ") for text in TEXTS}
        assert exchange.read(Book(work), body) == 0


@pytest.mark.slow
def test_no_page_does_anything_in_a_browser(
    pages: dict[str, tuple[str, int]], tmp_path: Path, chromium: Driven
) -> None:
    for name, (body, _) in pages.items():
        path = tmp_path / f"{name}.html"
        path.write_text(body, "utf-8")
        page = chromium.new_page()
        asked: list[str] = []
        talked: list[str] = []
        page.on("request", lambda one, to=asked: to.append(one.url))
        page.on("dialog", lambda one, to=talked: to.append(one.message))
        page.goto(path.as_uri())
        page.wait_for_timeout(1_000)
        assert "pwned" not in page.title(), name
        page.evaluate("for (const e of document.querySelectorAll('main *')) "
                      "e.dispatchEvent(new MouseEvent('mouseover', {bubbles: true}))")  # fmt: skip
        for _ in range(3 if name == "offline" else 0):
            page.keyboard.press("a")
        assert "pwned" not in page.title(), name
        assert talked == []
        assert [one for one in asked if not one.startswith(("file:", "data:", "blob:"))] == [], name
        page.close()
