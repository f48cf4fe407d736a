"""What it took: requests, tokens, money and seconds of every stage that tells of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from cqia import store

COLUMNS: dict[str, pl.DataType] = {
    "stage": pl.String(),
    "name": pl.String(),
    "model": pl.String(),
    "requests": pl.Int64(),
    "tokens": pl.Int64(),
    "cost": pl.Float64(),
    "currency": pl.String(),
    "seconds": pl.Float64(),
}


def costs(work: Path, statement: store.Facts) -> pl.DataFrame:
    """A row a judge of records, a base trained, and a benchmark evaluated; null: not told."""
    rows = [*_asked(work), *_trained(work, statement), *_evaluated(work)]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _asked(work: Path) -> list[dict[str, Any]]:
    rows = []
    for path in sorted((work / "score").glob("*/manifest.json")):
        facts = store.read_json(path)
        frames = [
            pl.read_parquet(part, columns=["prompt_tokens", "reply_tokens"])
            for part in sorted(path.parent.glob("*/scores.parquet"))
        ]
        tokens = pl.concat(frames).sum_horizontal().sum() if frames else None
        states = facts.get("states", {})
        rows.append(
            {
                "stage": "score",
                "name": path.parent.name,
                "model": facts.get("model"),
                "requests": sum(n for state, n in states.items() if state not in _SILENT),
                "tokens": tokens,
                "cost": facts.get("cost"),
                "currency": (facts.get("price") or {}).get("currency"),
            }
        )
    return rows


_SILENT = ("unsent", "unasked")


def _trained(work: Path, statement: store.Facts) -> list[dict[str, Any]]:
    rows = []
    trained = [one for one in statement.get("cells", []) if one.get("subset")]
    for base in sorted({str(one.get("base")) for one in trained}):
        mine = [one for one in statement["cells"] if one.get("base") == base and one.get("subset")]
        paths = [work / str(one.get("folder") or "-") / "timing.json" for one in mine]
        rows.append(
            {
                "stage": "train",
                "name": f"{len(mine)} rows",
                "model": base,
                "tokens": sum(int(one.get("trained_tokens") or 0) for one in mine),
                "seconds": _seconds(paths),
            }
        )
    return rows


def _evaluated(work: Path) -> list[dict[str, Any]]:
    found: dict[str, list[Path]] = {}
    for path in sorted((work / "evaluate").glob("*/*/*/*/manifest.json")):
        found.setdefault(path.parent.name, []).append(path)
    rows = []
    for name, paths in found.items():
        facts = [store.read_json(path) for path in paths]
        timings = [path.with_name("timing.json") for path in paths]
        told = [store.read_json(path) for path in timings if path.is_file()]
        spent = [float(one["cost"]) for one in told if one.get("cost") is not None]
        rows.append(
            {
                "stage": "evaluate",
                "name": name,
                "model": "、".join(sorted({str(one.get("judge") or "") for one in facts} - {""})),
                "requests": sum(int(one.get("n") or 0) for one in facts),
                "cost": sum(spent) if spent and _currency(facts) else None,
                "currency": _currency(facts),
                "seconds": _seconds(timings),
            }
        )
    return rows


def _currency(facts: list[store.Facts]) -> str | None:
    for one in facts:
        for price in (one.get("prices") or {}).values():
            if price.get("prompt") or price.get("reply"):
                return str(price.get("currency"))
    return None


def _seconds(paths: list[Path]) -> float | None:
    """The seconds that are told of; null: none are."""
    told = [store.read_json(path).get("seconds") for path in paths if path.is_file()]
    known = [float(one) for one in told if one is not None]
    return sum(known) if known else None
