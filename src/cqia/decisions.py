"""What people decided of records, in the ledger.

    work/review/decisions.parquet   a row a record that somebody decided
    work/review/checks.parquet      a row a pair that somebody confirmed or refuted

Nothing that curate or dedup kept or dropped is changed. The decisions are put in where records are
read for a dataset: a record that a rule turned away comes back with its cleaned text, one that was
kept can be turned away (rule `Reviewed`), and a text mended by hand stands in place of the old one.
Checked pairs are decisions too: a record in which a benchmark's item was confirmed goes (rule
`ConfirmedContamination.NAME`); one that was dropped only for pairs that people refuted comes back.
Both are keyed by ids, and checks are laid over the pairs that the last search found, so they
survive every run that reads the same raw items.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from cqia import store
from cqia.errors import UserError
from cqia.record import TEXT

DECISIONS: dict[str, pl.DataType] = {
    "id": pl.String(),
    "source": pl.String(),
    "verdict": pl.String(),
    "verified": pl.Boolean(),
    "reason": pl.String(),
    "rule": pl.String(),
    "by": pl.String(),
    "raters": pl.Int64(),
    **{f"new_{name}": pl.String() for name in TEXT},
}
"""Columns of decisions.parquet.

verdict: keep (it may stand, unless a rule turns it away), restore (it is in, whatever rule turned
it away), or drop. rule: what a dropped record is left out by. verified: a person read it and let it
stand, as it is or mended. by: whose decision it is, names joined by `、`; raters: how many. new_…:
the mended text, null where it stays.
"""

VERDICTS = ("keep", "restore", "drop")

QUEUE = Path("review") / "decisions.parquet"
"""Where they stand in a working folder."""

CHECKS: dict[str, pl.DataType] = {
    "kind": pl.String(),
    "a": pl.String(),
    "b": pl.String(),
    "verdict": pl.String(),
    "by": pl.String(),
}
"""Columns of checks.parquet.

kind: `near`, or a benchmark's name. a, b: two records' ids, or a record's and an item's place.
verdict: same (confirmed) or different (refuted).
"""

CHECKED = Path("review") / "checks.parquet"
NEAR = "near"
"""The kind of a pair of near-duplicates; every other kind is a benchmark's name."""

RULE = "Reviewed"
"""The rule that a record turned away by hand is left out by."""
CONFIRMED = "ConfirmedContamination"
"""The rule, with a benchmark's name, of a record in which a person saw one of its items."""

REJECTED = "RejectedSource"
"""The rule of a record whose source a safety assessment rejected."""
FAILED = "SafetyFailed"
"""The rule of a record that people failed in a safety assessment."""


def read(work: Path) -> pl.DataFrame:
    """The decisions of a working folder, checked pairs included; none where nobody reviewed.

    Raises:
        UserError: a file is not one of ours.
    """
    return _joined(_table(work / QUEUE, DECISIONS, VERDICTS), of_pairs(work, checks(work)))


def checks(work: Path) -> pl.DataFrame:
    """The pairs that people confirmed or refuted: `CHECKS`.

    Raises:
        UserError: the file is not one of ours.
    """
    return _table(work / CHECKED, CHECKS, ("same", "different"))


def _table(path: Path, schema: dict[str, pl.DataType], verdicts: Sequence[str]) -> pl.DataFrame:
    if not path.exists():
        return pl.DataFrame(schema=schema)
    found = pl.read_parquet(path)
    whole = dict(found.schema) == schema
    keys = ["id"] if "id" in schema else ["kind", "a", "b"]
    whole = whole and not found.select(keys).is_duplicated().any()
    if not whole or not found["verdict"].is_in(verdicts).all():
        raise UserError(
            "this is no table of decisions", where=str(path), mend="run: cqia review decisions"
        )
    return found


def _joined(own: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Decisions of records and of pairs, a row a record.

    Who says of a record that it goes, or that it is in whatever rule turned it away, is heard
    before what was said of its pairs; who let it stand has not looked at pairs, and is not.
    """
    if pairs.is_empty():
        return own
    kept = own.filter(verdict="keep").join(pairs.select("id"), on="id", how="semi")
    said = own.join(kept.select("id"), on="id", how="anti")
    pairs = pairs.join(said.select("id"), on="id", how="anti")
    told = kept.select("id", *(f"new_{name}" for name in TEXT), was=pl.col("verified"))
    blank = {f"new_{name}" for name in TEXT}
    pairs = pairs.drop(blank).join(told, on="id", how="left", maintain_order="left")
    verified = pl.col("was").fill_null(False) & (pl.col("verdict") != "drop")
    pairs = pairs.with_columns(verified=verified).select(*DECISIONS)
    return pl.concat([said, pairs]).sort("id")


def of_pairs(work: Path, checked: pl.DataFrame) -> pl.DataFrame:
    """What checked pairs come to, as `DECISIONS`."""
    if checked.is_empty():
        return pl.DataFrame(schema=DECISIONS)
    found = [_contaminated(checked), _uncontaminated(work, checked), _undoubled(work, checked)]
    frame = pl.concat([pl.DataFrame(schema=DECISIONS), *found], how="diagonal")
    # A record that a benchmark's item stands in goes, whatever else was refuted of it.
    frame = frame.sort(pl.col("verdict") != "drop", "id", maintain_order=True)
    return frame.unique("id", keep="first", maintain_order=True)


def _contaminated(checked: pl.DataFrame) -> pl.DataFrame:
    hit = checked.filter(pl.col("kind") != NEAR, verdict="same").sort("kind", "a", "b")
    return hit.group_by("a", maintain_order=True).agg(
        verdict=pl.lit("drop"),
        rule=pl.format(f"{CONFIRMED}.{{}}", pl.col("kind").first()),
        reason=pl.format("holds {}", pl.col("b").first()),
        **_by(),
    ).rename({"a": "id"})  # fmt: skip


def _by() -> dict[str, pl.Expr]:
    names = pl.col("by").unique().sort()
    return {"by": names.str.join("、"), "raters": names.len().cast(pl.Int64)}


def _uncontaminated(work: Path, checked: pl.DataFrame) -> pl.DataFrame:
    """Records that dedup dropped for a benchmark of which people refuted every hit in them."""
    found = [pl.DataFrame(schema=DECISIONS)]
    no = checked.filter(pl.col("kind") != NEAR, verdict="different")
    for (kind,), refuted in no.group_by("kind", maintain_order=True):
        path = work / "dedup" / "contamination" / f"{kind}.parquet"
        if not path.exists():
            continue
        hits = pl.read_parquet(path, columns=["id", "item"]).rename({"id": "a", "item": "b"})
        hits = hits.join(refuted.select("a", "b", "by"), on=["a", "b"], how="left")
        told = hits.group_by("a").agg(whole=pl.col("by").is_not_null().all(), **_by())
        gone = _dropped(work).filter(rule=f"Contamination.{kind}")
        back = told.filter("whole").rename({"a": "id"}).join(gone.select("id", "source"), on="id")
        said = pl.lit(f"no item of {kind}")
        found.append(
            back.select("id", "source", "by", "raters", verdict=pl.lit("restore"), reason=said)
        )
    return pl.concat(found, how="diagonal").sort("id")


def _undoubled(work: Path, checked: pl.DataFrame) -> pl.DataFrame:
    """Near-duplicates that nothing links any more to a record that stays.

    Without the refuted pairs a group may fall apart. A piece in which nobody stays gets its first
    record back; a record that other pairs still link to one that stays remains its duplicate.
    """
    no = checked.filter(kind=NEAR, verdict="different")
    blank = pl.DataFrame(schema=DECISIONS)
    if no.is_empty() or not (work / "dedup" / "pairs.parquet").exists():
        return blank
    groups = pl.read_parquet(work / "dedup" / "groups.parquet")
    mine = groups.filter(pl.col("id").is_in(pl.concat([no["a"], no["b"]]).implode()))["group"]
    groups = groups.filter(pl.col("group").is_in(mine.implode()))
    pairs = pl.read_parquet(work / "dedup" / "pairs.parquet", columns=["a", "b"])
    pairs = pairs.filter(pl.col("a").is_in(groups["id"].implode()))
    refuted = {frozenset(pair) for pair in no.select("a", "b").iter_rows()}
    links = [pair for pair in pairs.iter_rows() if frozenset(pair) not in refuted]
    dropped = _dropped(work).filter(rule="NearDuplicate")
    gone = dict(dropped.join(groups, on="id", how="semi").select("id", "source").iter_rows())
    pieces: dict[str, list[str]] = {}
    for id_, end in zip(groups["id"], _ends(groups["id"], links), strict=True):
        pieces.setdefault(end, []).append(id_)
    rows = []
    for piece in pieces.values():
        if all(one in gone for one in piece):
            about = no.filter(pl.col("a").is_in(piece) | pl.col("b").is_in(piece))
            others = sorted({*about["a"], *about["b"]} - set(piece))
            names = about["by"].unique().sort()
            rows.append(
                {"id": piece[0], "source": gone[piece[0]], "verdict": "restore",
                 "reason": "no duplicate of " + "、".join(others), "by": "、".join(names),
                 "raters": len(names)}
            )  # fmt: skip
    return pl.concat(
        [blank, pl.DataFrame(rows, schema_overrides={"raters": pl.Int64})], how="diagonal"
    )


def _ends(ids: pl.Series, links: Sequence[tuple[str, str]]) -> list[str]:
    """A name for the piece that each id is in: ids that links connect have the same."""
    up = {one: one for one in ids}

    def top(one: str) -> str:
        while up[one] != one:
            up[one] = up[up[one]]
            one = up[one]
        return one

    for a, b in links:
        up[top(a)] = top(b)
    return [top(one) for one in ids]


def _dropped(work: Path) -> pl.DataFrame:
    path = work / "dedup" / "dropped.parquet"
    if not path.exists():
        return pl.DataFrame(schema={name: pl.String for name in ("id", "source", "rule")})
    return pl.read_parquet(path, columns=["id", "source", "rule"])


def mark(decided: pl.DataFrame) -> str:
    """A hash of the decisions; empty where there are none."""
    return store.fingerprint({"rows": decided.sort("id").rows()}) if len(decided) else ""


def returned(decided: pl.DataFrame) -> pl.Series:
    """The ids that are to be in whatever rule turned them away."""
    return decided.filter(verdict="restore")["id"]


def records(part: Path, decided: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """A part's kept records, and those that people brought back, with the texts they mended."""
    kept = pl.read_parquet(part / "kept.parquet", columns=list(columns))
    if decided.is_empty():
        return kept
    back = pl.col("id").is_in(returned(decided).implode())
    dropped = pl.scan_parquet(part / "dropped.parquet").filter(back).select(columns).collect()
    return mended(pl.concat([kept, dropped]), decided)


def mended(records: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    """Records with the texts that people mended, and marked as verified where they are."""
    columns = records.columns
    told = decided.select("id", "verified", *(f"new_{name}" for name in TEXT))
    joined = records.join(told, on="id", how="left", maintain_order="left")
    changed = [
        pl.coalesce(f"new_{name}", name).alias(name) for name in TEXT if name in records.columns
    ]
    if "human_verified" in records.columns:
        changed.append(pl.col("human_verified") | pl.col("verified").fill_null(False))
    return joined.with_columns(changed).select(columns)


def without_rejected(
    table: pl.DataFrame, decided: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records that people let stand, and those they turned away: id, source, rule, bound."""
    drops = decided.filter(verdict="drop").select("id", rule=pl.col("rule").fill_null(RULE))
    left = table.join(drops, on="id", how="inner", maintain_order="left").select(
        "id", pl.col("source").cast(pl.String), "rule", bound=pl.lit(None, pl.Float64)
    )
    return table.join(drops, on="id", how="anti", maintain_order="left"), left


def unsafe(work: Path) -> tuple[list[str], list[str]]:
    """The sources that `cqia safety` rejected, and the ids of the records that failed it.

    Raises:
        UserError: no assessment was made.
    """
    facts = store.manifest(work / "safety")
    if facts is None:
        raise UserError(
            "no safety assessment was made here",
            where=str(work),
            mend=f"run: cqia safety --work {work}",
        )
    return facts["rejected"], facts["failed"]


def without_unsafe(
    table: pl.DataFrame, sources: Sequence[str], failed: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records that a safety assessment lets stand, and the others with their rule."""
    bad = pl.col("source").cast(pl.String).is_in(sources)
    rule = pl.when(bad).then(pl.lit(REJECTED)).when(pl.col("id").is_in(failed)).then(pl.lit(FAILED))
    told = table.with_columns(rule=rule)
    left = told.filter(pl.col("rule").is_not_null()).select(
        "id", pl.col("source").cast(pl.String), "rule", bound=pl.lit(None, pl.Float64)
    )
    return told.filter(pl.col("rule").is_null()).drop("rule"), left
