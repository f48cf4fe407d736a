from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cqia.errors import UserError
from cqia.reviewing import people, queue
from cqia.reviewing.book import Book
from tests.reviewing.made import person


def test_two_who_save_at_once_lose_nothing(tmp_path: Path) -> None:
    book = Book(tmp_path)
    ids = [(f"one-{n}", "one") for n in range(40)]
    round_ = queue.start(book, "一轮", ids, overlap=1.0, raters=4)
    names = [person(book, f"人{n}") for n in range(4)]
    acknowledged: list[int] = []
    faults: list[BaseException] = []

    def work(who: people.Person) -> None:
        try:
            while item := queue.take(book, round_, who.id):
                acknowledged.append(
                    queue.decide(
                        book, round_=round_, record=item["record"], person=who.id, action="approve"
                    )
                )
        except BaseException as fault:  # noqa: BLE001
            faults.append(fault)
        finally:
            book.close()

    threads = [threading.Thread(target=work, args=(one,)) for one in names]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not faults
    assert len(acknowledged) == len(set(acknowledged)) == 160
    assert book.number("select count(*) from decision") == 160


WRITER = """
import sys
from pathlib import Path
from cqia.reviewing import queue, people
from cqia.reviewing.book import Book
book = Book(Path(sys.argv[1]))
while item := queue.take(book, 1, 1):
    seq = queue.decide(book, round_=1, record=item["record"], person=1, action="approve")
    print(seq, flush=True)
"""


def test_a_server_killed_at_any_moment_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    book = Book(tmp_path)
    person(book, "甲")
    queue.start(book, "一轮", [(f"one-{n}", "one") for n in range(5_000)])
    told = tmp_path / "told"
    with told.open("w") as out:
        running = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=out)
        limit = time.monotonic() + 60
        while told.read_text().count("\n") < 20 and time.monotonic() < limit:
            time.sleep(0.05)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    acknowledged = [int(line) for line in told.read_text().split("\n")[:-1]]
    kept = {row["seq"] for row in book.rows("select seq from decision")}
    assert len(acknowledged) >= 20
    assert set(acknowledged) <= kept
    assert book.one("pragma integrity_check") == {"integrity_check": "ok"}


def test_the_book_is_on_the_disk_before_anybody_is_told(tmp_path: Path) -> None:
    book = Book(tmp_path)
    assert book.one("pragma synchronous") == {"synchronous": 2}
    assert book.one("pragma journal_mode") == {"journal_mode": "wal"}


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    book = Book(tmp_path)
    rows = [("review", "x"), (None, "x")]
    with pytest.raises(sqlite3.IntegrityError), book.writing() as db:
        db.executemany("insert into round (kind, name, facts, made) values (?, ?, '{}', 0)", rows)
    assert not queue.rounds(book)


def test_what_is_no_book_is_refused(tmp_path: Path) -> None:
    (tmp_path / "review").mkdir()
    (tmp_path / "review" / "review.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(UserError, match="no book"):
        Book(tmp_path)


def test_a_book_of_another_version_is_refused(tmp_path: Path) -> None:
    Book(tmp_path).rows("pragma user_version = 99")
    with pytest.raises(UserError, match="version 99"):
        Book(tmp_path)


def test_an_invitation_lets_in_until_it_is_renewed_or_revoked(tmp_path: Path) -> None:
    book = Book(tmp_path)
    first = people.invite(book, "小王", "reviewer")
    assert people.admitted(book, first)
    second = people.invite(book, "小王", "reviewer")
    assert people.admitted(book, first) is None
    found = people.admitted(book, second)
    assert found is not None
    people.revoke(book, found.id)
    assert people.admitted(book, second) is None
    assert first not in str(book.rows("select * from person"))


def test_a_forged_or_old_session_is_nobodys(tmp_path: Path) -> None:
    book = Book(tmp_path)
    who = person(book, "小王")
    cookie = people.signed(book, who.id, time.time())
    assert people.session(book, cookie, age=60) == who
    other = cookie.replace(f"{who.id}.", f"{who.id + 1}.", 1)
    for bad in (other, cookie[:-1], "", "..", "1.2.3", "１.2.x", cookie + "0"):
        assert people.session(book, bad, age=60) is None
    assert people.session(book, people.signed(book, who.id, time.time() - 61), age=60) is None


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\x1b[31m", "\u202e甲"])
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="a name has"):
        people.invite(Book(tmp_path), name, "reviewer")
