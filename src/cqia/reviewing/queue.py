"""A round of review: which records, how many raters each, and who is given which next.

Nobody is shown what another said of a record before having decided it. A record is given to as many
people as it wants raters; one that somebody took and left lying is given to another after an hour.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence

from cqia.errors import UserError, unknown
from cqia.reviewing.book import Book, Row, now

ACTIONS = ("approve", "fix", "reject", "note")
"""What a reviewer does; a note alone decides nothing."""
EVERYBODY = 1_000_000
"""Raters of a gold item: all."""
LEFT_LYING = 3_600.0
"""Seconds after which a record that was taken and not decided is free again."""

LATEST = (
    "select decision.*, person.name from decision join person on person.id = decision.person"
    " where seq in (select max(seq) from decision where kind = ? and action != 'note'"
    " group by round, record, person) and action != 'undo'"
)
"""The decisions that count: the newest of each person and record, unless it undoes."""


def start(
    book: Book,
    name: str,
    records: Sequence[tuple[str, str]],
    *,
    overlap: float = 0.2,
    raters: int = 2,
    gold: Mapping[str, str] | None = None,
    how: str = "random",
    seed: int = 0,
    about: str = "",
) -> int:
    """Start a round.

    Args:
        book: the working folder's.
        name: what people see.
        records: id and source, in the order in which they are given.
        overlap: the share of records that several people read.
        raters: how many people read those.
        gold: records whose right action is known; everybody gets them, mixed among the others.
        how: how the records were drawn; only a random draw says something of its source.
        seed: of which records overlap.
        about: what its result belongs to, where something waits for it (`cqia safety`).

    Raises:
        UserError: no records, or a number out of bounds.
    """
    gold = dict(gold or {})
    if not records:
        raise UserError("a round needs records", mend="name sources that have some")
    if not 0 <= overlap <= 1 or not 1 <= raters <= 100:
        raise UserError("overlap is 0 to 1, raters are 1 to 100")
    for action in gold.values():
        if action not in ACTIONS[:3]:
            raise unknown("gold action", action, ACTIONS[:3])
    chance = random.Random(seed)
    shared = set(chance.sample(range(len(records)), round(overlap * len(records))))
    facts = {"overlap": overlap, "raters": raters, "how": how, "seed": seed, "about": about}
    with book.writing() as db:
        made = db.execute(
            "insert into round (kind, name, facts, made) values ('review', ?, ?, ?)",
            (name, json.dumps(facts), now()),
        )
        number = int(made.lastrowid or 0)
        rows = [
            (number, place, id_, source, EVERYBODY if id_ in gold else
             raters if place in shared else 1, gold.get(id_, ""))
            for place, (id_, source) in enumerate(records)
        ]  # fmt: skip
        db.executemany("insert into item values (?, ?, ?, ?, ?, ?)", rows)
    return number


def rounds(book: Book, kind: str = "review") -> list[Row]:
    """All rounds, newest first, with their facts."""
    found = book.rows("select * from round where kind = ? order by id desc", kind)
    return [{**row, "facts": json.loads(row["facts"])} for row in found]


def take(book: Book, round_: int, person: int) -> Row | None:
    """The item that a person has to decide next; None when there is nothing left for them."""
    with book.writing() as db:
        found = db.execute(
            "select item.* from claim join item using (round, record)"
            " where claim.round = ? and claim.person = ? and not exists"
            " (select 1 from (select action from decision d where d.kind = 'review'"
            "  and d.round = claim.round and d.record = claim.record and d.person = claim.person"
            "  and d.action != 'note' order by seq desc limit 1) where action != 'undo')"
            " order by item.place limit 1",
            (round_, person),
        ).fetchone()
        if found is None:
            found = db.execute(
                "select * from item where round = ?1 and not exists (select 1 from claim"
                " where round = ?1 and record = item.record and person = ?2)"
                " and raters > (select count(*) from claim where round = ?1"
                " and record = item.record and (at > ?3 or exists (select 1 from decision d"
                " where d.kind = 'review' and d.round = ?1 and d.record = item.record"
                " and d.person = claim.person))) order by place limit 1",
                (round_, person, now() - LEFT_LYING),
            ).fetchone()
            if found is not None:
                row = (round_, found["record"], person, now())
                db.execute("insert into claim values (?, ?, ?, ?)", row)
        return dict(found) if found is not None else None


def decide(
    book: Book,
    *,
    round_: int,
    record: str,
    person: int,
    action: str,
    reason: str = "",
    note: str = "",
    texts: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> int:
    """Write a decision down, and return its number once it is on the disk.

    Raises:
        UserError: what is no decision (`check`), or a record that this person was not given.
    """
    check(action, reason, note, texts or {})
    given = texts if action == "fix" and texts else {}
    with book.writing() as db:
        item = db.execute(
            "select source from item join claim using (round, record)"
            " where round = ? and record = ? and person = ?",
            (round_, record, person),
        ).fetchone()
        if item is None:
            raise UserError("this record was not given to you", mend="take the next one")
        made = db.execute(
            "insert into decision (at, kind, round, record, source, person, action, reason, note,"
            " instruction, input, output, seconds) values (?,'review',?,?,?,?,?,?,?,?,?,?,?)",
            (now(), round_, record, item["source"], person, action, reason.strip(), note.strip(),
             given.get("instruction"), given.get("input"), given.get("output"), seconds),
        )  # fmt: skip
        return int(made.lastrowid or 0)


def check(action: str, reason: str, note: str, texts: Mapping[str, str]) -> None:
    """Refuse what is no decision.

    Raises:
        UserError: an unknown action, a rejection without a reason, a fix that changes nothing, or a
            note without text.
    """
    if action not in ACTIONS:
        raise unknown("action", action, ACTIONS)
    if action == "reject" and not reason.strip():
        raise UserError("a rejection needs a reason", mend="say why in a word")
    if action == "fix" and not texts:
        raise UserError("a fix changes a text", mend="approve what needs no change")
    if action == "note" and not note.strip():
        raise UserError("a note needs text")


def undo(book: Book, *, round_: int, person: int) -> str | None:
    """Take back a person's newest decision in a round; the record is theirs to decide again."""
    with book.writing() as db:
        last = db.execute(
            f"select * from ({LATEST}) where round = ? and person = ? order by seq desc limit 1",
            ("review", round_, person),
        ).fetchone()
        if last is None:
            return None
        db.execute(
            "insert into decision (at, kind, round, record, source, person, action, reason, note)"
            " values (?, 'review', ?, ?, ?, ?, 'undo', '', '')",
            (now(), round_, last["record"], last["source"], person),
        )
        return str(last["record"])


def progress(book: Book, round_: int, person: int) -> Row:
    """How far a round is: items, reads wanted and done, one's own, and seconds a decision."""
    wanted = book.number(
        "select sum(raters) from item where round = ? and raters < ?", round_, EVERYBODY
    )
    done = book.rows(f"select * from ({LATEST}) where round = ?", "review", round_)
    golden = book.number("select count(*) from item where round = ? and gold != ''", round_)
    gold = {
        row["record"]: row["gold"]
        for row in book.rows("select record, gold from item where round = ? and gold != ''", round_)
    }
    mine = sorted((row for row in done if row["person"] == person), key=lambda row: row["seq"])
    spent = sorted(row["seconds"] for row in mine if row["seconds"] is not None)
    return {
        "items": book.number("select count(*) from item where round = ?", round_),
        "wanted": wanted,
        "done": sum(row["record"] not in gold for row in done),
        "gold": golden,
        "mine": len(mine),
        "seconds": spent[len(spent) // 2] if spent else None,
    }


def gold_of(book: Book, round_: int) -> list[Row]:
    """Each person's answers to gold items: name, right, items."""
    return book.rows(
        f"select d.name, sum(d.action = item.gold) as right, count(*) as items from ({LATEST}) d"
        " join item using (round, record) where d.round = ? and item.gold != ''"
        " group by d.person order by d.name",
        "review",
        round_,
    )
