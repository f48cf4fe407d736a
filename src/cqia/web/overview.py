"""The overview: where every record of the run went."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cqia import store
from cqia.web.flow import Flow, drawn
from cqia.web.page import desk, page, person

router = APIRouter()

STAGES = ("curate", "dedup", "assemble")


@router.get("/")
def overview(request: Request) -> Response:
    """The funnel as a flow, each band a way to its records."""
    person(request)
    here = desk(request)
    facts = here.search.facts
    counts = facts.group_by("source", "rule").len().sort("source", "rule")
    of: dict[str, str] = {}
    for stage in STAGES:
        for path in sorted((here.work / stage).glob("**/manifest.json")):
            rules = (store.manifest(path.parent) or {}).get("rules", {})
            of |= {rule: stage for rule in rules if rule not in of}
    flows = [
        Flow(str(source), str(rule), "" if rule == "kept" else of.get(str(rule), "curate"), count)
        for source, rule, count in counts.iter_rows()
    ]
    ran = [stage for stage in STAGES if stage == "curate" or (here.work / stage).exists()]
    rules = counts.group_by("rule").agg(n=("len")).sort("rule")
    return page(
        request,
        "overview",
        picture=drawn(flows, ran),
        total=len(facts),
        kept=sum(one.n for one in flows if not one.stage),
        table=facts.group_by("rule").len().sort("len", descending=True).rows(),
        sources=facts.group_by("source").len().sort("source").rows(),
        rules=len(rules),
    )
