"""What a statement tells of itself: its plan before it is played, its manifest afterwards."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import polars as pl

from cqia import store
from cqia.errors import UserError
from cqia.llm.models import affordable
from cqia.llm.models import named as model_named
from cqia.rows import Row, Variant, benchmark_of, items, rows, state_file
from cqia.stages.evaluate import forecast
from cqia.statement import Measure, Statement


def summary(
    work: Path, statement: Statement, every: list[Row], bases: dict[str, Path], name: str
) -> store.Facts:
    """The statement's manifest: what the report tells of it."""
    states = [store.read_json(state_file(work, row)) for row in every]
    return {
        "stage": "statement",
        "name": name,
        "seeds": list(statement.seeds),
        "amount": statement.amount,
        "unit": statement.unit,
        "tuning": asdict(statement.tuning),
        "bases": [_told_base(bases[one.name], one.name, one.preset) for one in statement.bases],
        "subsets": _told_subsets(every, states),
        "benchmarks": [_told_measure(work, one, every) for one in statement.measures],
        "cells": states,
        "proxy": all((bases[one.name].parent / "loss.parquet").exists() for one in statement.bases),
    }


def _told_base(path: Path, name: str, preset: str) -> store.Facts:
    facts = store.manifest(path.parent) or store.manifest(path) or {}
    kept = ("parameters", "proxy", "licence", "vocabulary", "tokens_seen", "template", "origins")
    return {"name": name, "preset": preset, **{k: facts[k] for k in kept if k in facts}}


def _told_subsets(every: list[Row], states: list[store.Facts]) -> list[store.Facts]:
    found: dict[str, store.Facts] = {}
    for row, state in zip(every, states, strict=True):
        if row.subset and row.subset.name not in found and state["state"] == "done":
            draw = state["draw"]
            found[row.subset.name] = {
                "name": row.subset.name,
                "sources": list(row.subset.sources) or [one for one, _ in row.subset.weights],
                "weights": dict(row.subset.weights),
                "control": row.subset.control,
                "kind": row.subset.kind,
                "records": draw["records"],
                "tokens": state["trained_tokens"],
                "writer_family": state["writer_family"],
                "short": any(one.get("short") for one in draw["draws"]),
            }
    return list(found.values())


def _told_measure(work: Path, measure: Measure, every: list[Row]) -> store.Facts:
    first = Variant(measure, *(one[0] if one else "" for one in (measure.judges, measure.against)))
    folders = (work / "evaluate" / row.place / first.place for row in every)
    facts = next((found for one in folders if (found := store.manifest(one))), {})
    kept = ("version", "setting", "metric", "unit", "scale", "direction", "judge", "judge_family")
    told = {k: facts[k] for k in kept if k in facts}
    names = {"name": measure.name, "benchmark": measure.benchmark, "judges": list(measure.judges)}
    return {**names, "against": list(measure.against), "n": facts.get("n"), **told}


def plan(work: Path, statement: Statement, sources: list[str]) -> pl.DataFrame:
    """What playing would take, without training or asking anything: a line a kind of work."""
    every = rows(statement, sources)
    tuned = sum(row.subset is not None for row in every)
    lines = [("rows", f"{len(every)}: {tuned} to train, {len(every) - tuned} as they are")]
    for measure in statement.measures:
        try:
            count = len(items(work, measure, benchmark_of(measure)))
        except UserError as fault:
            lines.append((measure.name, fault.what))
            continue
        judged = f", judged by {' and '.join(measure.judges)}" if measure.judges else ""
        lines.append((measure.name, f"{count} items a row, {count * len(every)} in all{judged}"))
        for judge in measure.judges:
            lines.append((f"{measure.name}@{judge}", _cost(work, statement, measure, judge, every)))
    return pl.DataFrame(lines, schema=["what", "amount"], orient="row")


def _cost(work: Path, statement: Statement, measure: Measure, judge: str, every: list[Row]) -> str:
    from cqia.llm.scripted import Scripted

    found, bench = model_named(judge, statement.models), benchmark_of(measure)
    ahead = forecast(
        benchmark=bench,
        items=items(work, measure, bench),
        model=Scripted(),
        cache=work / "replies.sqlite",
        judge_price=affordable(found, None),
    )
    price = "price not known"
    if found.price:
        price = f"{ahead['cost_at_most'] * len(every):.2f} {found.price.currency} at most"
    return f"{ahead['judge_requests'] * len(every)} requests at most, {price}"
