"""A working folder with records to review, and a book with people in it."""

from __future__ import annotations

from pathlib import Path

from cqia.reviewing import people, queue
from cqia.reviewing.book import Book
from cqia.reviewing.people import Person
from tests.workbench import cure, rows


def folder(place: Path, count: int = 30) -> Path:
    """A folder with two sources; every tenth record of `one` is too short and dropped."""
    work = place / "work"
    more = {
        "output": lambda n: "短" if n % 10 == 9 else f"第{n}个答案，租房先看合同",
        "task_minor": lambda n: ["问答"],
    }
    cure(work, "one", rows(count, more))
    cure(work, "two", rows(10, start=1000))
    return work


def person(book: Book, name: str, role: str = "reviewer") -> Person:
    found = people.admitted(book, people.invite(book, name, role))
    assert found is not None
    return found


def read_all(book: Book, round_: int, who: Person, said: dict[str, str]) -> list[str]:
    """Decide everything that somebody is given; `said` holds what is not an approval."""
    seen = []
    while item := queue.take(book, round_, who.id):
        action = said.get(item["record"], "approve")
        queue.decide(
            book, round_=round_, record=item["record"], person=who.id, action=action,
            reason="不好" if action == "reject" else "",
        )  # fmt: skip
        seen.append(item["record"])
    return seen
