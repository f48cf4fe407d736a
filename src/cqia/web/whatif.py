"""What if a bound lay elsewhere? The same answer as `cqia whatif`, while the slider moves."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from cqia import ledger, store
from cqia.errors import UserError
from cqia.queries import whatif as query
from cqia.reviewing.search import fingerprint
from cqia.web.page import decimal, desk, page, person

router = APIRouter()


@router.get("/whatif")
def whatif(request: Request) -> Response:
    """The sliders of one filter."""
    person(request)
    here = desk(request)
    found: dict[str, list[float | None]] = {}
    for name in ledger.curated(here.work):
        for filter_, ends in (store.manifest(here.work / "curate" / name) or {})["bounds"].items():
            found.setdefault(filter_, ends)
    if not found:
        raise UserError("no source has a filter", where=str(here.work))
    names = sorted(found)
    filter_ = request.query_params.get("filter", "")
    filter_ = filter_ if filter_ in found else names[0]
    values = here.search.values(filter_)
    values = values[~np.isnan(values)]
    ends = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    given = {end: request.query_params.get(end, "") for end in ("low", "high")}
    return page(
        request,
        "whatif",
        names=names,
        filter=filter_,
        ends=ends,
        step=1 if ends[1] - ends[0] > 20 else max((ends[1] - ends[0]) / 200, 1e-6),
        given=given,
        now=dict(zip(("low", "high"), found[filter_], strict=True)),
        table=_counts(here.work, filter_, given["low"], given["high"]),
        measured=len(values),
    )


@router.get("/whatif/counts")
def counts(request: Request) -> Response:
    """The counts of every source, as JSON for the script."""
    person(request)
    take = request.query_params.get
    found = _counts(desk(request).work, take("filter", ""), take("low", ""), take("high", ""))
    return JSONResponse(found)


def _counts(work: Path, filter_: str, low: str, high: str) -> list[dict[str, object]]:
    """What `cqia whatif` counts; an empty bound stays as it is, `none` takes it away."""
    bounds = {
        name: None if text.strip() == "none" else decimal(text, name)
        for name, text in (("low", low), ("high", high))
        if text.strip()
    }
    return _kept(work, fingerprint(work), filter_, tuple(bounds.items()))


@functools.lru_cache(maxsize=512)
def _kept(
    work: Path, mark: str, filter_: str, bounds: tuple[tuple[str, float | None], ...]
) -> list[dict[str, object]]:
    return query.whatif(work, filter=filter_, bounds=dict(bounds)).counts.to_dicts()
