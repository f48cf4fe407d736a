"""Sources against what they hold: domains, near-duplicates of one another, defects, rights."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cqia import store

UNTOLD = ""
SILENT = r"(?i)^\s*$|\b(not|none|no licence|no license) stated\b|\bunknown\b|未说明|未注明|不详"
"""A text about a licence that tells none."""
OTHERS = "…"
NAMED = 24
"""Domains that a picture has room for."""


def domains(records: pl.DataFrame, *, most: int = 0) -> pl.DataFrame:
    """source, domain, records: a record counts once in each of its domains; none told: empty.

    Args:
        records: id, source, domain.
        most: the commonest domains that stand by name, the others together as `…`; 0: all.
    """
    each = pl.when(pl.col("domain").list.len() > 0).then("domain").otherwise(pl.lit([UNTOLD]))
    rows = records.select("id", "source", domain=each).explode("domain")
    rows = rows.with_columns(pl.col("domain").fill_null(UNTOLD))
    if most:
        told = rows.filter(pl.col("domain") != UNTOLD)["domain"].value_counts()
        best = told.sort("count", "domain", descending=[True, False]).head(most)["domain"]
        named = pl.col("domain").is_in([*best, UNTOLD])
        rows = rows.with_columns(domain=pl.when(named).then("domain").otherwise(pl.lit(OTHERS)))
    rows = rows.unique(["id", "domain"])
    counts = rows.group_by("source", "domain").agg(records=pl.len())
    return counts.sort("source", "records", "domain", descending=[False, True, False])


def alike(work: Path, sources: list[str]) -> pl.DataFrame | None:
    """source, other, pairs: near-duplicate pairs that dedup verified; None where it did not run.

    Each pair counts once, the source that comes first in the alphabet first.
    """
    path = work / "dedup" / "pairs.parquet"
    if store.manifest(work / "dedup") is None or not path.is_file():
        return None
    found = pl.read_parquet(path, columns=["a", "b"])
    wanted = pl.concat([found["a"], found["b"]]).unique()
    whose = pl.concat(
        [
            pl.read_parquet(part / "kept.parquet", columns=["id", "source"])
            .with_columns(pl.col("source").cast(pl.String))
            .filter(pl.col("id").is_in(wanted.implode()))
            for name in sources
            for part in store.parts(work / "curate" / name)
        ]
    ).unique("id")
    both = found.join(whose.rename({"id": "a", "source": "one"}), on="a")
    both = both.join(whose.rename({"id": "b", "source": "two"}), on="b")
    ends = both.select(
        source=pl.min_horizontal("one", "two"), other=pl.max_horizontal("one", "two")
    )
    return ends.group_by("source", "other").agg(pairs=pl.len()).sort("source", "other")


def defects(findings: pl.DataFrame, records: dict[str, int]) -> pl.DataFrame:
    """source, severity, kind, records, checked, share: findings of an audit of a file a source.

    Args:
        findings: `cqia audit`'s table; a file's name without its ending is the source's.
        records: how many records of each source were looked at.
    """
    name = pl.col("file").str.extract(r"([^/]+)\.jsonl$")
    counts = (
        findings.filter(pl.col("line") > 0)
        .group_by(name.alias("source"), pl.col("severity").cast(pl.String), "kind")
        .agg(records=pl.struct("line", "item").n_unique())
    )
    whole = pl.DataFrame(
        {"source": list(records), "checked": list(records.values())},
        schema={"source": pl.String, "checked": pl.Int64},
    )
    joined = counts.join(whole, on="source")
    rated = joined.with_columns(share=pl.col("records") / pl.col("checked"))
    return rated.sort("severity", "kind", "source").select(
        "source", "severity", "kind", "records", "checked", "share"
    )


def rights(records: pl.DataFrame, known: list[store.Facts]) -> pl.DataFrame:
    """A row a source: origin, licence, and records that tell neither licence nor owner."""
    rows = []
    for facts in known:
        mine = records.filter(source=facts["source"])
        without = pl.col("licence").fill_null("").str.contains(SILENT)
        nobody = pl.col("copyright").fill_null("").str.strip_chars() == ""
        said = mine["licence"].drop_nulls().unique().sort().to_list()
        rows.append(
            {
                "source": facts["source"],
                "title": facts["title"],
                "origin": facts["origin"],
                "licence": "、".join(one for one in said if one) or facts["licence"],
                "records": len(mine),
                "without_licence": mine.filter(without).height,
                "without_either": mine.filter(without & nobody).height,
            }
        )
    return pl.DataFrame(rows, infer_schema_length=None)
