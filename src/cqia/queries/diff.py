"""diff: what two runs did differently: their inputs and recipes, and the fate of every record."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import polars as pl

from cqia import ledger, store
from cqia.errors import UserError

FATES = {"id": pl.String, "source": pl.String, "fate": pl.String, "text": pl.UInt64}


class Difference(NamedTuple):
    """How run B differs from run A.

    settings: what, a, b: manifest entries that differ.
    counts: source, a, b (records at the end), gained, lost, changed (same id, other text).
    records: id, source, a, b (fates; null: the run never read it), text (whether it changed).
    """

    settings: pl.DataFrame
    counts: pl.DataFrame
    records: pl.DataFrame


def diff(a: Path, b: Path) -> Difference:
    """Compare two working folders record by record.

    Raises:
        UserError: nothing was curated in one of them.
    """
    both = _fates(a).join(_fates(b), on=["id", "source"], how="full", coalesce=True, suffix="_b")
    rows = both.rename({"fate": "a", "fate_b": "b"}).with_columns(
        changed=(pl.col("text") != pl.col("text_b")).fill_null(False)
    )
    kept_a = (pl.col("a") == "kept").fill_null(False)
    kept_b = (pl.col("b") == "kept").fill_null(False)
    counts = rows.group_by("source").agg(
        kept_a=kept_a.sum(),
        kept_b=kept_b.sum(),
        gained=(kept_b & ~kept_a).sum(),
        lost=(kept_a & ~kept_b).sum(),
        changed=(pl.col("changed") & kept_a & kept_b).sum(),
    )
    unlike = pl.col("a").ne_missing(pl.col("b")) | (pl.col("changed") & kept_a & kept_b)
    records = rows.filter(unlike).select("id", "source", "a", "b", "changed").sort("source", "id")
    settings = _settings(a, b)
    return Difference(settings, counts.sort("source"), records)


def _fates(work: Path) -> pl.DataFrame:
    """Every record's end: kept, or the rule that dropped it; and a hash of a kept record's text."""
    text = pl.concat_str("instruction", "input", "output", separator="\x1f").hash()
    kept = ledger.scan_all(work, "kept").select("id", "source", fate=pl.lit("kept"), text=text)
    dropped = ledger.scan_all(work, "dropped").select("id", "source", fate="rule", text=text)
    frame = pl.concat([kept, dropped]).collect()
    if store.manifest(work / "dedup"):
        gone = pl.read_parquet(work / "dedup" / "dropped.parquet", columns=["id", "rule"])
        frame = frame.join(gone, on="id", how="left", maintain_order="left")
        frame = frame.with_columns(fate=pl.coalesce("rule", "fate")).drop("rule")
    return frame.select(*FATES)


def _settings(a: Path, b: Path) -> pl.DataFrame:
    rows = []
    for place in sorted({*_manifests(a), *_manifests(b)}):
        left, right = store.manifest(a / place) or {}, store.manifest(b / place) or {}
        for key in sorted({*left, *right} - {"fingerprint"}):
            if left.get(key) != right.get(key):
                rows += _unlike(f"{place}: {key}", left.get(key), right.get(key))
    return pl.DataFrame(
        rows, schema={"what": pl.String, "a": pl.String, "b": pl.String}, orient="row"
    )


def _manifests(work: Path) -> list[str]:
    if not work.is_dir():
        raise UserError("no such folder", where=str(work), mend="name a working folder")
    return [str(path.parent.relative_to(work)) for path in work.glob("**/manifest.json")]


def _unlike(what: str, left: object, right: object) -> list[tuple[str, str, str]]:
    """The entries that differ: tables key by key, lists by what only one of them has."""
    if isinstance(left, dict) and isinstance(right, dict):
        keys = [key for key in dict.fromkeys([*left, *right]) if left.get(key) != right.get(key)]
        return [(f"{what}.{key}", _said(left.get(key)), _said(right.get(key))) for key in keys]
    if isinstance(left, list) and isinstance(right, list):
        only = [one for one in left if one not in right], [one for one in right if one not in left]
        return [(what, _said(only[0]), _said(only[1]))]
    return [(what, _said(left), _said(right))]


def _said(value: object) -> str:
    return "" if value is None else str(value)
