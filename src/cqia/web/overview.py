"""The overview: where every record of the run went."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cqia.reviewing.search import STAGES
from cqia.web.flow import Flow, drawn
from cqia.web.page import desk, page, person

router = APIRouter()


@router.get("/")
def overview(request: Request) -> Response:
    """The funnel as a flow, each band a way to its records."""
    person(request)
    here = desk(request)
    facts = here.search.facts
    counts = facts.group_by("source", "rule").len().sort("source", "rule")
    of = here.search.stages
    flows = [
        Flow(str(source), str(rule), of.get(str(rule), ""), count)
        for source, rule, count in counts.iter_rows()
    ]
    ran = [stage for stage in STAGES if stage == "curate" or (here.work / stage).exists()]
    return page(
        request,
        "overview",
        picture=drawn(flows, ran),
        total=len(facts),
        kept=sum(one.n for one in flows if not one.stage),
        table=facts.group_by("rule").len().sort("len", "rule", descending=[True, False]).rows(),
        sources=facts.group_by("source").len().sort("source").rows(),
    )
