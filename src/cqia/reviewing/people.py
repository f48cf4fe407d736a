"""Who takes part: people with a role, each let in by an invitation link with a secret in it.

Only a hash of the secret is kept. A new invitation for the same person makes the old one worthless,
and revoking a person ends every session of theirs at once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cqia.errors import UserError, unknown
from cqia.reviewing.book import Book, now

ROLES = ("owner", "reviewer", "viewer")
"""owner: everything. reviewer: own queue and votes, and looking at records. viewer: looks."""

LONGEST = 40
"""Characters of a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who was invited."""

    id: int
    name: str
    role: str

    @property
    def owns(self) -> bool:
        return self.role == "owner"

    @property
    def rates(self) -> bool:
        return self.role in ("owner", "reviewer")


def invite(book: Book, name: str, role: str) -> str:
    """Make an invitation and return its secret; somebody of that name gets a new one.

    Raises:
        UserError: no name, one too long, or an unknown role.
    """
    name = " ".join(name.split())
    if role not in ROLES:
        raise unknown("role", role, ROLES)
    if not name or len(name) > LONGEST or not name.isprintable():
        raise UserError(f"a name has 1 to {LONGEST} characters that can be printed")
    token = secrets.token_urlsafe(24)
    with book.writing() as db:
        db.execute(
            "insert into person (name, role, token, made) values (?, ?, ?, ?) on conflict (name)"
            " do update set role = excluded.role, token = excluded.token, revoked = 0",
            (name, role, _hashed(token), now()),
        )
    return token


def named(book: Book, name: str, role: str = "reviewer") -> Person:
    """The person of a name; one whose results come from elsewhere is added without a way in."""
    if not book.one("select id from person where name = ?", " ".join(name.split())):
        invite(book, name, role)
    found = book.one("select * from person where name = ?", " ".join(name.split()))
    assert found is not None
    return Person(id=found["id"], name=found["name"], role=found["role"])


def admitted(book: Book, token: str) -> Person | None:
    """Whom a secret lets in."""
    found = book.one("select * from person where token = ? and not revoked", _hashed(token))
    return Person(id=found["id"], name=found["name"], role=found["role"]) if found else None


def revoke(book: Book, person: int) -> None:
    """Let somebody in no more; what they said stays."""
    with book.writing() as db:
        db.execute("update person set revoked = 1 where id = ? and role != 'owner'", (person,))


def everyone(book: Book) -> list[dict[str, object]]:
    """All people: id, name, role, revoked, decisions, votes."""
    return book.rows(
        "select id, name, role, revoked,"
        " (select count(*) from decision where person = person.id) as decisions,"
        " (select count(*) from vote where person = person.id) as votes from person order by id"
    )


def signed(book: Book, person: int, made: float) -> str:
    """What a session's cookie holds: who, since when, and a signature."""
    body = f"{person}.{int(made)}"
    return f"{body}.{signature(book, 'session', body)}"


def session(book: Book, cookie: str, *, age: float) -> Person | None:
    """Whose session a cookie is; None for a forged, an old or a revoked one."""
    body, _, said = cookie.rpartition(".")
    who, _, made = body.partition(".")
    if not hmac.compare_digest(said.encode(), signature(book, "session", body).encode()):
        return None
    if now() - int(made) > age:
        return None
    found = book.one("select * from person where id = ? and not revoked", int(who))
    return Person(id=found["id"], name=found["name"], role=found["role"]) if found else None


def signature(book: Book, use: str, body: str) -> str:
    """A signature of a text for one use, which only this book's key makes."""
    return hmac.new(book.secret(), f"{use}\x1f{body}".encode(), hashlib.sha256).hexdigest()


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
