"""What a report is made of: everything found in a working folder, and what is missing there.

Nothing is needed but curate: a part that was not run is missing, is told in one line with the
command that makes it, and takes nothing else with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from cqia import store
from cqia.record import TEXT
from cqia.reporting.both import Both

CELLS: dict[str, pl.DataType] = {
    "base": pl.String(),
    "subset": pl.String(),
    "benchmark": pl.String(),
    "group": pl.String(),
    "direction": pl.String(),
    "seeds": pl.Int64(),
    "items": pl.Int64(),
    "read": pl.Int64(),
    "unreadable": pl.Int64(),
    "failed": pl.Int64(),
    "mean": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
    "seed_sd": pl.Float64(),
    "difference": pl.Float64(),
    "difference_low": pl.Float64(),
    "difference_high": pl.Float64(),
    "simultaneous_low": pl.Float64(),
    "simultaneous_high": pl.Float64(),
    "p": pl.Float64(),
    "p_adjusted": pl.Float64(),
    "detectable": pl.Float64(),
    "rank": pl.Int64(),
    "n_paired": pl.Int64(),
    "unsent": pl.Int64(),
    "unasked": pl.Int64(),
    "absent": pl.Int64(),
    "groups": pl.Int64(),
    "all_groups": pl.Int64(),
    "variance": pl.String(),
    "verdict": pl.String(),
}
"""The columns of `cells.parquet` that a report reads; one that is absent counts as all null."""


SCRIPTED = "scripted"
"""The family of models that only play one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What was found below `work`."""

    work: Path
    statement: store.Facts = field(default_factory=dict)
    cells: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CELLS))
    outcomes: pl.DataFrame | None = None
    pairs: pl.DataFrame | None = None
    kinship: pl.DataFrame | None = None
    ranking: pl.DataFrame | None = None
    attribution: dict[str, pl.DataFrame] = field(default_factory=dict)
    """attribute's tables: without, pairs, effects, mixtures."""
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)
    """describe's tables: sources, lengths, funnel."""
    records: pl.DataFrame | None = None
    """A row a described record, without texts: source, prompt, output (lengths), major, minor."""
    evaluations: dict[str, store.Facts] = field(default_factory=dict)
    """Of every benchmark the manifest of one of its evaluations."""
    scripted: frozenset[str] = frozenset()
    """Benchmarks that a scripted model took part in: their numbers mean nothing."""
    missing: tuple[Both, ...] = ()

    @property
    def proxy(self) -> bool:
        """Whether the bases are small ones made on the spot."""
        return bool(self.statement.get("proxy"))

    def is_proxy(self, base: str) -> bool:
        """Whether a base is a small one made on the spot."""
        return self.proxy or bool(self.facts_of("bases", base).get("proxy"))

    @property
    def bases(self) -> list[str]:
        """The base models, in the statement's order."""
        told = [str(one["name"]) for one in self.statement.get("bases", [])]
        return _ordered(told, self.cells["base"])

    @property
    def subsets(self) -> list[str]:
        """The rows, in the statement's order, the untuned base first."""
        told = ["", *(str(one["name"]) for one in self.statement.get("subsets", []))]
        return _ordered(told, self.cells["subset"])

    @property
    def benchmarks(self) -> list[str]:
        """The benchmarks, in the statement's order."""
        told = [str(one["name"]) for one in self.statement.get("benchmarks", [])]
        return _ordered(told, self.cells["benchmark"])

    def facts_of(self, kind: str, name: str) -> store.Facts:
        """What the statement says of one of its bases, subsets or benchmarks."""
        for one in self.statement.get(kind, []):
            if one.get("name") == name:
                found: store.Facts = one
                return found
        return {}

    def folders(self, base: str, subset: str, benchmark: str) -> list[str]:
        """The folders, below work, that a cell's numbers come from: one a seed."""
        root = self.work / "evaluate" / base
        known = {one for one in self.subsets if one}
        found = sorted(path for path in root.glob("*/*/*") if _measured(path) == benchmark)
        names = [(path, path.parent.parent.name) for path in found]
        mine = [path for path, name in names if (name == subset if subset else name not in known)]
        return [path.relative_to(self.work).as_posix() for path in mine]


def _measured(folder: Path) -> str:
    """The benchmark of an evaluation's folder, BENCHMARK or BENCHMARK@JUDGE."""
    return folder.name.partition("@")[0]


def _ordered(told: list[str], found: pl.Series) -> list[str]:
    """The names that are there: first those told of, in that order, then the others."""
    here = found.unique(maintain_order=True).to_list()
    return [one for one in told if one in here] + [one for one in here if one not in told]


def gather(work: Path) -> Material:
    """Read what stands in a working folder."""
    compare, missing = work / "compare", []
    statement = store.manifest(work / "statement") or {}
    cells = _frame(compare / "cells.parquet")
    if not statement:
        missing.append(
            _missing("实验陈述（训练与评测）", "statement", f"cqia run FILE.toml --work {work}")
        )
    if cells is None:
        missing.append(_missing("比较", "comparison", f"cqia compare --work {work}"))
    outcomes = _frame(work / "statement" / "outcomes.parquet")
    tables = {}
    for name in ("sources", "lengths", "funnel"):
        path = work / "describe" / f"{name}.json"
        if path.is_file():
            tables[name] = pl.read_json(path, infer_schema_length=None)
    if not tables:
        missing.append(
            _missing("来源表与漏斗", "source table, funnel", f"cqia describe --work {work}")
        )
    evaluations = _evaluations(work)
    return Material(
        work=work,
        statement=statement,
        cells=_shaped(cells) if cells is not None else pl.DataFrame(schema=CELLS),
        outcomes=outcomes,
        pairs=_frame(compare / "pairs.parquet"),
        kinship=_frame(compare / "kinship.parquet"),
        ranking=_frame(compare / "ranking.parquet"),
        attribution={
            path.stem: pl.read_parquet(path)
            for path in sorted((work / "attribute").glob("*.parquet"))
        },
        tables=tables,
        records=described(work) if tables else None,
        evaluations={name: found[0] for name, found in evaluations.items()},
        scripted=frozenset(name for name, found in evaluations.items() if _scripted(found)),
        missing=tuple(missing),
    )


def _evaluations(work: Path) -> dict[str, list[store.Facts]]:
    """The manifests of each benchmark's evaluations."""
    found: dict[str, list[store.Facts]] = {}
    for path in sorted((work / "evaluate").glob("*/*/*/*/manifest.json")):
        found.setdefault(_measured(path.parent), []).append(store.read_json(path))
    return found


def _scripted(found: list[store.Facts]) -> bool:
    names = ("family", "judge_family", "rival_family")
    return any(one.get(name) == SCRIPTED for one in found for name in names)


def described(work: Path) -> pl.DataFrame | None:
    """A small row for every record of the dataset, as far as it got: no texts."""
    size = {name: pl.col(name).str.len_chars().cast(pl.Int64) for name in TEXT}
    paths = sorted((work / "curate").glob("*/*/kept.parquet"))
    if not paths:
        return None
    wanted = ["id", "source", "task_major", "task_minor", *TEXT]
    rows = [
        pl.read_parquet(path, columns=wanted).select(
            "id",
            pl.col("source").cast(pl.String),
            prompt=size["instruction"] + size["input"].fill_null(0),
            output=size["output"],
            major=pl.col("task_major").list.first().fill_null(""),
            minor=pl.col("task_minor").list.join("+").fill_null(""),
        )
        for path in paths
    ]
    kept = pl.concat(rows)
    chosen, gone = work / "assemble" / "chosen.parquet", work / "dedup" / "dropped.parquet"
    if chosen.is_file():
        ids = pl.read_parquet(chosen, columns=["id"])
        return kept.join(ids, on="id", how="semi", maintain_order="left")
    if gone.is_file():
        ids = pl.read_parquet(gone, columns=["id"])
        return kept.join(ids, on="id", how="anti", maintain_order="left")
    return kept


def _missing(zh: str, en: str, command: str) -> Both:
    return Both(f"没有{zh}：运行 {command}", f"no {en}: run {command}")


def _frame(path: Path) -> pl.DataFrame | None:
    return pl.read_parquet(path) if path.is_file() else None


def _shaped(cells: pl.DataFrame) -> pl.DataFrame:
    """Cells with every column a report reads; what was not worked out is null."""
    absent = [pl.lit(None, kind).alias(name) for name, kind in CELLS.items() if name not in cells]
    return cells.with_columns(absent).select(
        pl.col(name).cast(kind) for name, kind in CELLS.items()
    )
