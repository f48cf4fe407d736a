"""The overview: where every record of the run went."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cqia import decisions, store
from cqia.reviewing.fates import STAGES
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
    decided = decisions.read(here.work)
    said = dict(decided["verdict"].value_counts(name="n").iter_rows())
    chosen = store.manifest(here.work / "assemble")
    return page(
        request,
        "overview",
        picture=drawn(flows, _ran(here.work, flows)),
        said={name: said.get(name, 0) for name in decisions.VERDICTS},
        waiting=chosen is not None and chosen["reviewed"] != decisions.mark(decided),
        total=len(facts),
        kept=sum(one.n for one in flows if not one.stage),
        table=facts.group_by("rule").len().sort("len", "rule", descending=[True, False]).rows(),
        sources=facts.group_by("source").len().sort("source").rows(),
    )


def _ran(work: Path, flows: list[Flow]) -> list[str]:
    """The columns of the picture: scores where there are some, people where there is a dataset."""
    there = {"curate", *(one.stage for one in flows if one.stage)}
    there |= {stage for stage in ("dedup", "assemble") if store.manifest(work / stage)}
    if "assemble" in there:
        there |= {"review"} | ({"score"} if (work / "score").exists() else set())
    return [stage for stage in STAGES if stage in there]
