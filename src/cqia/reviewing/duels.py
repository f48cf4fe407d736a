"""Two models' answers side by side, blind: who won, for whom, and does the judge agree?

A rater never sees whose answer is on which side; the sides are a hash of the rater and the pair, so
they are at random, and the same when the page is loaded again. A vote is kept as what it means (a,
b, tie, bad: both bad), not as a side.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cqia.errors import UserError, unknown
from cqia.reviewing.book import Book, Row, now
from cqia.statistics.agreement import Agreement, cohen
from cqia.statistics.pairwise import Share, Strength, bradley_terry

WINNERS = ("a", "b", "tie", "bad")
SIDES = ("left", "right", "tie", "bad")
SCORE = {"a": 1.0, "b": 0.0, "tie": 0.5, "bad": 0.5}
"""What a vote is worth to the first model; both bad is a tie when strengths are reckoned."""

LATEST = (
    "select vote.*, duel.item, duel.ability, duel.a, duel.b, duel.judge, person.name from vote"
    " join duel on duel.id = vote.duel join person on person.id = vote.person"
    " where seq in (select max(seq) from vote group by duel, person) and winner != 'undo'"
)


class Pair(NamedTuple):
    """A question with two models' answers; judge: a, b, tie, or nothing."""

    item: str
    ability: str
    question: str
    reference: str
    a: str
    b: str
    answer_a: str
    answer_b: str
    judge: str = ""


class Bar(NamedTuple):
    """One bar: two models over one ability; a share each, with its interval."""

    ability: str
    a: str
    b: str
    votes: int
    shares: tuple[Share, ...]
    """a wins, tie, b wins, both bad."""


def start(book: Book, name: str, pairs: Sequence[Pair], *, raters: int = 1) -> int:
    """Start a round of comparison.

    Args:
        book: the working folder's.
        name: what people see.
        pairs: what is compared.
        raters: how many people vote on each.

    Raises:
        UserError: nothing to compare, one thing twice, or an unknown verdict of the judge's.
    """
    if not pairs:
        raise UserError("there is nothing to compare", mend="name two models that answered")
    if raters < 1:
        raise UserError("raters are 1 or more")
    for one in pairs:
        if one.judge not in ("", "a", "b", "tie"):
            raise unknown("verdict of a judge", one.judge, ("a", "b", "tie"), where=one.item)
    if len({(one.item, one.a, one.b) for one in pairs}) < len(pairs):
        raise UserError("one item is compared twice")
    with book.writing() as db:
        facts = json.dumps({"raters": raters})
        made = db.execute(
            "insert into round (kind, name, facts, made) values ('duel', ?, ?, ?)",
            (name, facts, now()),
        )
        number = int(made.lastrowid or 0)
        db.executemany(
            "insert into duel (round, item, ability, question, reference, a, b, answer_a, answer_b,"
            " judge) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(number, *one) for one in pairs],
        )
    return number


def swapped(duel: int, person: int) -> bool:
    """Whether this rater sees the second model on the left."""
    return bool(hashlib.sha256(f"{duel}\x1f{person}".encode()).digest()[0] & 1)


def take(book: Book, round_: int, person: int) -> Row | None:
    """The pair that a person votes on next, with `left` and `right`; None when none is left.

    The pairs with the fewest votes come first.
    """
    facts = book.one("select facts from round where id = ? and kind = 'duel'", round_)
    if facts is None:
        return None
    found = book.one(
        "select duel.*, (select count(distinct person) from vote where duel = duel.id"
        "  and vote.person != ?2) as others from duel where round = ?1 and not exists"
        " (select 1 from (select winner from vote where duel = duel.id and person = ?2"
        "  order by seq desc limit 1) where winner != 'undo') and others < ?3"
        " order by others, id limit 1",
        round_,
        person,
        json.loads(facts["facts"])["raters"],
    )
    if found is None:
        return None
    sides = (found["answer_a"], found["answer_b"])
    left, right = sides[::-1] if swapped(found["id"], person) else sides
    return {**found, "left": left, "right": right}


def vote(book: Book, *, duel: int, person: int, side: str, seconds: float | None = None) -> int:
    """Write a vote for a side down, and return its number once it is on the disk.

    Raises:
        UserError: an unknown side or pair.
    """
    if side not in SIDES:
        raise unknown("side", side, SIDES)
    if side in ("left", "right"):
        side = "a" if (side == "left") != swapped(duel, person) else "b"
    with book.writing() as db:
        if db.execute("select 1 from duel where id = ?", (duel,)).fetchone() is None:
            raise UserError("there is no such pair")
        made = db.execute(
            "insert into vote (at, duel, person, winner, seconds) values (?, ?, ?, ?, ?)",
            (now(), duel, person, side, seconds),
        )
        return int(made.lastrowid or 0)


def undo(book: Book, *, round_: int, person: int) -> bool:
    """Take back a person's newest vote in a round."""
    with book.writing() as db:
        last = db.execute(
            f"select duel from ({LATEST}) where person = ? and duel in"
            " (select id from duel where round = ?) order by seq desc limit 1",
            (person, round_),
        ).fetchone()
        if last is None:
            return False
        row = (now(), last["duel"], person)
        db.execute("insert into vote (at, duel, person, winner) values (?, ?, ?, 'undo')", row)
    return True


def votes(book: Book, round_: int) -> list[Row]:
    """The votes of a round that count."""
    return book.rows(
        f"select * from ({LATEST}) where duel in (select id from duel where round = ?)"
        " order by duel, person",
        round_,
    )


def bars(rows: Sequence[Row]) -> list[Bar]:
    """A bar for each pair of models over everything, and one for each ability."""
    from cqia.statistics.intervals import wilson

    found = []
    for a, b in sorted({(row["a"], row["b"]) for row in rows}):
        mine = [row for row in rows if (row["a"], row["b"]) == (a, b)]
        kinds = sorted({row["ability"] for row in mine})
        for ability in ["", *(kinds if kinds != [""] else [])]:
            counts = Counter(
                row["winner"] for row in mine if not ability or row["ability"] == ability
            )
            n = sum(counts.values())
            shares = tuple(
                Share(counts[one], counts[one] / n, *wilson(counts[one], n))
                for one in ("a", "tie", "b", "bad")
            )
            found.append(Bar(ability, a, b, n, shares))
    return found


def ranking(rows: Sequence[Row]) -> list[Strength]:
    """Bradley-Terry strengths with intervals, strongest first; none without votes."""
    if not rows:
        return []
    found = bradley_terry(
        [row["a"] for row in rows],
        [row["b"] for row in rows],
        np.array([SCORE[row["winner"]] for row in rows]),
        [row["item"] for row in rows],
    )
    return sorted(found, key=lambda one: (-one.value if one.value == one.value else 0, one.name))


def judge_and_people(rows: Sequence[Row]) -> Agreement | None:
    """Cohen's kappa of the judge and the majority of people, over pairs that both decided.

    Both bad counts as a tie, which is what a judge can say; a majority that is none is a tie too.
    """
    people, judge = [], []
    for _, group in itertools.groupby(rows, key=lambda row: row["duel"]):
        mine = list(group)
        if not mine[0]["judge"]:
            continue
        counts = Counter("tie" if row["winner"] == "bad" else row["winner"] for row in mine)
        best = max(counts.values())
        first = [one for one, n in counts.items() if n == best]
        people.append(first[0] if len(first) == 1 else "tie")
        judge.append(mine[0]["judge"])
    return cohen(judge, people) if people else None


def raters(rows: Sequence[Row]) -> list[tuple[str, Agreement]]:
    """Cohen's kappa of each two raters who voted on the same pairs."""
    names = sorted({row["name"] for row in rows})
    said = {(row["name"], row["duel"]): row["winner"] for row in rows}
    duels = sorted({row["duel"] for row in rows})
    found = []
    for a, b in itertools.combinations(names, 2):
        one, two = ([said.get((name, duel)) for duel in duels] for name in (a, b))
        if any(x and y for x, y in zip(one, two, strict=True)):
            found.append((f"{a} × {b}", cohen(one, two)))
    return found
