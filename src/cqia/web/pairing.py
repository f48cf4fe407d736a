"""Duplicates and contamination: two texts, their differences marked, for a person to confirm."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import polars as pl
from fastapi import APIRouter, Request
from fastapi.responses import Response

from cqia import store
from cqia.errors import UserError, unknown
from cqia.record import TEXT
from cqia.reviewing import outcomes
from cqia.reviewing.book import now
from cqia.web.desk import Desk
from cqia.web.page import desk, form, go, page, person, rater, whole

router = APIRouter()

NEAR = "near"
PAGE = 10
VERDICTS = ("same", "different", "undo")


@router.get("/pairs")
def pairs(request: Request) -> Response:
    """A page of pairs."""
    who = person(request)
    here = desk(request)
    kinds = _kinds(here.work)
    kind = request.query_params.get("kind", "") or next(iter(kinds), "")
    if kinds and kind not in kinds:
        raise unknown("kind of pair", kind, kinds)
    first = max(whole(request.query_params.get("after", ""), "after"), 0)
    table = pl.scan_parquet(kinds[kind]) if kinds else pl.LazyFrame()
    total = table.select(pl.len()).collect().item() if kinds else 0
    found = table.slice(first, PAGE).collect().to_dicts() if kinds else []
    said = here.book.rows(
        "select a, b, verdict from checked where seq in (select max(seq) from checked where"
        " kind = ? and person = ? group by a, b) and verdict != 'undo'",
        kind,
        who.id,
    )
    known = {(row["a"], row["b"]): row["verdict"] for row in said}
    shown = [_pair(here, kind, row) for row in found]
    return page(
        request,
        "pairs",
        kinds=list(kinds),
        kind=kind,
        pairs=[{**one, "said": known.get((one["a"], one["b"]), "")} for one in shown],
        total=total,
        first=first,
        ahead=first + PAGE if first + PAGE < total else None,
    )


@router.post("/pairs")
def check(request: Request) -> Response:
    """Write down what somebody said of a pair.

    An owner who says of a near-duplicate that it is none brings the dropped record back.
    """
    who = rater(request)
    here = desk(request)
    kind, verdict = form(request, "kind"), form(request, "verdict")
    a, b = form(request, "a"), form(request, "b")
    if kind not in _kinds(here.work) or verdict not in VERDICTS:
        raise UserError("there is no such pair or verdict")
    with here.book.writing() as db:
        db.execute(
            "insert into checked (at, person, kind, a, b, verdict) values (?, ?, ?, ?, ?, ?)",
            (now(), who.id, kind, a, b, verdict),
        )
    if kind == NEAR and who.owns:
        _restore(here, who.id, a, b, verdict)
    after = whole(form(request, "after"), "after")
    return go("/pairs?" + urlencode({"kind": kind, "after": after}))


def _restore(here: Desk, person_: int, a: str, b: str, verdict: str) -> None:
    """What an owner's word on a near-duplicate means for the record that it dropped."""
    gone = pl.read_parquet(here.work / "dedup" / "dropped.parquet", columns=["id", "source"])
    for id_, source in gone.filter(pl.col("id").is_in([a, b])).iter_rows():
        ruled = outcomes.ruling_of(here.book, id_)
        mine = ruled is not None and ruled["reason"].startswith("not a duplicate of ")
        other = b if id_ == a else a
        action = "restore" if verdict == "different" else "undo" if mine else ""
        if action:
            outcomes.rule(here.book, record=id_, source=source, person=person_, action=action,
                          reason=f"not a duplicate of {other}")  # fmt: skip
    outcomes.export(here.book)


def _kinds(work: Path) -> dict[str, Path]:
    """The tables of pairs that there are: near-duplicates, and one a benchmark."""
    if not store.manifest(work / "dedup"):
        return {}
    found = {}
    if (work / "dedup" / "pairs.parquet").exists():
        found[NEAR] = work / "dedup" / "pairs.parquet"
    for path in sorted((work / "dedup" / "contamination").glob("*.parquet")):
        found[path.stem] = path
    return found


def _pair(here: Desk, kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """Both texts of a pair, and how near they are."""
    if kind == NEAR:
        one, two = (_text(here, row[name]) for name in ("a", "b"))
        return {"a": row["a"], "b": row["b"], "near": row["similarity"], "one": one, "two": two}
    return {"a": row["id"], "b": row["item"], "near": row["share"], "one": row["text"],
            "two": row["record"]}  # fmt: skip


def _text(here: Desk, id_: str) -> str:
    record = here.search.record(id_) or {}
    return "\n".join(str(record.get(name) or "") for name in TEXT if record.get(name))
