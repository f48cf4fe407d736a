"""The book: one SQLite file in which everything that people say is written, and nothing is erased.

Decisions, votes and checks are rows that are only ever added; undoing is a row too, and the newest
row of a person and a thing counts. A row is on the disk (WAL, synchronous FULL) before its writer
is told so, so a server that is killed loses nothing it acknowledged, and two people who save at
once wait for one another.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cqia.errors import UserError

PLACE = Path("review") / "review.sqlite"
"""Where the book lies in a working folder."""

WAIT = 30.0
"""Seconds that a writer waits for another."""

VERSION = 2

TABLES = """
create table person (id integer primary key, name text not null unique, role text not null,
  token text not null, made real not null, revoked integer not null default 0);
create table secret (key blob not null);
create table round (id integer primary key, kind text not null, name text not null,
  facts text not null, made real not null);
create table item (round integer not null, place integer not null, record text not null,
  source text not null, raters integer not null, gold text not null default '',
  primary key (round, record)) without rowid;
create index item_place on item (round, place);
create table claim (round integer not null, record text not null, person integer not null,
  at real not null, primary key (round, record, person)) without rowid;
create table decision (seq integer primary key autoincrement, at real not null, kind text not null,
  round integer not null, record text not null, source text not null, person integer not null,
  action text not null, reason text not null, note text not null,
  instruction text, input text, output text, seconds real);
create index decision_of on decision (kind, round, record, person, seq);
create table duel (id integer primary key, round integer not null, item text not null,
  ability text not null, question text not null, reference text not null, a text not null,
  b text not null, answer_a text not null, answer_b text not null, judge text not null,
  unique (round, item, a, b));
create table vote (seq integer primary key autoincrement, at real not null, duel integer not null,
  person integer not null, winner text not null, seconds real);
create index vote_of on vote (duel, person, seq);
create table checked (seq integer primary key autoincrement, at real not null,
  person integer not null, kind text not null, a text not null, b text not null,
  verdict text not null);
"""
SECOND = """
create table gold (seq integer primary key autoincrement, at real not null,
  person integer not null, record text not null, source text not null, action text not null,
  reason text not null)
"""
"""What version 2 added: records whose right verdict is known, marked on the screen."""

Row = dict[str, Any]


class Book:
    """A working folder's book; made when it is not there. Every thread has its own connection."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.path = work / PLACE
        self._mine = threading.local()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.writing() as db:
            found = db.execute("pragma user_version").fetchone()[0]
            if found == 0:
                for statement in TABLES.split(";"):
                    db.execute(statement)
                db.execute("insert into secret values (randomblob(32))")
            if found in (0, 1):
                db.execute(SECOND)
                db.execute(f"pragma user_version = {VERSION}")
            elif found != VERSION:
                raise UserError(
                    f"this book is of version {found}, not {VERSION}",
                    where=str(self.path),
                    mend="use the cqia that wrote it",
                )

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection.

        Raises:
            UserError: the file is no SQLite.
        """
        found: sqlite3.Connection | None = getattr(self._mine, "db", None)
        if found is not None:
            return found
        db = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None)
        db.row_factory = sqlite3.Row
        try:
            db.execute("pragma journal_mode = wal")
        except sqlite3.DatabaseError as fault:
            db.close()
            raise UserError(
                f"this is no book ({fault})", where=str(self.path), mend="move it away"
            ) from None
        db.execute("pragma synchronous = full")
        self._mine.db = db
        return db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writer comes between; on the disk when the block ends."""
        db = self._connection()
        db.execute("begin immediate")
        try:
            yield db
        except BaseException:
            db.execute("rollback")
            raise
        db.execute("commit")

    def rows(self, query: str, *values: object) -> list[Row]:
        """What a query finds."""
        return [dict(row) for row in self._connection().execute(query, values)]

    def one(self, query: str, *values: object) -> Row | None:
        """The first row that a query finds."""
        found = self._connection().execute(query, values).fetchone()
        return dict(found) if found is not None else None

    def number(self, query: str, *values: object) -> int:
        """The number that a query gives; 0 for none."""
        found = self._connection().execute(query, values).fetchone()
        return int(found[0] or 0) if found is not None else 0

    def secret(self) -> bytes:
        """The key that cookies and offline files are signed with; it never leaves the book."""
        found = self.one("select key from secret")
        assert found is not None
        return bytes(found["key"])

    def close(self) -> None:
        """Close this thread's connection."""
        found: sqlite3.Connection | None = getattr(self._mine, "db", None)
        if found is not None:
            found.close()
            self._mine.db = None


def now() -> float:
    """The time of a row, in seconds."""
    return time.time()
