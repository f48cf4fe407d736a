"""Duplicates and contamination: two texts, their differences marked, for a person to confirm."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import polars as pl
from fastapi import APIRouter, Request
from fastapi.responses import Response

from cqia import decisions, store
from cqia.decisions import NEAR
from cqia.errors import UserError, unknown
from cqia.record import TEXT
from cqia.reviewing import outcomes
from cqia.reviewing.book import Row, now
from cqia.reviewing.people import Person
from cqia.web.desk import Desk
from cqia.web.page import desk, form, go, page, person, rater, whole

router = APIRouter()

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
    told = outcomes.checks_of(here.book, kind)
    of_all = decisions.read(here.work)
    shown = [_pair(here, kind, row) for row in found]
    return page(
        request,
        "pairs",
        kinds=list(kinds),
        kind=kind,
        pairs=[_with_words(one, told.get((one["a"], one["b"]), []), of_all, who) for one in shown],
        total=total,
        first=first,
        ahead=first + PAGE if first + PAGE < total else None,
    )


@router.post("/pairs")
def check(request: Request) -> Response:
    """Write down what somebody said of a pair; `cqia.decisions` tells what comes of it."""
    who = rater(request)
    here = desk(request)
    kind, verdict = form(request, "kind"), form(request, "verdict")
    a, b = form(request, "a"), form(request, "b")
    path = _kinds(here.work).get(kind)
    if path is None or verdict not in VERDICTS or not _is_pair(path, kind, a, b):
        raise UserError("there is no such pair or verdict")
    with here.book.writing() as db:
        db.execute(
            "insert into checked (at, person, kind, a, b, verdict) values (?, ?, ?, ?, ?, ?)",
            (now(), who.id, kind, a, b, verdict),
        )
    outcomes.export(here.book)
    after = whole(form(request, "after"), "after")
    return go("/pairs?" + urlencode({"kind": kind, "after": after}))


def _is_pair(path: Path, kind: str, a: str, b: str) -> bool:
    """Whether the search found this pair: nobody can drop a record by a pair made up."""
    one, two = ("a", "b") if kind == NEAR else ("id", "item")
    found = pl.scan_parquet(path).filter(pl.col(one) == a, pl.col(two) == b)
    return bool(found.select(pl.len()).collect().item())


def _with_words(
    pair: dict[str, Any], rows: list[Row], decided: pl.DataFrame, who: Person
) -> dict[str, Any]:
    """A pair with what this person said of it.

    What others said, and what came of it, is shown to an owner, and to whoever has said something.
    """
    mine = [row["verdict"] for row in rows if row["person"] == who.id]
    others = [row for row in rows if row["person"] != who.id] if who.owns else []
    fates = decided.filter(pl.col("id").is_in([pair["a"], pair["b"]])).to_dicts()
    told = fates if mine or who.owns else []
    return {**pair, "said": mine[-1] if mine else "", "others": others, "fates": told}


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
