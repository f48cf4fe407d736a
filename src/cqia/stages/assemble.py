"""Assemble: which of the kept, undoubled records make the dataset, and in which split each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cqia import answers, candidates, decisions, ledger, store
from cqia.errors import UserError, unknown
from cqia.exporters.base import rows_in
from cqia.exporters.catalogue import EXPORTERS
from cqia.exporters.chosen import SPLITS, opened
from cqia.pool import sources_of
from cqia.sampling import UNITS, hold_out, lot, sample, shares
from cqia.selection.results import of_these, without_others
from cqia.thresholds import Threshold, below, prints
from cqia.workers import Progress

STRATA = (*candidates.LABELS, "task", "length", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """A wish: so much of a source, or of a family of sources."""

    source: str | None = None
    family: str | None = None
    amount: int | None = None
    """In the unit of the recipe; None: everything, or by `weight`."""
    weight: float | None = None
    """Its share, relative to the other weights, of what the amounts leave of the recipe's total."""
    stratify: str = "task_minor"
    """What a sample keeps the proportions of, beside the sources of a family: task_minor,
    task_major, domain, task (the collection's own, from the metadata), length (fifths of the
    source's outputs), or "" for nothing. That a sample keeps proportions is this project's choice;
    the paper says "random"."""
    temperature: float = 1.0
    """Above 1 the strata's shares are drawn together, so that a few huge tasks don't drown the
    small ones: `cqia.sampling.tempered`."""

    def __str__(self) -> str:
        if self.family:
            return f"family {self.family}"
        return f"source {self.source}" if self.source else "everything"


def assemble(
    *,
    work: Path,
    takes: Sequence[Take] = (),
    total: int | None = None,
    unit: str = "records",
    validation: float = 0.0,
    seed: int = 0,
    thresholds: Sequence[Threshold] = (),
    selection: str = "",
    writers: Sequence[str] = (),
    safety: bool = False,
    progress: Progress | None = None,
) -> store.Facts:
    """Choose the dataset's records and split them.

    Args:
        work: the working folder.
        takes: what is wanted; none: everything.
        total: size of the dataset in `unit`; with takes it is shared out by their weights.
        unit: records, or characters of instruction, input and output together. A sample of
            characters never exceeds its amount.
        validation: share of each source that is held out. Near-duplicates, answers to one question
            and records with the same prompt never stand on both sides.
        seed: of the sample and the split.
        thresholds: on what judges said of a record, before anything is sampled.
        selection: the name of a selection; after the thresholds, only what it took is left.
        writers: models whose drafted answers stand where a record has none; of several that
            answered, the first named.
        safety: whether what `cqia safety` rejected and what failed it stays out.
        progress: told of every part read.

    Returns:
        The manifest. A take that asks for more than there is gets all there is: `takes` says what
        each asked for, found and got.

    Raises:
        UserError: a take that can't be, that finds nothing, or that overlaps another; or a dedup
            older than what was curated since.
    """
    curated = {name: store.manifest(work / "curate" / name) or {} for name in ledger.curated(work)}
    _check(takes, total, unit, validation)
    pools = _pools(takes, {name: facts["family"] for name, facts in curated.items()})
    sources, _, ran = sources_of(work)
    decided = decisions.read(work)
    unsafe = decisions.unsafe(work) if safety else ([], [])
    facts: dict[str, Any] = {
        "stage": "assemble",
        "program": store.program(),
        "inputs": sources,
        "selection": selection and [selection, of_these(work, selection, sources)],
        "answers": answers.prints(work, writers),
        "reviewed": decisions.mark(decided),
        "unsafe": [sorted(one) for one in unsafe],
        "scores": prints(work, thresholds),
        "thresholds": [asdict(one) for one in thresholds],
        "writers": list(writers),
        "recipe": [asdict(take) for take in takes],
        "total": total,
        "unit": unit,
        "validation": validation,
        "seed": seed,
    }
    mark, folder = store.fingerprint(facts), work / "assemble"
    if done := store.finished(folder, mark):
        return done
    store.begin(folder, mark)
    kept = candidates.read(
        work, list(curated), prompts=validation > 0, writers=writers, decided=decided,
        progress=progress,
    )  # fmt: skip
    table, doubled = candidates.without_duplicates(work, kept, ran=ran, decided=decided)
    table = table.with_columns(lot(seed).alias("lot")).with_row_index("row")
    table, rejected = decisions.without_rejected(table, decided)
    table, banned = decisions.without_unsafe(table, *unsafe)
    table, copied, drafts = candidates.without_contaminated(work, table, writers, decided, folder)
    waiting = table.filter(pl.col("length") == 0)
    fit, low = below(work, table.filter(pl.col("length") > 0), thresholds)
    others = low.clear()
    if selection:
        fit, others = without_others(work, selection, fit)
    chosen, left, taken = _choose(fit, takes, pools, total, unit)
    left = pl.concat([left, low, others, candidates.unanswered(waiting), rejected, banned, copied])
    chosen = _split(work, chosen, validation, seed, ran=ran)
    told = chosen.select("id", "source", pl.col("part").cast(pl.String), "split", "writer")
    store.write_frame(folder / "chosen.parquet", told)
    store.write_frame(folder / "left.parquet", left)
    counts = candidates.counts(list(curated), kept, doubled, chosen, left)
    return store.seal(folder, mark, {**facts, **counts, "takes": taken, "drafted": drafts})


def _check(takes: Sequence[Take], total: int | None, unit: str, validation: float) -> None:
    """Raise what can't be in a recipe."""

    def fault(what: str, mend: str = "") -> UserError:
        return UserError(what, where="assemble", mend=mend)

    if unit not in UNITS:
        raise unknown("unit", unit, UNITS, where="assemble: unit")
    if not 0 <= validation < 1:
        raise fault(f"a validation share of {validation} can't be", "name one from 0 to below 1")
    if total is not None and total < 1:
        raise fault(f"a total of {total} can't be")
    for take in takes:
        if (take.source is None) == (take.family is None):
            raise fault("a take names either a source or a family")
        if take.stratify not in STRATA:
            raise unknown("column to stratify by", take.stratify, STRATA, where=f"assemble: {take}")
        if not 1 <= take.temperature < float("inf"):
            raise fault(f"{take}: a temperature is 1 or more")
        if take.temperature != 1 and unit != "records":
            raise fault(f"{take}: a temperature needs the unit records")
        if take.amount is not None and (take.amount < 1 or take.weight is not None):
            raise fault(f"{take}: an amount is 1 or more, and stands without a weight")
        if take.weight is not None and (total is None or not 0 < take.weight < float("inf")):
            raise fault(f"{take}: a weight is above 0, and needs the recipe's total")
        if total is not None and take.weight is None and take.amount is None:
            raise fault(f"{take}: with a total, a take needs a weight or an amount")
    if takes and total is not None:
        fixed = sum(take.amount or 0 for take in takes)
        weighted = any(take.weight is not None for take in takes)
        if fixed > total or (fixed < total and not weighted):
            raise fault(f"the takes' amounts are {fixed}, the total is {total}")


def _pools(takes: Sequence[Take], families: dict[str, str]) -> list[list[str]]:
    """The sources of each take; without takes one pool of all."""
    if not takes:
        return [list(families)]
    pools = []
    owner: dict[str, Take] = {}
    for take in takes:
        if take.source is not None and take.source not in families:
            raise unknown("source", take.source, families, where="assemble")
        if take.family is not None and take.family not in families.values():
            raise unknown("family", take.family, set(families.values()), where="assemble")
        pool = [name for name, family in families.items() if take.family in (None, family)]
        pool = [name for name in pool if take.source in (None, name)]
        for name in pool:
            if name in owner:
                raise UserError(
                    f"source {name} is wanted twice: by {owner[name]} and by {take}",
                    where="assemble",
                    mend="let one take name it",
                )
            owner[name] = take
        pools.append(pool)
    return pools


def _choose(
    table: pl.DataFrame,
    takes: Sequence[Take],
    pools: list[list[str]],
    total: int | None,
    unit: str,
) -> tuple[pl.DataFrame, pl.DataFrame, list[store.Facts]]:
    """The chosen, the left (id, source, rule, bound), and what became of each take.

    Raises:
        RuntimeError: chosen and left are not all candidates.
    """
    fifth = (pl.col("length").rank("ordinal") - 1).cast(pl.Int64) * 5 // pl.len()
    table = table.with_columns(length=fifth.over("source"))
    rows, bounds, told = [], [], []
    for take, pool, budget in zip(takes or [Take()], pools, _budgets(takes, total), strict=True):
        found = table.filter(pl.col("source").cast(pl.String).is_in(pool))
        available = len(found) if unit == "records" else int(found["characters"].sum())
        strata = ["source", take.stratify] if take.stratify else ["source"]
        wanted = available if budget is None else budget
        got = found["row"]
        if len(found):
            got = sample(
                found, budget=wanted, unit=unit, strata=strata, temperature=take.temperature
            )
        rows.append(got)
        bounds.append(found.select("row", bound=pl.lit(budget, pl.Float64)))
        characters = int(found.filter(pl.col("row").is_in(got.implode()))["characters"].sum())
        told.append(
            {
                "take": str(take),
                "asked": budget,
                "available": available,
                "taken": len(got) if unit == "records" else characters,
                "records": len(got),
                "characters": characters,
            }
        )
    taken = pl.concat(rows).implode()
    chosen = table.filter(pl.col("row").is_in(taken))
    left = table.filter(~pl.col("row").is_in(taken))
    left = left.join(pl.concat(bounds), on="row", how="left", maintain_order="left")
    wanted_at_all = pl.col("row").is_in(pl.concat(bounds)["row"].implode())
    rule = pl.when(wanted_at_all).then(pl.lit("NotSampled")).otherwise(pl.lit("NotTaken"))
    left = left.select("id", pl.col("source").cast(pl.String), rule.alias("rule"), "bound")
    if sum(map(len, rows)) != len(chosen) or len(chosen) + len(left) != len(table):
        raise RuntimeError("chosen and left are not all candidates")
    return chosen, left, told


def _budgets(takes: Sequence[Take], total: int | None) -> list[int | None]:
    """What each take may have; None: everything. Without takes one budget for everything."""
    if not takes:
        return [total]
    rest = (total or 0) - sum(take.amount or 0 for take in takes)
    weighted = [take for take in takes if take.weight is not None]
    by_weight = iter(shares(rest, [take.weight or 0.0 for take in weighted]) if weighted else [])
    return [next(by_weight) if take.weight is not None else take.amount for take in takes]


def _split(
    work: Path, chosen: pl.DataFrame, validation: float, seed: int, *, ran: bool
) -> pl.DataFrame:
    """The chosen with `split`."""
    if not validation:
        return chosen.with_columns(split=pl.lit(SPLITS[0]))
    ties = ["question", "prompt"]
    if ran:
        groups = pl.read_parquet(work / "dedup" / "groups.parquet")
        chosen = chosen.join(groups, on="id", how="left", maintain_order="left")
        ties.append("group")
    held = hold_out(chosen, share=validation, seed=seed, ties=ties)
    split = pl.when(held).then(pl.lit(SPLITS[1])).otherwise(pl.lit(SPLITS[0]))
    return chosen.with_columns(split.alias("split"))


def export(
    *,
    work: Path,
    folder: Path,
    formats: Sequence[str] = ("release",),
    progress: Progress | None = None,
) -> store.Facts:
    """Write the assembled dataset, each format into `folder/FORMAT`.

    Args:
        work: the working folder, in which `assemble` has run.
        folder: where the formats' folders go. One that an earlier run wrote is replaced;
            one that holds anything else is left alone.
        formats: names from `cqia.exporters.catalogue`.
        progress: told of every format written.

    Returns:
        The formats, and the records in each of their files.

    Raises:
        UserError: an unknown format, nothing was assembled, or a folder that isn't ours to replace.
        RuntimeError: a format doesn't hold all chosen records.
    """
    for name in formats:
        if name not in EXPORTERS:
            raise unknown("format", name, EXPORTERS, where="export")
    chosen = opened(work)
    known = store.manifest(folder) or {}
    written: dict[str, Any] = dict(known.get("formats", {}))
    for number, name in enumerate(dict.fromkeys(formats), start=1):
        mark = store.fingerprint(
            {"assemble": chosen.facts["fingerprint"], "format": name, "program": store.program()}
        )
        target = folder / name
        if name not in written and target.exists() and any(target.iterdir()):
            raise UserError(
                "this folder holds something else", where=str(target), mend="name another one"
            )
        if not _is_written(target, written.get(name), mark):
            written[name] = {"fingerprint": "", "files": {}, "bytes": {}}
            store.write_json(folder / store.MANIFEST, {"stage": "export", "formats": written})
            with store.part(folder, name) as place:
                files = EXPORTERS[name].write(chosen, place)
                _count(place, files, chosen.facts["chosen"])
            sizes = {one: (target / one).stat().st_size for one in files}
            written[name] = {"fingerprint": mark, "files": files, "bytes": sizes}
            store.write_json(folder / store.MANIFEST, {"stage": "export", "formats": written})
        if progress:
            progress(number, len(formats), name)
    return {"stage": "export", "folder": str(folder), "formats": {n: written[n] for n in formats}}


def _is_written(target: Path, facts: store.Facts | None, mark: str) -> bool:
    """Whether a format stands there whole, from the same dataset."""
    if not facts or facts["fingerprint"] != mark:
        return False
    paths = {target / name: size for name, size in facts["bytes"].items()}
    return all(path.is_file() and path.stat().st_size == size for path, size in paths.items())


def _count(folder: Path, files: dict[str, int], wanted: int) -> None:
    """Count what was written, in the files themselves.

    Raises:
        RuntimeError: it isn't all.
    """
    found = {name: rows_in(folder / name) for name in files}
    if found != files or sum(found.values()) != wanted:
        raise RuntimeError(f"{folder} holds {found}, told were {files}, chosen {wanted}")
