"""The cache of replies: a SQLite file that outlives crashes and is shared by processes.

A reply is in the file before it is counted, so what was paid for is never paid for again: a process
that is killed loses the replies that were on their way, and no others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from cqia.errors import UserError
from cqia.llm.protocol import Reply

_AT_ONCE = 500
_WAIT = 60.0


class Cache:
    """Replies by the key of their request.

    Args:
        path: the file; its folder is made.

    Raises:
        UserError: it is no cache.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=_WAIT, isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS replies"
                " (key TEXT PRIMARY KEY, model TEXT NOT NULL, reply BLOB NOT NULL) WITHOUT ROWID"
            )
        except sqlite3.DatabaseError as fault:
            self._db.close()
            raise UserError(
                f"this is no cache of replies ({fault})", where=str(path), mend="move it away"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def get(self, keys: Iterable[str]) -> dict[str, Reply]:
        """The replies that are there, by key."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Reply] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            query = f"SELECT key, reply FROM replies WHERE key IN ({marks})"
            for key, body in self._db.execute(query, some):
                text, finish, asked, told = orjson.loads(body)
                found[key] = Reply(text, finish, asked, told, attempts=0, cached=True)
        return found

    def put(self, model: str, replies: Mapping[str, Reply]) -> None:
        """Keep replies by key; they are on file when this returns. The first of a key stays."""
        rows = [
            (key, model, orjson.dumps([one.text, one.finish, one.prompt_tokens, one.reply_tokens]))
            for key, one in replies.items()
        ]
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("INSERT OR IGNORE INTO replies VALUES (?, ?, ?)", rows)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM replies").fetchone()[0])
