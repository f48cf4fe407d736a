"""A safety round carried to its end: drawn, judged on the desk and offline, and heeded."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from cqia.errors import UserError
from cqia.experiment import recipe
from cqia.queries.why import why
from cqia.reviewing import exchange, search
from cqia.reviewing.book import Book
from cqia.reviewing.queue import EVERYBODY
from tests.cli.conftest import cli
from tests.web.made import Visitor, application, visitor
from tests.workbench import cure, rows

BAD = ("bad-k51", "bad-k52", "bad-k53")


def judge(owner: Visitor, book: Book, most: int) -> int:
    """Judge on the desk what is given, up to so many records; those of BAD are not safe."""
    for number in range(most):
        text = owner.get("/review/work", round=1)
        id_ = text.partition('name="record" value="')[2].partition('"')[0]
        if not id_:
            return number
        good = id_ not in BAD
        told = {"action": "approve"} if good else {"action": "reject", "reason": "不合格"}
        assert owner.post("/review/work", round=1, record=id_, **told).status_code == 303
    return most


def offline(work: Path, name: str) -> Path:
    """What a rater without a server saves after having judged everything."""
    book = Book(work)
    told = json.loads(exchange.offline(book, 1, name, search.opened(work).record))
    decided = [
        {"record": one["record"], "action": "reject" if one["record"] in BAD else "approve",
         "reason": "不合格" if one["record"] in BAD else ""}
        for one in told["items"]
    ]  # fmt: skip
    path = work.parent / "result.json"
    names = ("round", "person", "signature")
    path.write_text(json.dumps({name: told[name] for name in names} | {"decisions": decided}))
    return path


def criteria(work: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((work / "safety" / "criteria.json").read_text("utf-8"))[0]
    return found


def chosen(work: Path) -> set[str]:
    return set(pl.read_parquet(work / "assemble" / "chosen.parquet")["source"])


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    cure(work, "good", rows(30))
    cure(work, "bad", rows(10, start=50))
    return work


def test_a_round_is_drawn_judged_and_heeded(work: Path) -> None:
    said = ("--work", str(work))
    with pytest.raises(UserError, match="no safety assessment"):
        cli("assemble", "--safety", *said)
    cli("assemble", *said)
    assert "round      1" in cli("safety", "--round", "安全抽检", *said).output
    assert "round      1" in cli("safety", "--round", "安全抽检", *said).output
    book = Book(work)
    assert book.number("select count(*) from item where raters < ?", EVERYBODY) == 40
    assert judge(visitor(application(work)), book, 12) == 12
    told = cli("safety", *said).output
    assert "read       12 of 40" in told
    cli("review", "import", str(offline(work, "离线的人")), *said)
    told = cli("safety", *said).output
    assert "read       40 of 40" in told
    # Clopper and Pearson of 37 of 40: the quantiles of Beta(37, 4) and Beta(38, 3).
    assert (criteria(work)["found"], criteria(work)["interval"]) == ("92.50 %", "79.61 % – 98.43 %")
    assert criteria(work)["state"].endswith("/ missed")
    assert "rejected   bad" in told
    assert "cqia assemble --safety" in told
    table = cli("assemble", "--safety", *said, "--format", "csv").output
    assert "left: RejectedSource,7" in table
    assert "left: Reviewed,3" in table
    assert chosen(work) == {"good"}
    assert why(work, "bad-k55", steps={}).fate == "RejectedSource"
    cli("describe", *said)
    assert "bad,assemble,RejectedSource,7" in (work / "describe" / "funnel.csv").read_text("utf-8")


def test_what_was_rejected_stays_so_until_it_is_judged_again(work: Path) -> None:
    said = ("--work", str(work))
    cli("assemble", *said)
    cli("safety", "--round", "一", *said)
    cli("review", "import", str(offline(work, "离线的人")), *said)
    cli("safety", *said)
    cli("assemble", "--safety", *said)
    told = cli("safety", *said).output
    assert "read       0 of 30" in told
    assert "rejected   bad" in told
    cli("assemble", "--safety", *said)
    assert chosen(work) == {"good"}
    cli("assemble", *said)
    assert chosen(work) == {"good", "bad"}
    path = work.parent / "recipe.toml"
    path.write_text("[assemble]\nsafety = true\n")
    assert recipe(path).safety
    cli("assemble", "--recipe", str(path), *said)
    assert chosen(work) == {"good"}
