"""The rows of a statement, and the work of one: draw, train, evaluate, and say what became of it.

A row is a base model, tuned on a subset with a seed, or a base as it is. What became of it stands
in `work/statement/rows/BASE/SUBSET/SEED.json`: done, or failed with its error. A row is done again
when what it depends on has changed, and is tried a second time when it failed.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from cqia import store
from cqia.benchmarks.base import Benchmark, Item
from cqia.benchmarks.catalogue import benchmark
from cqia.benchmarks.reference_loss import items_of
from cqia.errors import UserError
from cqia.llm.protocol import Model
from cqia.places.files import matching
from cqia.sampling import lot
from cqia.stages.evaluate import evaluate
from cqia.stages.train import CODE, train
from cqia.statement import Base, Measure, Statement, Subset
from cqia.statistics.mixtures import random_mixtures
from cqia.subsets import draw_subset, records_of, with_tokens, writer_family

UNTUNED = "untuned"
"""The folder of a base row, which has no subset."""
TRIES = 2


class Row(NamedTuple):
    """A base model, tuned on a subset with a seed; subset None: as it is."""

    base: Base
    subset: Subset | None
    seed: int

    @property
    def place(self) -> Path:
        """Its folder below those of the stages."""
        return Path(self.base.name, self.subset.name if self.subset else UNTUNED, str(self.seed))


def rows(statement: Statement, sources: list[str]) -> list[Row]:
    """Every row: the bases as they are first, then each base's subsets by seed."""
    found = [Row(base, None, 0) for base in statement.bases]
    for base in statement.bases:
        if base.tune:
            wanted = subsets(statement, sources)
            found += [Row(base, one, seed) for seed in statement.seeds for one in wanted]
    return found


def subsets(statement: Statement, sources: list[str]) -> list[Subset]:
    """The subsets that are named, and those that attribution asks for.

    Attribution is over the sources of the plain subsets of one source each.
    """
    plain = [s for s in statement.subsets if s.kind == "subset" and not s.control]
    alone = [s.sources[0] for s in plain if len(s.sources) == 1 and s.sources[0] in sources]
    wanted, found = statement.attribution, list(statement.subsets)
    if wanted.without and len(alone) > 1:
        even = tuple((one, 1.0) for one in alone)
        found.append(Subset(name="all-even", weights=even, kind="mixture"))
        for one in alone:
            others = tuple(pair for pair in even if pair[0] != one)
            found.append(Subset(name=f"without-{one}", weights=others, kind="without"))
    if wanted.pairs:
        for one, other in combinations(alone, 2):
            both = ((one, 1.0), (other, 1.0))
            found.append(Subset(name=f"{one}+{other}", weights=both, kind="pair"))
    if wanted.mixtures:
        drawn = random_mixtures(len(alone), wanted.mixtures, seed=min(statement.seeds))
        for number, shares in enumerate(drawn, start=1):
            weights = tuple((one, float(w)) for one, w in zip(alone, shares, strict=True))
            found.append(Subset(name=f"mixture-{number:02d}", weights=weights, kind="mixture"))
    return found


def mark_of(work: Path, statement: Statement, row: Row, base: str) -> str:
    """A hash of what a row's outcomes depend on."""
    hashes = store.Hashes(work)
    assembled = store.manifest(work / "assemble") or {}
    measures = [
        [asdict(one), [hashes.of(name) for file in one.files for name in matching(file)]]
        for one in statement.measures
        if not one.judges
    ]
    hashes.save()
    own = asdict(row.subset) if row.subset else None
    facts = {
        "program": store.program(
            *CODE, "training/budget.py", "benchmarks/", "rows.py", "subsets.py"
        ),
        "assemble": assembled.get("fingerprint"),
        "base": base,
        "subset": own,
        "seed": row.seed,
        "draw": [statement.amount, statement.unit, statement.repeat] if own else None,
        "tuning": asdict(statement.tuning) if own else None,
        "measures": measures,
    }
    return store.fingerprint(facts)


def state_file(work: Path, row: Row) -> Path:
    """Where it stands what became of a row."""
    return (work / "statement" / "rows" / row.place).with_suffix(".json")


def done(work: Path, row: Row, mark: str) -> store.Facts | None:
    """What became of a row, when it is done with this mark and no request of it failed."""
    path = state_file(work, row)
    found = store.read_json(path) if path.exists() else None
    if found is None or found.get("incomplete"):
        return None
    return found if found["mark"] == mark and found["state"] == "done" else None


def perform(work: Path, statement: Statement, row: Row, base: Path, mark: str, tries: int) -> str:
    """Train and evaluate a row, and write down what became of it; returns `done` or `failed`.

    A mistake of the user's, or a fault of the libraries that train, fails this row only.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    facts: store.Facts = {"mark": mark, **named(row)}
    for attempt in range(1, tries + 1):
        try:
            facts |= _perform(work, statement, row, base)
        except UserError as fault:
            facts |= {"state": "failed", "error": str(fault), "tries": attempt}
            break
        except Exception as fault:  # noqa: BLE001 -- a row's fault is kept and told, the rest goes on
            told = "".join(traceback.format_exception(fault))
            facts |= {"state": "failed", "error": f"{type(fault).__name__}: {fault}"}
            facts |= {"tries": attempt, "traceback": told}
        else:
            facts |= {"state": "done", "error": "", "tries": attempt}
            break
    store.write_json(state_file(work, row), facts)
    return str(facts["state"])


def named(row: Row) -> store.Facts:
    """What a row is, in plain values."""
    subset = row.subset
    return {
        "base": row.base.name,
        "subset": subset.name if subset else "",
        "seed": row.seed,
        "kind": subset.kind if subset else "untuned",
        "control": subset.control if subset else "",
    }


def _perform(work: Path, statement: Statement, row: Row, base: Path) -> store.Facts:
    facts: store.Facts = {"writer_family": "", "folder": "", "incomplete": []}
    if row.subset:
        facts |= _train(work, statement, row, base)
    with threads_of(statement, base):
        model = model_of(work, statement, row, base)
        for variant in variants(statement, row):
            if not variant.judge and not evaluate_row(work, variant, row, model)["complete"]:
                facts["incomplete"].append(variant.place)
    return facts


def threads_of(statement: Statement, base: Path) -> AbstractContextManager[None]:
    """The threads that a row of a base has here; one behind a URL needs none of ours."""
    from cqia.training.running import threads

    return threads(statement.tuning.threads) if base.is_dir() else nullcontext()


def _train(work: Path, statement: Statement, row: Row, base: Path) -> store.Facts:
    assert row.subset
    weights = row.subset.weights
    sources = [name for name, _ in weights] if weights else row.subset.sources
    sources = [] if row.subset.takes else sources
    records = records_of(work, "train", sources)
    if statement.unit == "tokens" and not row.subset.takes:
        records = with_tokens(records, base)
    drawn = draw_subset(
        records,
        row.subset,
        amount=statement.amount,
        unit=statement.unit,
        repeat=statement.repeat,
        seed=row.seed,
    )
    folder = work / "train" / row.place
    trained = train(
        folder=folder, records=drawn.records, base=base, tuning=statement.tuning, seed=row.seed
    )
    told = ("read", "kept", "dropped", "steps", "first_loss", "last_loss")
    return {
        "folder": str(folder.relative_to(work)),
        "writer_family": writer_family(drawn.records, dict(statement.writers)),
        "draw": drawn.facts,
        **{name: trained[name] for name in (*told, "answer_tokens", "trained_tokens")},
    }


def model_of(work: Path, statement: Statement, row: Row, base: Path) -> Model:
    """The model that a row evaluates."""
    if not base.is_dir():
        from cqia.llm.models import named as model_named

        return model_named(row.base.preset.removeprefix("model:"), statement.models).model
    from cqia.llm.local import Local
    from cqia.training.loading import fingerprint

    family = row.base.name
    if row.subset is None:
        name = f"{row.base.name}@{fingerprint(base, store.Hashes(work).of)[:12]}"
        return Local(name=name, folder=base, family=family)
    folder = work / "train" / row.place
    facts = store.manifest(folder) or {}
    name = f"{'/'.join(row.place.parts)}@{facts['fingerprint'][:12]}"
    if facts.get("adapter"):
        return Local(name=name, folder=base, family=family, adapter=folder / "model")
    return Local(name=name, folder=folder / "model", family=family)


def benchmark_of(measure: Measure) -> Benchmark:
    """A measure's benchmark with its settings.

    Raises:
        UserError: there is none of that name, or it has no such setting.
    """
    return benchmark(measure.benchmark, dict(measure.options))


def items(work: Path, measure: Measure, bench: Benchmark) -> list[Item]:
    """A measure's items, so many of each group as it wants."""
    if measure.held_out:
        found = items_of(records_of(work, "validation"))
    else:
        found = bench.items([name for file in measure.files for name in matching(file)])
    if measure.limit is None:
        return found
    table = pl.DataFrame(
        [(n, one.group, one.id) for n, one in enumerate(found)],
        schema=["row", "group", "id"],
        orient="row",
    )
    places = table.with_columns(lot(0).rank("ordinal").over("group").alias("place"))
    taken = places.filter(pl.col("place") <= measure.limit)["row"].sort()
    return [found[n] for n in taken]


class Variant(NamedTuple):
    """A measure with one judge, and one rival where it compares; empty: without."""

    measure: Measure
    judge: str = ""
    against: str = ""

    @property
    def place(self) -> str:
        """The name of its folder."""
        name = f"{self.measure.name}@{self.judge}" if self.judge else self.measure.name
        return f"{name}~{self.against}" if self.against else name


def variants(statement: Statement, row: Row) -> list[Variant]:
    """What a row is evaluated on; a base as it is isn't compared with itself."""
    return [
        Variant(measure, judge, against)
        for measure in statement.measures
        for judge in measure.judges or ("",)
        for against in measure.against or ("",)
        if row.subset or against != row.base.name
    ]


def evaluate_row(
    work: Path,
    variant: Variant,
    row: Row,
    model: Model,
    **judging: Any,  # noqa: ANN401
) -> store.Facts:
    """Evaluate a row; replies of judges are shared by all rows, a row's own are its own."""
    bench = benchmark_of(variant.measure)
    folder = work / "evaluate" / row.place / variant.place
    cache = folder.parent / f"{variant.place}.sqlite"
    facts = evaluate(
        folder=folder,
        benchmark=bench,
        items=items(work, variant.measure, bench),
        model=model,
        cache=work / "replies.sqlite" if variant.judge else cache,
        **judging,
    )
    if not variant.judge and facts["complete"]:
        for one in (cache, *(cache.with_name(cache.name + end) for end in ("-wal", "-shm"))):
            one.unlink(missing_ok=True)
    return facts


def outcomes(work: Path, statement: Statement, wanted: list[Row]) -> Iterator[pl.DataFrame]:
    """The outcomes of every row that is done, with what the row is.

    Of a comparison the group is the rival, and an item hangs together with itself under others.
    """
    for row in wanted:
        path = state_file(work, row)
        facts = store.read_json(path) if path.exists() else {"state": "missing"}
        if facts["state"] != "done":
            continue
        for one in variants(statement, row):
            folder = work / "evaluate" / row.place / one.place
            told = store.manifest(folder)
            if told is None:
                raise RuntimeError(f"{folder}: a row that is done has no outcomes here")
            frame = pl.read_parquet(folder / "outcomes.parquet").with_columns(
                base=pl.lit(row.base.name),
                subset=pl.lit(facts["subset"]),
                seed=pl.lit(row.seed, pl.Int64),
                benchmark=pl.lit(one.measure.name),
                direction=pl.lit(told["direction"]),
                writer_family=pl.lit(facts["writer_family"]),
                judge=pl.lit(told["judge"]),
                judge_family=pl.lit(_family(told, one.measure)),
            )
            if one.against:
                frame = frame.with_columns(
                    item=pl.format("{} | {}", "item", pl.lit(one.against)),
                    group=pl.lit(one.against),
                    cluster=pl.col("item"),
                    opponent=pl.lit(one.against),
                )
            yield frame


def _family(told: store.Facts, measure: Measure) -> str:
    """The judge's family; several judges of unknown family are told apart by their names."""
    unknown = told["judge_family"] == "unknown" and len(measure.judges) > 1
    return str(told["judge"] if unknown else told["judge_family"])
