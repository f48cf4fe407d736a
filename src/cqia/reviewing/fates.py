"""The stages on a record's way, and which of them each rule that turned records away belongs to."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cqia import store
from cqia.decisions import CONFIRMED, FAILED, REJECTED, RULE

KEPT = "kept"
STAGES = ("curate", "dedup", "score", "review", "assemble")
"""What a record passes on its way; score and review are what assemble left out for their sake."""
AFTER = {"dedup": "dropped.parquet", "assemble": "left.parquet"}
"""Stage -> where it says which records it left out."""
_FOR = {
    "Score": "score", "Unscored": "score", RULE: "review", CONFIRMED: "review",
    REJECTED: "review", FAILED: "review",
}  # fmt: skip
"""The beginning of a rule of assemble -> the stage that it is for."""


def stages_of(work: Path, rules: pl.Series) -> dict[str, str]:
    """The stage of every rule that turned a record away."""
    found: dict[str, str] = {}
    for stage in (STAGES[0], *AFTER):
        for path in sorted((work / stage).glob("**/manifest.json")):
            for rule in (store.manifest(path.parent) or {}).get("rules", {}):
                own = _FOR.get(rule.partition(".")[0]) if stage == STAGES[-1] else None
                found.setdefault(rule, own or stage)
    seen = rules.cast(pl.String).unique().sort()
    return {rule: found.get(rule, STAGES[0]) for rule in seen if rule != KEPT}
